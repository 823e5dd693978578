"""Methods of volumes alone."""

"""Methods of videos alone."""

"""Methods about versions of projects and the folders they come from."""

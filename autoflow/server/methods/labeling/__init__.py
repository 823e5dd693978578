"""Methods about labeling jobs."""

"""Methods about projects, datasets, classes and their meta."""

"""Destinations of records: start reading at `base`, which states the protocol; docs/extending.md has an example."""

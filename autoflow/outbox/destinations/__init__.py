"""Where records are delivered: start reading at `base`, which states the protocol; docs/extending.md has an example."""

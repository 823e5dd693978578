"""Values of lineage, without I/O: entity types and references, card settings, templates, runs and versions."""

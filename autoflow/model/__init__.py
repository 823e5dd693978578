"""What lineage is made of: values without input or output, known to every other room."""

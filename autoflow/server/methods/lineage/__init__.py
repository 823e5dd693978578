"""Methods about lineage: records, edges, graphs, traces."""

"""The lineage in the store as a graph of cards: which cards there are, and how each looks."""

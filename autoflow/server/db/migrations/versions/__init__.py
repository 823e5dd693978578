"""One module a revision; their names sort in the order they are applied."""

"""Records applied in sets: parsed (`parse`), resolved against the rows that they name (`reading`, `state`), applied to
these in memory (`changes`), and written (`writing`), with a number of statements that does not grow with the set.
"""

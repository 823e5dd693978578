"""Which run a call is part of, and what is recorded of it."""

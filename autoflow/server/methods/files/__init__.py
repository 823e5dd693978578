"""Methods about Team Files."""

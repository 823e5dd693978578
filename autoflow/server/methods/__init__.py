"""The methods of the wire, a folder a family: plain functions of a transaction and a request's body.

A module lists methods that only read in ``READS`` and those that change something in ``WRITES``, by their name on the
wire. ``BATCHES`` split long bodies into several transactions; ``UPLOADS`` and ``DOWNLOADS`` transfer bytes.
`server.server` collects these tables.
"""

"""The methods of the wire, a folder a family: plain functions of a transaction and a request.

A module lists its methods by their names on the wire: in ``READS`` those that only read, in ``WRITES`` those that
write, in ``BATCHES`` those that use several transactions, in ``QUERIES`` those that read content beside rows, in
``UPLOADS`` and ``DOWNLOADS`` those that transfer bytes.
`server.server` collects these tables.
"""

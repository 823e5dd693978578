"""The store: tables, transactions, and plain functions that read and write one group of tables each.

Functions take a connection inside a transaction of `engine.Store`; none of them commits.
"""

"""Garbage collection, integrity checks, purging and resumable jobs."""

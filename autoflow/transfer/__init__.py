"""Versions and stores copied from one server to another."""

"""Repeating a recorded run: restore the data it read, run its command in its commit, and compare the outputs.

Start reading at `autoflow.reproduction.reproduce`.
"""

"""Doing a recorded run again: on the data it read, with the code and packages it had, and comparing what comes out."""

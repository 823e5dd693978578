"""Geometry of figures: metrics, and rounding to pixels."""

"""Versions of projects: snapshots, diff, restore, verification, and the triggers that keep history."""

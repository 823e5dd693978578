"""Types of projects: what the items of a project are, and what their bytes and annotations mean.

Start with `base`, the interface; `images` implements it, `registry` finds the type of a project.
"""

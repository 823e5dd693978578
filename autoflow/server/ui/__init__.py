"""The page people look at the server with: one shell for every address, and the assets it names.

Nothing is built: the modules, styles and icons in `assets/` are served as they are, and ask the wire for all they show.
"""

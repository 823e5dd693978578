"""The web page of the server: one HTML shell for all addresses, and the static files that it loads.

There is no build step: the modules, styles and icons in `assets/` are served as they are, and load their data by the
API. Start reading at `routes`, then `assets/pages/`, which has one module for each page.
"""

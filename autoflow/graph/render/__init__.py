"""Renderings of a graph: text, Mermaid, DOT, SVG and HTML, all by name in `formats`."""

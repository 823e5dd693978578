"""A graph drawn: text, trees, Mermaid, DOT, SVG, HTML, with icons, labels and theme."""

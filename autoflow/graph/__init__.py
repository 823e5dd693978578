"""The read side: a graph of cards and arrows, its scope, its layout, and the forms it is shown in.

`graph` holds the values, `scope` cuts out a part, `layout` places it, `forms` has the forms by name:
text (with `flow`, the chain as a tree), mermaid, dot, svg (with `face`, `icons`, `theme`), html.
"""

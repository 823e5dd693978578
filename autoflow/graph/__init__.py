"""The read side: a graph of cards and arrows, and what can be done with it.

`graph` has the values and is the place to start reading. `subgraph`, `filters` and `clusters` derive smaller graphs,
`trace` adds the facts of runs, `layout` computes positions, `render` has the output formats by name
(`render.formats`), and `notebook` has the classes that `Api.graph` and `Api.trace` return.
"""

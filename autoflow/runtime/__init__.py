"""Recording of runs.

`context` infers the run of a call; `recorder` and the modules above it (`call`, `templating`, `card_options`,
`edge_spec`, `run`) write its records; `workflow` opens a run, and `integrations` carry it to threads and processes.
"""

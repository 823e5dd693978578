"""Import of image folders into projects, and export of versions to folders.

Start reading at `autoflow.datasets.sync` (import) and `autoflow.datasets.export`; formats are in
`autoflow.datasets.formats`.
"""

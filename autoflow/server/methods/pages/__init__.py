"""Methods that answer one page of the web interface each, ``autoflow.overview.*``, and what people add on the page.

Each is a few indexed queries. Lists are limited to a size that the request may name, with a cursor for the next part.
Rows of other teams are never included.
"""

from __future__ import annotations

from collections.abc import Mapping

from autoflow.server.methods.pages import (
    counts,
    files,
    images,
    jobs,
    notes,
    projects,
    recent,
    runs,
    snapshot,
    start,
    versions,
    views,
)
from autoflow.server.operations import Download, Operation

_PAGES = (start, recent, projects, counts, images, files, runs, jobs, versions, snapshot, notes, views)

READS: Mapping[str, Operation] = {name: run for page in _PAGES for name, run in page.READS.items()}
WRITES: Mapping[str, Operation] = {**notes.WRITES, **views.WRITES}
DOWNLOADS: Mapping[str, Download] = snapshot.DOWNLOADS

"""What the pages of things show, a method a page: ``autoflow.overview.*``, each a few indexed queries.

Lists are cut to a size the request may name, and say where the next part begins. What another team has is not there.
"""

from __future__ import annotations

from collections.abc import Mapping

from autoflow.server.methods.pages import counts, files, images, jobs, projects, runs, snapshot, start, versions
from autoflow.server.operations import Download, Operation

_PAGES = (start, projects, counts, images, files, runs, jobs, versions, snapshot)

READS: Mapping[str, Operation] = {name: run for page in _PAGES for name, run in page.READS.items()}
WRITES: Mapping[str, Operation] = {}
DOWNLOADS: Mapping[str, Download] = snapshot.DOWNLOADS

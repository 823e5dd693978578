"""What the pages of things show, a method a page: ``autoflow.overview.*``, each a few indexed queries.

Lists are cut to a size the request may name, and say where the next part begins. What another team has is not there.
"""

from __future__ import annotations

from collections.abc import Mapping

from autoflow.platform.operations import Download, Operation
from autoflow.platform.operations.overview import counts, files, images, jobs, past, projects, runs, start, versions

_PAGES = (start, projects, counts, images, files, runs, jobs, versions, past)

READS: Mapping[str, Operation] = {name: run for page in _PAGES for name, run in page.READS.items()}
WRITES: Mapping[str, Operation] = {}
DOWNLOADS: Mapping[str, Download] = past.DOWNLOADS

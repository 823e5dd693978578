"""The packages that are installed beside a run: versions, sources, and which have other code than their folder."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from autoflow.process.forks import defer_forks
from autoflow.process.threads import yield_gil
from autoflow.runtime import masking

if TYPE_CHECKING:
    from importlib.metadata import Distribution

MAX_COMPARED = 1000  # files of one package
_FIELDS = ("Name:", "Version:")


class Packages(NamedTuple):
    """The installed packages, by their names: `RunFacts` explains the members."""

    versions: dict[str, str]
    sources: dict[str, str]
    installed: dict[str, str]
    outdated: dict[str, list[str]]


@functools.cache
def installed_packages() -> Packages:
    """Return the installed packages; cached."""
    with defer_forks():
        from importlib import metadata

    packages = Packages({}, {}, {}, {})
    for distribution in metadata.distributions():
        name, version = _name_and_version(distribution)
        if name and name not in packages.versions:  # the first on the path is the one that is imported
            packages.versions[name] = version
            if (source := _source(distribution.read_text("direct_url.json"))) is not None:
                files = _content_lines(distribution.read_text("RECORD"))
                packages.sources[name] = source
                packages.installed[name] = hashlib.sha256("\n".join(files).encode()).hexdigest()
                if outdated := list(_outdated(source, files)):
                    packages.outdated[name] = outdated
        yield_gil()
    versions, sources, installed = (
        dict(sorted(values.items())) for values in (packages.versions, packages.sources, packages.installed)
    )
    return Packages(versions, sources, installed, dict(sorted(packages.outdated.items())))


def _name_and_version(distribution: Distribution) -> tuple[str, str]:
    """Return a package's name and version, each empty if it is missing.

    They are read from the head of its metadata, because parsing all of it takes ten times as long.
    """
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or distribution.read_text("") or ""
    head = text.partition("\n\n")[0].splitlines()
    fields = (next((line[len(field) :].strip() for line in head if line.startswith(field)), "") for field in _FIELDS)
    name, version = fields
    return name, version


def _content_lines(files: str | None) -> list[str]:
    """Return the lines of a package's ``RECORD`` that state its contents, with their hashes.

    An index never replaces a version, but a folder may have other code under the same one. Compiled files, scripts and
    metadata differ with the environment, and a package in editable mode has only a path.
    """
    skipped = (".pyc,", ".dist-info/", ".pth,", "__editable__")
    lines = (files or "").splitlines()
    return sorted(line for line in lines if not line.startswith("..") and not any(part in line for part in skipped))


def _outdated(source: str, files: Sequence[str]) -> Iterator[str]:
    """Yield the modules of an installed package that its folder does not have, or has with another content.

    Args:
        source: where it was installed from; only a folder can be compared.
        files: `_content_lines` of its record.
    """
    folder = unquote(source.removeprefix("file://"))
    if not source.startswith("file://") or not os.path.isdir(folder):
        return
    for line in files[:MAX_COMPARED]:
        path, _, rest = line.partition(",")
        algorithm, _, digest = rest.partition(",")[0].partition("=")
        candidates = (os.path.join(folder, part, path) for part in ("", "src"))
        present = next((candidate for candidate in candidates if os.path.isfile(candidate)), None)
        if algorithm == "sha256" and path.endswith(".py") and (present is None or _sha256(present) != digest):
            yield path


def _sha256(path: str) -> str | None:
    """Return the sha256 of a file as records of packages state it; None if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return base64.urlsafe_b64encode(hashlib.sha256(file.read()).digest()).rstrip(b"=").decode()
    except OSError:
        return None


def _source(text: str | None) -> str | None:
    """Return a package's source from its ``direct_url.json``: ``git+url@commit`` for a checkout, else the url."""
    try:
        direct_url = json.loads(text or "{}")
        url = masking.text(direct_url["url"])
        checkout = direct_url.get("vcs_info")
        return f"{checkout['vcs']}+{url}@{checkout['commit_id']}" if checkout else url
    except (ValueError, LookupError, TypeError, AttributeError):
        return None

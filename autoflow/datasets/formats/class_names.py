"""Class names of a YOLO dataset, from ``data.yaml`` or a text file with one name per line."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Any

from autoflow.distribution import install
from autoflow.errors import FolderError, ServerExtraMissing

MAX_YAML_BYTES = 1 << 20
MAX_CLASSES = 10_000
_COUNT_KEY = re.compile(r"""^["']?nc["']?\s*:""", re.MULTILINE)
_SPLIT_KEY = re.compile(r"""^["']?(?:train|val|path)["']?\s*:""", re.MULTILINE)
_NAMES_KEY = re.compile(r"""^["']?names["']?\s*:""", re.MULTILINE)
_REMEDY = "write the names as a list, one per line: '  - name'"


def parse_lines(text: str) -> list[str]:
    """Return the names in a file with one name per line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def has_names(text: str) -> bool:
    """Return whether a YAML file has the top-level key ``names``, without parsing it."""
    return _NAMES_KEY.search(text) is not None


def has_count(text: str) -> bool:
    """Return whether a YAML file has the number of classes of a dataset, not of a model, without parsing it."""
    return _COUNT_KEY.search(text) is not None and _SPLIT_KEY.search(text) is not None


def parse_yaml(path: str, text: str) -> dict[str, Any]:
    """Parse a YAML mapping; all scalars are text, so that a class may be named ``no`` or ``1.0``.

    Args:
        path: the file, for messages.
        text: its content.

    Raises:
        FolderError: it is not a valid YAML mapping.
        ServerExtraMissing: PyYAML is not installed.
    """
    try:
        yaml: Any = importlib.import_module("yaml")
    except ImportError as error:
        raise ServerExtraMissing(f"reading {path!r} needs PyYAML: {install('server')}") from error
    loader = yaml.BaseLoader(text)  # constructs text, lists and mappings only
    try:
        document = loader.get_single_data()
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        reason = str(error).replace("\n", " ") or type(error).__name__
        raise FolderError(f"{path!r} is not valid YAML ({reason}): correct it, or move it out of the folder") from None
    finally:
        loader.dispose()
    if not isinstance(document, dict):
        raise FolderError(f"{path!r} must be a YAML mapping: {_REMEDY}")
    return document


def names_of(path: str, document: Mapping[str, Any]) -> list[str]:
    """Return the class names of a parsed ``data.yaml``: a list, or a mapping from 0, 1, 2 … to names; without any, as
    YOLO itself, ``class_0``, ``class_1`` and so on, ``nc`` of them.

    Raises:
        FolderError: they are written in another way.
    """
    names = document.get("names")
    count = document.get("nc")
    if not names and isinstance(count, str) and count.isdecimal() and 0 < int(count) <= MAX_CLASSES:
        return [f"class_{number}" for number in range(int(count))]
    if isinstance(names, dict):
        try:
            numbered = {int(number): name for number, name in names.items()}
        except (TypeError, ValueError):
            numbered = {}
        names = [numbered.get(number) for number in range(len(names))]
    entries = names if isinstance(names, list) else []
    texts = [name.strip() for name in entries if isinstance(name, str)]
    if not texts or len(texts) < len(entries) or not all(texts):
        raise FolderError(f'{path!r}: "names" must be a list of texts, or a mapping of 0, 1, 2 … to texts: {_REMEDY}')
    return texts

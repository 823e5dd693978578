"""Stock selectors for ``value=``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from autoflow.model.path import parse
from autoflow.runtime.call import Call, check_callable, getter

WEIGHTS = (
    ".pth",
    ".pt",
    ".ckpt",
    ".safetensors",
    ".onnx",
    ".h5",
    ".keras",
    ".pb",
    ".bin",
    ".weights",
    ".tflite",
    ".engine",
)


def best_checkpoint(of: str | Callable[[Call], Any]) -> Callable[[Call], Any]:
    """The best of several checkpoints: of those with "best" in their name, else of all weight files, the last in
    plain text order; None when there is none.

    Args:
        of: a path to, or a callable giving, the files: FileInfos, mappings with a name, or paths.

    Raises:
        ValueError: `of` is no path.
    """
    find: Callable[[Call], Any] = check_callable("of", of) if callable(of) else getter(parse(of))

    def choose(call: Call) -> Any:
        found = find(call)
        single = (
            isinstance(found, str | os.PathLike)
            or hasattr(found, "id")
            or (isinstance(found, Mapping) and "id" in found)
        )
        candidates = [found] if single else found.values() if isinstance(found, Mapping) else found
        if not isinstance(candidates, Iterable) or isinstance(candidates, Iterator):
            return None  # an iterator is the app's to use up
        named = [(_name(file), file) for file in candidates if file is not None]
        best = [pair for pair in named if "best" in pair[0].lower()] or [
            pair for pair in named if pair[0].lower().endswith(WEIGHTS)
        ]
        return max(best, key=lambda pair: pair[0])[1] if best else None

    return choose


def _name(file: Any) -> str:
    name = file.get("name") if isinstance(file, Mapping) else getattr(file, "name", None)
    if name is None and isinstance(file, str | os.PathLike):
        name = os.fspath(file)
    return os.path.basename(str(name or "").rstrip("/"))


__all__ = ["best_checkpoint"]

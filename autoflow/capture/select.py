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
    """Return a selector of the best checkpoint: the last by name of the files with "best" in their name, else of all
    weight files; None when there is none.

    Args:
        of: a path or a callable that selects the files: FileInfos, mappings with a name, or paths.

    Raises:
        ValueError: `of` is not a valid path.
    """
    select_files: Callable[[Call], Any] = check_callable("of", of) if callable(of) else getter(parse(of))

    def choose(call: Call) -> Any:
        files = select_files(call)
        single = (
            isinstance(files, str | os.PathLike)
            or hasattr(files, "id")
            or (isinstance(files, Mapping) and "id" in files)
        )
        candidates = [files] if single else files.values() if isinstance(files, Mapping) else files
        if not isinstance(candidates, Iterable) or isinstance(candidates, Iterator):
            return None  # iterating it would consume the app's items
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

"""The table of the SDK's methods in docs/sdk-methods.md: ``python -m tests.sdk.method_table`` writes it.

A method is a text in the SDK's source that looks like one and whose family is that of a text passed to a request.
"""

from __future__ import annotations

import ast
import importlib.util
import pathlib
import re
from collections import defaultdict
from collections.abc import Iterator

from autoflow.server.server import METHODS

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "sdk-methods.md"
_NAME = re.compile(r"[a-z][a-z-]*(\.[A-Za-z0-9_-]+)+")
_REQUESTS = {"post", "get", "post_async", "stream_async", "get_list_all_pages", "get_list_all_pages_async"}
_FILES = re.compile(r".*\.(json|env|py|md|txt|jpe?g|png|yml|yaml|parquet|bin|html|csv)")
HEAD = """# Methods of the SDK

The methods that the Supervisely SDK calls, by family: those that `autoflow serve` has, and those that it does not. A
test compares this page with the SDK's source and with the server. "Here" says that the method exists; limits of single
methods are on the page of the [server](server.md#the-wire).

| family | here | not here |
|---|---|---|
"""


def _texts() -> Iterator[tuple[str, bool]]:
    """Yield each text of the SDK's source that looks like a method, and whether it is passed to a request."""
    spec = importlib.util.find_spec("supervisely")
    assert spec is not None
    assert spec.origin is not None
    for file in sorted(pathlib.Path(spec.origin).parent.rglob("*.py")):
        nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
        sent = {
            id(node.args[0])
            for node in nodes
            if isinstance(node, ast.Call) and node.args and getattr(node.func, "attr", "") in _REQUESTS
        }
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                name = node.value.partition("?")[0]
                if _NAME.fullmatch(name) and not _FILES.fullmatch(name):
                    yield name, id(node) in sent


def sdk_methods() -> set[str]:
    """Return the names of the methods that the SDK calls."""
    texts = list(_texts())
    families = {name.partition(".")[0] for name, sent in texts if sent} | {"apps"}
    return {name for name, _ in texts if name.partition(".")[0] in families}


def table() -> str:
    """Return the page."""
    rows: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for name in sorted(sdk_methods()):
        family, _, rest = name.partition(".")
        rows[family][name not in METHODS].append(f"`{rest}`")
    lines = [f"| `{family}` | {', '.join(here)} | {', '.join(missing)} |" for family, (here, missing) in rows.items()]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(table(), encoding="utf-8")

"""The rooms and layers of docs/architecture.md, held by walking the syntax trees of all modules."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import autoflow

pytestmark = pytest.mark.core

ROOT = Path(autoflow.__file__).parent
LONGEST = 500

BELOW_ALL = {"distribution", "errors", "forks", "guard", "posix", "settings"}
_TRANSPORT = {"wire", "model"}
_OUTBOX = {"transport", *_TRANSPORT}
_RUNTIME = {"outbox", *_OUTBOX}
_CAPTURE = {"runtime", *_RUNTIME}
_API = {"graph", *_CAPTURE}
ALL = {"api", "capture", "cli", "platform", *_API}

# A room, and what it may import besides itself and what is below all.
MAY_IMPORT: dict[str, set[str]] = {
    "model": set(),
    "wire": {"model"},
    "graph": {"model"},
    "transport": _TRANSPORT,
    "outbox": _OUTBOX,
    "runtime": _RUNTIME,
    "capture": _CAPTURE,
    "api": _API,
    "platform": {"wire", "graph", "model"},
    "cli": ALL,
    "testing": ALL,  # the pytest plugin, for tests of apps
    "__init__": ALL - {"cli", "platform"},
    "__main__": {"cli"},
}
BELOW: dict[str, set[str]] = {
    "distribution": set(),
    "errors": set(),
    "forks": set(),
    "posix": set(),
    "settings": set(),
    "guard": {"errors", "settings"},
}

# Where a third party may be imported: the beginning of a path.
THIRD_PARTIES = {
    "wrapt": "capture/wrapper.py",
    "requests": "transport/",
    "urllib3": "transport/deadline.py",
    "pytest": "testing",
    "sqlalchemy": "platform/",
    "alembic": "platform/",
    "psycopg": "server/db/postgresql.py",
    "PIL": "platform/",
    "obstore": "server/blobs/bucket.py",
    "starlette": "platform/",
    "anyio": "platform/",  # Starlette's own
    "uvicorn": "platform/",
    "h11": "server/http/connections.py",  # uvicorn's own
    "python_multipart": "platform/",
}


class Import(NamedTuple):
    """One import of a module: where it stands, what it names, and whether it waits for a call or a type checker."""

    path: str
    line: int
    name: str
    late: bool

    @property
    def room(self) -> str:
        """The importing room, a module's own name at the top."""
        return self.path.partition("/")[0].removesuffix(".py")

    def __str__(self) -> str:
        return f"{self.path}:{self.line} imports {self.name}"


def _late(node: ast.AST) -> bool:
    """Whether what is inside a node runs only when called, or never."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return True
    return isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def _walk(node: ast.AST, path: str, late: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(path, child.lineno, alias.name, late) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{path}:{child.lineno} is a relative import"
            module = str(child.module)
            names = [f"autoflow.{alias.name}" for alias in child.names] if module == "autoflow" else [module]
            yield from (Import(path, child.lineno, name, late) for name in names)
        else:
            yield from _walk(child, path, late or _late(child))


def _imports() -> list[Import]:
    found: list[Import] = []
    for file in sorted(ROOT.rglob("*.py")):
        path = file.relative_to(ROOT).as_posix()
        found += _walk(ast.parse(file.read_text(encoding="utf-8")), path, late=False)
    return found


IMPORTS = _imports()
OURS = [found for found in IMPORTS if found.name.partition(".")[0] == "autoflow"]
OTHERS = [found for found in IMPORTS if found.name.partition(".")[0] not in {"autoflow", *sys.stdlib_module_names}]


def _target(found: Import) -> str:
    return [*found.name.split("."), "__init__"][1]


def test_every_room_is_in_the_table():
    """A new folder or module at the top of the package needs a place in the table first."""
    rooms = {file.relative_to(ROOT).parts[0].removesuffix(".py") for file in ROOT.rglob("*.py")}
    assert rooms == MAY_IMPORT.keys() | BELOW.keys()


def test_imports_go_only_downward():
    """A room imports itself, what the table allows it, and what is below all."""
    wrong = []
    for found in OURS:
        allowed = BELOW.get(found.room)
        if allowed is None:
            allowed = {found.room, *MAY_IMPORT[found.room], *BELOW_ALL}
        if found.room == "transport" and _target(found) == "platform":
            continue  # the next test
        if _target(found) not in allowed:
            wrong.append(str(found))
    assert wrong == []


def test_only_the_embedded_transport_reaches_the_platform_and_only_when_called():
    """`transport/embedded.py` opens the platform at first use; no other module of the core knows it."""
    reaching = [found for found in OURS if _target(found) == "platform" and found.room not in {"platform", "cli"}]
    assert {found.path for found in reaching} <= {"transport/embedded.py"}
    assert [str(found) for found in reaching if not found.late] == []


def test_a_command_loads_the_rooms_it_needs_and_no_others():
    """`autoflow --help` loads the errors alone; each command's module is imported when it is carried out."""
    assert {_target(found) for found in OURS if found.path == "cli/main.py" and not found.late} <= BELOW_ALL


def test_third_parties_stay_in_their_rooms():
    """Each third party is imported where the table says, and one that the table does not name nowhere."""
    wrong = [
        str(found)
        for found in OTHERS
        if not found.path.startswith(THIRD_PARTIES.get(found.name.partition(".")[0], "(nowhere)"))
    ]
    assert wrong == []


def test_requests_is_imported_at_first_use():
    """An app that never talks to a server over HTTP never loads requests."""
    loading = {"transport/deadline.py"}  # itself imported at first use
    early = [found for found in OTHERS if found.name.startswith(("requests", "urllib3")) and not found.late]
    assert {found.path for found in early} <= loading
    assert all(found.late for found in OURS if found.name == "autoflow.transport.deadline")


def test_no_module_is_long():
    """A module is read at one sitting."""
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in ROOT.rglob("*.py")}
    assert {str(file): length for file, length in lengths.items() if length > LONGEST} == {}

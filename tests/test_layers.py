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

BELOW_ALL = {"distribution", "errors", "guard", "process", "settings"}
_TRANSPORT = {"wire", "model"}
_OUTBOX = {"transport", *_TRANSPORT}
_RUNTIME = {"outbox", *_OUTBOX}
_CAPTURE = {"runtime", *_RUNTIME}
_API = {"graph", *_CAPTURE}
ALL = {"api", "capture", "cli", "datasets", "reproduction", "server", "transfer", *_API}

# A room, and what it may import besides itself and what is below all.
MAY_IMPORT: dict[str, set[str]] = {
    "process": set(),
    "model": set(),
    "wire": {"model"},
    "graph": {"model"},
    "transport": _TRANSPORT,
    "outbox": _OUTBOX,
    "runtime": _RUNTIME,
    "capture": _CAPTURE,
    "api": _API,
    "datasets": {"api", *_API},
    "reproduction": {"api", *_API},
    "transfer": {"api", "datasets", *_API},
    "server": {"wire", "graph", "model"},
    "cli": ALL,
    "testing": ALL,  # the pytest plugin, for tests of apps
    "__init__": ALL - {"cli", "server"},
    "__main__": {"cli"},
}
BELOW: dict[str, set[str]] = {
    "distribution": set(),
    "errors": set(),
    "settings": set(),
    "guard": {"errors", "settings"},
    "process": {"process", "errors", "guard", "settings"},
}

# The same inside the server: a room or module of it, and what it may import of the server besides itself.
_LOW = {
    "errors",
    "limits",
    "request_parser",
    "validation",
    "paging",
    "timestamps",
    "budget",
    "bounded_json",
    "private_files",
    "histogram",
}
_DB = {"blobs", *_LOW}
_OPERATIONS = {"db", *_DB}
_VERSIONS = {"operations", "geometry", *_OPERATIONS}
_PROJECT_TYPES = {"media", *_VERSIONS}
_UPLOADS = {"project_types", *_PROJECT_TYPES}
_METHODS = {"webhook_request", "versions", "lineage", "uploads", "maintenance", "authorization", *_UPLOADS}
_SERVER = {"methods", "reproduction_requests", "location", "readiness", "witnesses", *_METHODS}
SERVER_MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "private_files": set(),
    "histogram": set(),
    "budget": {"errors"},
    "limits": {"errors"},
    "request_parser": {"errors", "limits"},
    "bounded_json": {"errors", "budget"},
    "validation": {"errors", "limits", "request_parser"},
    "paging": {"errors", "request_parser"},
    "timestamps": {"request_parser"},
    "geometry": _LOW,
    "blobs": _LOW,
    "db": _DB,
    "operations": _OPERATIONS,
    "media": _OPERATIONS,
    "authorization": _OPERATIONS,
    "sign_in": {"authorization", *_OPERATIONS},
    "versions": _VERSIONS,
    "lineage": {"versions", *_VERSIONS},
    "project_types": _PROJECT_TYPES,
    "uploads": _UPLOADS,
    "maintenance": {"versions", "lineage", "uploads", *_UPLOADS},
    "methods": _METHODS,
    "reproduction_requests": _DB | {"db"},
    "witnesses": _OPERATIONS,
    "location": {"witnesses", *_OPERATIONS},
    "readiness": _OPERATIONS,
    "server": _SERVER,
    "webhook_request": set(),
    "webhook_delivery": {"webhook_request", *_OPERATIONS},
    "background_maintenance": {"server", *_SERVER},
    "ui": _LOW,
    "http": {"server", "sign_in", "ui", *_SERVER},
    "__init__": set(),
}

# What a room reaches beside that, only when it is called.
LATE: dict[str, set[str]] = {"transport": {"server"}, "api": {"datasets", "reproduction", "transfer"}}

# Where a third party may be imported: the beginning of a path.
THIRD_PARTIES = {
    "wrapt": "capture/wrapper.py",
    "requests": "transport/",
    "urllib3": "transport/deadline.py",
    "pytest": "testing",
    "sqlalchemy": "server/",
    "alembic": "server/",
    "psycopg": "server/db/postgresql.py",
    "av": "server/media/video_reader.py",
    "PIL": "server/",
    "obstore": "server/blobs/",
    "cryptography": "server/maintenance/erasure/signature.py",
    "starlette": "server/",
    "anyio": "server/",  # Starlette's own
    "uvicorn": "server/",
    "h11": "server/http/connections.py",  # uvicorn's own
    "python_multipart": "server/",
    "msgspec": "server/",
    "prometheus_client": "server/http/metrics.py",
    "authlib": "server/http/login/provider.py",
    "joserfc": "server/http/login/provider.py",
    "httpx2": "server/http/login/provider.py",
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


def _names(node: ast.ImportFrom) -> list[str]:
    """The modules that a ``from`` import names: a member of a package is a module where there is such a file."""
    module = str(node.module)
    names = [f"{module}.{alias.name}" for alias in node.names]
    return [name if name in MODULES or module == "autoflow" else module for name in names]


def _walk(node: ast.AST, path: str, late: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(path, child.lineno, alias.name, late) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{path}:{child.lineno} is a relative import"
            yield from (Import(path, child.lineno, name, late) for name in _names(child))
        else:
            yield from _walk(child, path, late or _late(child))


def _imports() -> list[Import]:
    imports: list[Import] = []
    for path in MODULES.values():
        imports += _walk(ast.parse((ROOT / path).read_text(encoding="utf-8")), path, late=False)
    return imports


def _module(path: str) -> str:
    return f"autoflow.{path.removesuffix('.py').replace('/', '.')}".removesuffix(".__init__")


MODULES = {_module(path): path for path in sorted(file.relative_to(ROOT).as_posix() for file in ROOT.rglob("*.py"))}
IMPORTS = _imports()
OURS = [imported for imported in IMPORTS if imported.name.partition(".")[0] == "autoflow"]
STANDARD = {*sys.stdlib_module_names, "tomllib"}  # of any Python that is supported
OTHERS = [imported for imported in IMPORTS if imported.name.partition(".")[0] not in {"autoflow", *STANDARD}]


def _target(imported: Import) -> str:
    return [*imported.name.split("."), "__init__"][1]


def test_every_room_is_in_the_table():
    """A new folder or module at the top of the package needs a place in the table first."""
    rooms = {file.relative_to(ROOT).parts[0].removesuffix(".py") for file in ROOT.rglob("*.py")}
    assert rooms == MAY_IMPORT.keys() | BELOW.keys()


def test_imports_go_only_downward():
    """A room imports itself, what the table allows it, and what is below all."""
    wrong = []
    for imported in OURS:
        allowed = BELOW.get(imported.room)
        if allowed is None:
            allowed = {imported.room, *MAY_IMPORT[imported.room], *BELOW_ALL}
        if imported.late and _target(imported) in LATE.get(imported.room, ()):
            continue
        if _target(imported) not in allowed:
            wrong.append(str(imported))
    assert wrong == []


def test_imports_inside_the_server_go_only_downward():
    """The server's own rooms import what their table allows; every room of it is in the table."""
    inside = [
        imported for imported in OURS if imported.room == "server" and imported.name.startswith("autoflow.server.")
    ]
    wrong = []
    for imported in inside:
        room = imported.path.split("/")[1].removesuffix(".py")
        if imported.name.split(".")[2] not in {room, *SERVER_MAY_IMPORT[room]}:
            wrong.append(str(imported))
    assert wrong == []
    assert {path.split("/")[1].removesuffix(".py") for path in MODULES.values() if path.startswith("server/")} == set(
        SERVER_MAY_IMPORT
    )


def _circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The sets of modules that reach each other by imports, late ones included."""
    reached: dict[str, set[str]] = {}
    for module in graph:
        todo, visited = [module], set()
        while todo:
            new = graph.get(todo.pop(), set()) - visited
            visited |= new
            todo += new
        reached[module] = visited
    circles = {frozenset(n for n in reached[m] if m in reached.get(n, ())) for m in graph if m in reached[m]}
    return sorted(sorted(circle) for circle in circles)


def test_no_modules_import_each_other():
    """No circle of modules: not by late imports either, nor for the type checker alone."""
    graph: dict[str, set[str]] = {}
    for imported in OURS:
        graph.setdefault(_module(imported.path), set()).add(imported.name)
    assert _circles(graph) == []


def test_only_the_embedded_transport_reaches_the_server_and_only_when_called():
    """`transport/embedded.py` opens the server at first use; no other module of the core knows it."""
    reaching = [
        imported for imported in OURS if _target(imported) == "server" and imported.room not in {"server", "cli"}
    ]
    assert {imported.path for imported in reaching} <= {"transport/embedded.py"}
    assert [str(imported) for imported in reaching if not imported.late] == []


def test_a_command_loads_the_rooms_it_needs_and_no_others():
    """`autoflow --help` loads the errors alone; each command's module is imported when it is carried out."""
    parsing = {"cli/main.py", "cli/parsing.py"}
    early = [imported for imported in OURS if imported.path in parsing and not imported.late]
    assert {_target(imported) for imported in early if imported.name != "autoflow.cli.parsing"} <= BELOW_ALL


def test_third_parties_stay_in_their_rooms():
    """Each third party is imported where the table says, and one that the table does not name nowhere."""
    wrong = [
        str(imported)
        for imported in OTHERS
        if not imported.path.startswith(THIRD_PARTIES.get(imported.name.partition(".")[0], "(nowhere)"))
    ]
    assert wrong == []


def test_requests_is_imported_at_first_use():
    """An app that never talks to a server over HTTP never loads requests."""
    loading = {"transport/deadline.py"}  # itself imported at first use
    early = [imported for imported in OTHERS if imported.name.startswith(("requests", "urllib3")) and not imported.late]
    assert {imported.path for imported in early} <= loading
    assert all(imported.late for imported in OURS if imported.name == "autoflow.transport.deadline")


def test_no_module_is_long():
    """A module is read at one sitting."""
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in ROOT.rglob("*.py")}
    assert {str(file): length for file, length in lengths.items() if length > LONGEST} == {}

"""``autoflow doctor``: what keeps records from arriving, and what to do about it.

Each finding is well or needs attention, and one that needs attention says what to do. No token is ever shown.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import stat
import tempfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from importlib.util import find_spec
from typing import NamedTuple

from autoflow import settings
from autoflow.cli.outbox import reasons
from autoflow.distribution import NAME, VERSION, install
from autoflow.errors import AutoflowError, NotAllowed, ServerExtraMissing
from autoflow.outbox import dead_letters, home, journal_lease
from autoflow.outbox.destinations.base import Backend
from autoflow.outbox.journal import QUOTA_BYTES
from autoflow.outbox.journal_files import journals, lock_path
from autoflow.outbox.reader import Reader
from autoflow.outbox.status import destinations, of_folder
from autoflow.outbox.sync import held_by_others
from autoflow.process import time_budget
from autoflow.runtime.destination import Destination, connect, connector_to, resolve_with_rule, token_for
from autoflow.server.blobs import file_system
from autoflow.server.db.lock_holder import find_lock_holder
from autoflow.transport.embedded import ORIGIN as EMBEDDED
from autoflow.transport.unresolved import ORIGIN as UNRESOLVED
from autoflow.wire import methods

MOST_METHODS = 20
LITTLE_BYTES = 64 << 20  # free on the disk
SERVER_SECONDS = 5.0
FULL = 0.8  # of the quota
PACKAGES = ("wrapt", "requests", "sqlalchemy", "supervisely")


class Finding(NamedTuple):
    """One thing looked at; `remedy` is what to do about it, None when it is well."""

    name: str
    says: str
    remedy: str | None = None


def examine(given: argparse.Namespace) -> int:
    """Print the findings; 1 when something needs attention."""
    findings = list(_findings())
    well = all(finding.remedy is None for finding in findings)
    if given.json:
        shown = [
            {"name": name, "well": remedy is None, "says": says, "remedy": remedy} for name, says, remedy in findings
        ]
        print(json.dumps({"well": well, "findings": shown, "versions": _versions()}, indent=2))
        return 0 if well else 1
    for name, says, remedy in findings:
        print(f"{'ok ' if remedy is None else 'SEE'}  {name}: {says}")
        if remedy is not None:
            print(f"     -> {remedy}")
    print("     " + ", ".join(f"{name} {version}" for name, version in _versions().items() if version))
    return 0 if well else 1


def _findings() -> Iterator[Finding]:
    choice = home.choose(_usable)
    yield _home(choice)
    if choice.folder is not None:
        yield _disk(choice.folder)
        yield _room(choice.folder)
        yield _permissions(choice.folder)
        yield from _database(os.path.join(choice.folder, "platform", "platform.db"))
    yield from _destination()
    if choice.folder is not None:
        for origin, folder in destinations(choice.folder):
            yield from _records(origin, folder)
        yield from _elsewhere(choice.folder)


# -- the folder


def _usable(folder: str) -> str:
    """See that a folder is ours alone, and that a file can be written there."""
    home.ensure_private(folder)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"\0" * 4096)
    return folder


def _home(choice: home.Choice) -> Finding:
    refused = "; ".join(choice.refused)
    if choice.folder is None:
        return Finding("folder", f"none can be used: {refused}", "set AUTOFLOW_HOME to a folder of your own")
    named = settings.home()
    if choice.refused and named is not None:
        return Finding("folder", f"{choice.folder}, as AUTOFLOW_HOME cannot be used: {refused}", "mend AUTOFLOW_HOME")
    if choice.folder == list(home.candidates())[-1]:
        return Finding(
            "folder", f"{choice.folder}, the last resort ({refused})", "set AUTOFLOW_HOME to a lasting folder"
        )
    return Finding("folder", f"{choice.folder}, by {'AUTOFLOW_HOME' if named else 'the XDG state folder'}; writable")


def _disk(folder: str) -> Finding:
    kind = file_system.file_system_type(folder)
    if kind in file_system.EPHEMERAL:
        remedy = "set AUTOFLOW_HOME to a folder on a volume"
        return Finding("disk", f"{kind}: what waits is lost with the machine or container", remedy)
    if kind in file_system.NETWORK:
        return Finding("disk", f"{kind}: slow for the embedded server", "set AUTOFLOW_HOME to a local disk")
    return Finding("disk", kind or "its kind is not known")


def _room(folder: str) -> Finding:
    found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize
    remedy = "make room: records that cannot be written are dropped" if free < LITTLE_BYTES else None
    if found.f_files and not found.f_favail:
        remedy = "remove files: the file system takes no more of them"
    return Finding("room", f"{_bytes(free)} free", remedy)


def _permissions(folder: str) -> Finding:
    wrong = [path for path in _files(os.path.join(folder, "outbox")) if not _is_private(path)]
    if wrong:
        return Finding(
            "permissions", f"others may read or own {len(wrong)} files, such as {wrong[0]}", "chmod or remove them"
        )
    return Finding("permissions", "what is in the outbox is this user's alone")


def _files(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        yield from (os.path.join(parent, name) for name in names)


def _is_private(path: str) -> bool:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return True
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


# -- the embedded server's database


def _database(path: str) -> Iterator[Finding]:
    """Who holds up its writers, and whether its pages are whole; it is only read."""
    if not os.path.isfile(path):
        return
    holder = find_lock_holder(path)
    if holder is not None and holder.stopped:
        yield Finding("database", str(holder), f"kill -CONT {holder.pid}")
        return
    with contextlib.suppress(ImportError):  # without autoflow[server] nothing can be done about it here
        from autoflow.server.db.opening import find_damage

        wrong = find_damage(path)
        if wrong:
            yield Finding("database", f"{path} is damaged: {wrong[0]}", "autoflow server recover")
        else:
            yield Finding("database", f"{path}: no damage was found")


# -- where records go


def _destination() -> Iterator[Finding]:
    try:
        destination, rule = resolve_with_rule()
    except ValueError as error:
        variable = "AUTOFLOW_SERVER" if settings.server() is not None else "SERVER_ADDRESS"
        yield Finding("destination", str(error), f"correct {variable}; until then records wait")
        return
    yield Finding("destination", f"{destination.origin}, by {rule}")
    if destination.origin in {"memory", "off"}:
        return
    token = token_for(destination.origin) if destination.origin != EMBEDDED else None
    if destination.origin != EMBEDDED:
        source = "AUTOFLOW_TOKEN" if token == settings.token() else "API_TOKEN"
        yield Finding("token", f"from {source}" if token else "none")
    installed = find_spec("sqlalchemy") is not None
    yield Finding(
        f"{NAME}[server]",
        "installed" if installed else "not installed",
        f"{install('server')}, or set AUTOFLOW_SERVER" if destination.origin == EMBEDDED and not installed else None,
    )
    finding, backend = _server(destination)
    yield finding
    if backend is not None and backend.own_methods:
        yield from _asked_in_vain(destination)


def _asked_in_vain(destination: Destination) -> Iterator[Finding]:
    """What clients of our server asked for that it does not have; nothing keeps it from recording."""
    try:
        answer = connect(destination).call(methods.UNKNOWN_METHODS, {}, timeout=SERVER_SECONDS)
        asked = [(entry["method"], entry["count"], entry["lastAt"]) for entry in answer["methods"]]
    except (AutoflowError, OSError, KeyError, TypeError):  # an instance, or a server of another version
        return
    named = "; ".join(f"{method} ({count} x, last {last})" for method, count, last in asked[:MOST_METHODS])
    more = f"; and {len(asked) - MOST_METHODS} others" if len(asked) > MOST_METHODS else ""
    yield Finding("methods", f"asked for in vain: {named}{more}" if asked else "none was asked for in vain")


def _server(destination: Destination) -> tuple[Finding, Backend | None]:
    """Identify the backend at a destination; None when it could not be."""
    try:
        with time_budget.limit(SERVER_SECONDS):
            backend = connector_to(destination).identify()
    except ServerExtraMissing as error:
        return Finding("server", str(error), install("server")), None
    except NotAllowed as error:
        return Finding("server", f"does not accept the token ({error})", "set AUTOFLOW_TOKEN, or API_TOKEN, anew"), None
    except (AutoflowError, OSError) as error:
        if getattr(error, "foreign", False):
            remedy = "check that the address is right; records wait"
            return Finding("server", f"answers, but not as a server for records ({error})", remedy), None
        remedy = "check that it runs and that its address is right; records wait"
        return Finding("server", f"does not answer ({error})", remedy), None
    return Finding("server", f"answers: {backend.description}", backend.remedy), backend


# -- what is on its way


def _records(origin: str, folder: str) -> Iterator[Finding]:
    name = f"records for {origin}"
    try:
        counts = of_folder(folder)
        used = sum(entry.stat(follow_symlinks=False).st_size for entry in os.scandir(folder))
        senders = _senders(folder)
        dead, blocked = reasons(folder), reasons(folder, dead_letters.BLOCKED_FILE)
        holders = held_by_others(folder)
    except OSError as error:
        yield Finding(name, f"cannot be read: {error}", "give the folder back to this user, or remove what is broken")
        return
    says = ", ".join(f"{counts[word]} {word}" for word in ("sent", "waiting", "dead", "dropped"))
    if counts["waiting"]:
        says += f", sent by {senders} living processes" if senders else ", and no living process sends them"
    alone = counts["waiting"] and not senders
    remedy = f"AUTOFLOW_SERVER={origin} autoflow outbox sync"
    if origin == UNRESOLVED:
        remedy = "correct the address in the environment (see above), then autoflow outbox sync"
    yield Finding(name, says, remedy if alone else None)
    for held in holders:
        if held.holder is not None and held.holder.state == "stopped":
            yield Finding(
                f"held, {origin}",
                f"{held.waiting} records are left to {held.holder}",
                f"continue it (kill -CONT {held.holder.pid}) or end it; then autoflow outbox sync",
            )
    if dead:
        yield Finding(
            f"dead, {origin}",
            _listed(dead),
            "correct the cause, then autoflow outbox retry; export keeps them, purge removes them",
        )
    if blocked:
        yield Finding(
            f"blocked, {origin}",
            _listed(blocked),
            "something between here and the server refuses these records: see its rules; they are tried again",
        )
    if counts["dropped"]:
        yield Finding(
            f"dropped, {origin}",
            f"{counts['dropped']} records could not be written",
            "make room on the disk and in the quota: see above",
        )
    yield Finding(
        f"quota, {origin}",
        f"{_bytes(used)} of {_bytes(QUOTA_BYTES)}",
        "autoflow outbox sync, or purge: a full outbox refuses records" if used > FULL * QUOTA_BYTES else None,
    )


def _listed(counted: Mapping[str, int]) -> str:
    return "; ".join(f"{count} x {reason}" for reason, count in counted.items())


def _senders(folder: str) -> int:
    """How many journals with something in them are being sent by a living process."""
    return sum(
        journal_lease.held(lock_path(folder, name))
        for name in journals(folder)
        if Reader(folder, name, owned=False).waiting()
    )


def _elsewhere(chosen: str) -> Iterator[Finding]:
    """Records in homes used under another environment: nobody looks there now."""
    for folder in home.candidates():
        if folder == chosen or not os.path.isdir(os.path.join(folder, "outbox")):
            continue
        try:
            home.ensure_private(folder)
            waiting = sum(of_folder(part)["waiting"] for _, part in destinations(folder))
        except OSError:
            continue
        if waiting:
            yield Finding(
                "elsewhere", f"{waiting} records wait in {folder}", f"AUTOFLOW_HOME={folder} autoflow outbox sync"
            )


def _bytes(number: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number} {unit}"
        number //= 1024
    return f"{number} GiB"


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return {
        "autoflow": VERSION,
        **found,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }

"""``autoflow doctor``: check everything that delivery of records depends on, and name a remedy for each problem.

Tokens are never printed.
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
from autoflow.transport.typed import call
from autoflow.transport.unresolved import ORIGIN as UNRESOLVED
from autoflow.wire.contract.admin import UNKNOWN_METHODS, UnknownMethodsRequest

MAX_METHODS = 20  # listed
LOW_DISK_SPACE = 64 << 20  # bytes
SERVER_TIMEOUT = 5.0  # seconds
HIGH_QUOTA_USE = 0.8  # share of the quota
PACKAGES = ("wrapt", "requests", "sqlalchemy", "supervisely")


class Finding(NamedTuple):
    """The result of one check; `remedy` is None if there is no problem."""

    name: str
    message: str
    remedy: str | None = None


def examine(args: argparse.Namespace) -> int:
    """Print the findings; exit code 1 if one needs attention."""
    findings = list(_findings())
    is_well = all(finding.remedy is None for finding in findings)
    if args.json:
        entries = [
            {"name": name, "well": remedy is None, "says": message, "remedy": remedy}
            for name, message, remedy in findings
        ]
        print(json.dumps({"well": is_well, "findings": entries, "versions": _versions()}, indent=2))
        return 0 if is_well else 1
    for name, message, remedy in findings:
        print(f"{'ok  ' if remedy is None else 'WARN'}  {name}: {message}")
        if remedy is not None:
            print(f"      -> {remedy}")
    print("      " + ", ".join(f"{name} {version}" for name, version in _versions().items() if version))
    return 0 if is_well else 1


def _findings() -> Iterator[Finding]:
    choice = home.choose(_usable)
    yield _state_folder(choice)
    if choice.folder is not None:
        yield _disk(choice.folder)
        yield _free_space(choice.folder)
        yield _permissions(choice.folder)
        yield from _database(os.path.join(choice.folder, "platform", "platform.db"))
    yield from _destination()
    if choice.folder is not None:
        for origin, folder in destinations(choice.folder):
            yield from _records(origin, folder)
        yield from _other_state_folders(choice.folder)


# -- the state folder


def _usable(folder: str) -> str:
    """Check that only this user can access a folder, and that a file can be written there."""
    home.ensure_private(folder)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"\0" * 4096)
    return folder


def _state_folder(choice: home.Choice) -> Finding:
    refused = "; ".join(choice.refused)
    if choice.folder is None:
        return Finding(
            "folder", f"no folder can be used: {refused}", "set AUTOFLOW_HOME to a folder that you can write to"
        )
    named = settings.home()
    if choice.refused and named is not None:
        return Finding(
            "folder",
            f"{choice.folder} is used, because AUTOFLOW_HOME cannot be: {refused}",
            "set AUTOFLOW_HOME to a folder that you can write to",
        )
    if choice.folder == list(home.candidates())[-1]:
        return Finding(
            "folder",
            f"{choice.folder} is used, a temporary folder ({refused})",
            "set AUTOFLOW_HOME to a persistent folder",
        )
    return Finding("folder", f"{choice.folder}, by {'AUTOFLOW_HOME' if named else 'the XDG state folder'}; writable")


def _disk(folder: str) -> Finding:
    kind = file_system.file_system_type(folder)
    if kind in file_system.EPHEMERAL:
        remedy = "set AUTOFLOW_HOME to a folder on a volume"
        return Finding("disk", f"{kind}: pending records are lost with the machine or container", remedy)
    if kind in file_system.NETWORK:
        return Finding("disk", f"{kind}: slow for the embedded server", "set AUTOFLOW_HOME to a folder on a local disk")
    return Finding("disk", kind or "the type of the file system is unknown")


def _free_space(folder: str) -> Finding:
    status = os.statvfs(folder)
    free = status.f_bavail * status.f_frsize
    remedy = "free disk space: records that cannot be written are dropped" if free < LOW_DISK_SPACE else None
    if status.f_files and not status.f_favail:
        remedy = "delete files: the file system has no free inodes"
    return Finding("room", f"{_format_bytes(free)} free", remedy)


def _permissions(folder: str) -> Finding:
    exposed = [path for path in _files(os.path.join(folder, "outbox")) if not _is_private(path)]
    if exposed:
        return Finding(
            "permissions",
            f"{len(exposed)} files are readable or owned by others, such as {exposed[0]}",
            "run chmod 600 on them, or remove them",
        )
    return Finding("permissions", "only this user can read the outbox")


def _files(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        yield from (os.path.join(parent, name) for name in names)


def _is_private(path: str) -> bool:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return True
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


# -- the embedded server's database


def _database(path: str) -> Iterator[Finding]:
    """Check for a stopped process that holds the write lock, and for damaged pages; the database is only read."""
    if not os.path.isfile(path):
        return
    holder = find_lock_holder(path)
    if holder is not None and holder.stopped:
        yield Finding("database", str(holder), f"kill -CONT {holder.pid}")
        return
    with contextlib.suppress(ImportError):  # not without autoflow[server]
        from autoflow.server.db.opening import find_damage

        damage = find_damage(path)
        if damage:
            yield Finding("database", f"{path} is damaged: {damage[0]}", "autoflow server recover")
        else:
            yield Finding("database", f"{path}: no damage found")


# -- the destination of records


def _destination() -> Iterator[Finding]:
    try:
        destination, rule = resolve_with_rule()
    except ValueError as error:
        variable = "AUTOFLOW_SERVER" if settings.server() is not None else "SERVER_ADDRESS"
        yield Finding("destination", str(error), f"correct {variable}; records stay in the outbox until then")
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
        yield from _unsupported_methods(destination)


def _unsupported_methods(destination: Destination) -> Iterator[Finding]:
    """List the API methods that clients requested and our server lacks; this does not affect recording."""
    try:
        response = call(connect(destination), UNKNOWN_METHODS, UnknownMethodsRequest(), timeout=SERVER_TIMEOUT)
        requested = [(entry["method"], entry["count"], entry["lastAt"]) for entry in response["methods"]]
    except (AutoflowError, OSError, KeyError, TypeError):  # an instance, or a server of another version
        return
    listed = "; ".join(f"{method} ({count} x, last {last})" for method, count, last in requested[:MAX_METHODS])
    more = f"; and {len(requested) - MAX_METHODS} others" if len(requested) > MAX_METHODS else ""
    yield Finding(
        "methods",
        f"clients requested unsupported API methods: {listed}{more}"
        if requested
        else "no unsupported API methods were requested",
    )


def _server(destination: Destination) -> tuple[Finding, Backend | None]:
    """Identify the backend at a destination; None if it could not be identified."""
    try:
        with time_budget.limit(SERVER_TIMEOUT):
            backend = connector_to(destination).identify()
    except ServerExtraMissing as error:
        return Finding("server", str(error), install("server")), None
    except NotAllowed as error:
        remedy = "set AUTOFLOW_TOKEN or API_TOKEN to a valid token"
        return Finding("server", f"rejects the token ({error})", remedy), None
    except (AutoflowError, OSError) as error:
        if getattr(error, "foreign", False):
            remedy = "check that its address is correct; records stay in the outbox until then"
            return Finding("server", f"responds, but does not accept records ({error})", remedy), None
        remedy = "check that it is running and that its address is correct; records stay in the outbox until then"
        return Finding("server", f"does not respond ({error})", remedy), None
    return Finding("server", f"responds: {backend.description}", backend.remedy), backend


# -- pending records


def _records(origin: str, folder: str) -> Iterator[Finding]:
    name = f"records for {origin}"
    try:
        counts = of_folder(folder)
        used = sum(entry.stat(follow_symlinks=False).st_size for entry in os.scandir(folder))
        senders = _senders(folder)
        dead, blocked = reasons(folder), reasons(folder, dead_letters.BLOCKED_FILE)
        holders = held_by_others(folder)
    except OSError as error:
        yield Finding(
            name, f"cannot be read: {error}", "make the folder readable for this user, or remove the damaged files"
        )
        return
    message = ", ".join(f"{counts[state]} {state}" for state in ("sent", "waiting", "dead", "dropped"))
    if counts["waiting"]:
        message += f", sent by {senders} running processes" if senders else ", and no running process sends them"
    is_stuck = counts["waiting"] and not senders
    remedy = f"AUTOFLOW_SERVER={origin} autoflow outbox sync"
    if origin == UNRESOLVED:
        remedy = "correct the address in the environment (see above), then run autoflow outbox sync"
    yield Finding(name, message, remedy if is_stuck else None)
    for held in holders:
        if held.holder is not None and held.holder.state == "stopped":
            yield Finding(
                f"held, {origin}",
                f"{held.waiting} records are in use by {held.holder}",
                f"resume it (kill -CONT {held.holder.pid}) or end it, then run autoflow outbox sync",
            )
    if dead:
        yield Finding(
            f"dead, {origin}",
            _listed(dead),
            "correct the cause, then run autoflow outbox retry; or save them by export, or remove them by purge",
        )
    if blocked:
        yield Finding(
            f"blocked, {origin}",
            _listed(blocked),
            "a proxy or firewall before the server rejects these records: check its rules; they are sent again",
        )
    if counts["dropped"]:
        yield Finding(
            f"dropped, {origin}",
            f"{counts['dropped']} records could not be written",
            "free disk space, and send pending records to free the quota: see above",
        )
    yield Finding(
        f"quota, {origin}",
        f"{_format_bytes(used)} of {_format_bytes(QUOTA_BYTES)}",
        "run autoflow outbox sync or purge: a full outbox drops records"
        if used > HIGH_QUOTA_USE * QUOTA_BYTES
        else None,
    )


def _listed(counted: Mapping[str, int]) -> str:
    return "; ".join(f"{count} x {reason}" for reason, count in counted.items())


def _senders(folder: str) -> int:
    """Return the number of journals with pending records that a running process sends."""
    return sum(
        journal_lease.held(lock_path(folder, name))
        for name in journals(folder)
        if Reader(folder, name, owned=False).waiting()
    )


def _other_state_folders(chosen: str) -> Iterator[Finding]:
    """List pending records in state folders of other environments, which are not used now."""
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
                "elsewhere", f"{waiting} pending records in {folder}", f"AUTOFLOW_HOME={folder} autoflow outbox sync"
            )


def _format_bytes(number: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number} {unit}"
        number //= 1024
    return f"{number} GiB"


def _versions() -> dict[str, str | None]:
    packages: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            packages[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            packages[package] = None
    return {
        "autoflow": VERSION,
        **packages,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }

"""The ``autoflow`` command: its arguments, and who carries each out."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from autoflow.errors import AutoflowError


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="autoflow", description="Workflow lineage and data versions of ML apps.")
    top.add_argument("--version", action="store_true", help="print the version and leave")
    commands = top.add_subparsers(metavar="COMMAND")

    graph = commands.add_parser("graph", help="print the workflow graph")
    _add_scope(graph)
    graph.add_argument(
        "--format",
        choices=("text", "json", "mermaid", "dot", "svg", "html"),
        default="text",
        help="how to print it (default: text)",
    )
    graph.set_defaults(run="graph")

    page = commands.add_parser("open", help="open the workflow graph in the browser")
    _add_scope(page)
    page.set_defaults(run="open")

    outbox = commands.add_parser("outbox", help="records on their way to a server").add_subparsers(
        metavar="ACTION", required=True
    )
    status = outbox.add_parser("status", help="count records: recorded = sent + waiting + dead")
    status.add_argument("--json", action="store_true", help="as JSON")
    status.set_defaults(run="outbox_status")
    sync = outbox.add_parser("sync", help="send what waits now")
    sync.add_argument("--json", action="store_true", help="print the counts afterwards as JSON")
    sync.set_defaults(run="outbox_sync")
    export = outbox.add_parser("export", help="write waiting and dead records as JSON lines")
    export.add_argument("file", nargs="?", default="-", metavar="FILE", help="where to (default: standard output)")
    export.set_defaults(run="outbox_export")
    purge = outbox.add_parser("purge", help="remove records that can never be delivered")
    purge.add_argument("--older-than", type=float, metavar="DAYS", help="only those dead for so many days")
    purge.add_argument("--yes", action="store_true", help="do not ask")
    purge.set_defaults(run="outbox_purge")

    doctor = commands.add_parser("doctor", help="say what keeps records from arriving, and what to do")
    doctor.add_argument("--json", action="store_true", help="as JSON")
    doctor.set_defaults(run="doctor")
    _add_server(commands)
    return top


def _add_server(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    server = commands.add_parser("serve", help="serve the platform over HTTP, for a team or for the Supervisely SDK")
    server.add_argument("--host", default="127.0.0.1", help="address to listen at (default: 127.0.0.1)")
    server.add_argument("--port", type=int, default=8765, help="port to listen at, 0 for any (default: 8765)")
    _add_place(server)
    server.add_argument("--auth", action="store_true", help="ask for tokens, as is always done beyond loopback")
    server.set_defaults(run="serve")

    token = commands.add_parser("token", help="who may use the server").add_subparsers(metavar="ACTION", required=True)
    create = token.add_parser("create", help="make a token and print it")
    create.add_argument("--user", default="admin", metavar="NAME", help="whose it is, made if new (default: admin)")
    create.add_argument(
        "--team", action="append", metavar="NAME", help="a team the user joins, made if new (default: Team)"
    )
    _add_place(create)
    create.set_defaults(run="token_create")
    listing = token.add_parser("list", help="list tokens")
    listing.add_argument("--json", action="store_true", help="as JSON")
    _add_place(listing)
    listing.set_defaults(run="token_list")
    revoke = token.add_parser("revoke", help="make a token worth nothing")
    revoke.add_argument("id", type=int, metavar="ID", help="its number in the list")
    _add_place(revoke)
    revoke.set_defaults(run="token_revoke")


def _add_place(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", metavar="DIR", help="folder of the platform (default: that of the embedded one)")
    command.add_argument("--database", metavar="URL", help="SQLAlchemy's url (default: a SQLite file in that folder)")


def _add_scope(command: argparse.ArgumentParser) -> None:
    scope = command.add_mutually_exclusive_group()
    scope.add_argument("--project", type=int, metavar="N", help="the workflow around a project")
    scope.add_argument("--task", type=int, metavar="N", help="the workflow around a run")
    scope.add_argument("--workspace", type=int, metavar="N", help="the workflow of a workspace (default)")
    scope.add_argument("--file", metavar="PATH", help="the workflow around a team file, by path or number")


def _commands() -> dict[str, Callable[[argparse.Namespace], int]]:
    from autoflow.cli import doctor, graph, outbox, serve, token

    return {
        "serve": serve.serve,
        "token_create": token.create,
        "token_list": token.list_all,
        "token_revoke": token.revoke,
        "graph": graph.show,
        "open": graph.open_page,
        "outbox_status": outbox.status,
        "outbox_sync": outbox.sync_all,
        "outbox_export": outbox.export,
        "outbox_purge": outbox.purge,
        "doctor": doctor.examine,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code: 0 done, 1 could not be done, 2 wrong arguments."""
    top = parser()
    given = top.parse_args(arguments)
    if given.version:
        from importlib.metadata import version

        print(f"autoflow {version('autoflow')}")
        return 0
    if not hasattr(given, "run"):
        top.print_help()
        return 2
    try:
        code = _commands()[given.run](given)
        sys.stdout.flush()  # here, where a reader that has gone is noticed
    except BrokenPipeError:  # the reader, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered must not fail at exit
        return 0
    except (AutoflowError, OSError, ValueError) as error:
        print(f"autoflow: {error}", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())

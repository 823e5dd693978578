"""The ``autoflow`` command: its arguments, and who carries each out."""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from autoflow.distribution import VERSION
from autoflow.errors import AutoflowError


class Parser(argparse.ArgumentParser):
    """A parser that says which command was probably meant."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, and exit with code 2."""
        if mistaken := re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message):
            names = [name.strip(" '") for name in mistaken[2].split(",")]
            for near in difflib.get_close_matches(mistaken[1], names, 1):
                message += f"; did you mean {near!r}?"
        super().error(message)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = Parser(prog="autoflow", description="Workflow lineage and data versions of ML apps.")
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
    graph.add_argument(
        "--cluster",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="take five or more cards that are alike together (default: in pictures)",
    )
    graph.set_defaults(run="graph")

    page = commands.add_parser("open", help="open the workflow graph in the browser")
    _add_scope(page)
    page.add_argument("--static", action="store_true", help="write one HTML file that needs no server, and open that")
    page.add_argument("--port", type=int, default=0, help="where the embedded server is served (default: any free)")
    page.set_defaults(run="open")

    _add_origins(commands)
    _add_versions(commands)

    outbox = commands.add_parser("outbox", help="records on their way to a server").add_subparsers(
        metavar="ACTION", required=True
    )
    status = outbox.add_parser("status", help="count records: recorded = sent + waiting + dead")
    status.add_argument("--json", action="store_true", help="as JSON")
    status.set_defaults(run="outbox_status")
    sync = outbox.add_parser("sync", help="send what waits now")
    sync.add_argument("--json", action="store_true", help="print the counts afterwards as JSON")
    sync.set_defaults(run="outbox_sync")
    retry = outbox.add_parser("retry", help="send dead letters again, once their cause is corrected")
    retry.add_argument("--reason", metavar="TEXT", help="only those whose reason holds this text")
    retry.add_argument("--destination", metavar="ORIGIN", help="only those for this server, as status names it")
    retry.add_argument("--json", action="store_true", help="print the counts afterwards as JSON")
    retry.set_defaults(run="outbox_retry")
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


_REF = "project:N, project:N#M, version:N, dataset:N, file:N, task:N, job:N, or a team file's path with a /"


def _add_origins(commands: argparse._SubParsersAction[Parser]) -> None:
    trace = commands.add_parser("trace", help="print everything a thing came from")
    trace.add_argument("ref", metavar="REF", help=_REF)
    trace.add_argument(
        "--format",
        choices=("text", "json", "mermaid", "dot", "svg", "html"),
        default="text",
        help="how to print it (default: text)",
    )
    trace.add_argument("--json", action="store_true", help="the same as --format json")
    trace.add_argument("--all", action="store_true", help="follow every run that wrote a thing, not the latest alone")
    trace.add_argument("--team", type=int, metavar="N", help="whose path it is (default: the first team's)")
    trace.set_defaults(run="trace")

    again = commands.add_parser("reproduce", help="restore the data a thing was made from, and make it again")
    again.add_argument("ref", metavar="REF", help=_REF)
    again.add_argument(
        "--run", action="store_true", dest="run_it", help="show the recorded command, ask, run it, and compare"
    )
    again.add_argument("--yes", action="store_true", help="run it without asking")
    again.add_argument("--allow-dirty", action="store_true", help="run the commit without the changes it had then")
    again.add_argument("--lock", default="autoflow.lock", metavar="FILE", help="the lock file (default: autoflow.lock)")
    again.add_argument("--workdir", metavar="DIR", help="where the code is checked out (default: a temporary folder)")
    again.add_argument("--keep", action="store_true", help="leave the code there")
    again.add_argument("--python", metavar="PATH", help="the interpreter (default: the recorded one, else this one)")
    again.add_argument(
        "--workspace", type=int, metavar="N", help="where the projects are made (default: where they were)"
    )
    again.add_argument("--json", action="store_true", help="as JSON")
    again.set_defaults(run="reproduce")


def _add_versions(commands: argparse._SubParsersAction[Parser]) -> None:
    actions = commands.add_parser("versions", help="save points of projects").add_subparsers(
        metavar="ACTION", required=True
    )

    def action(name: str, says: str) -> argparse.ArgumentParser:
        made = actions.add_parser(name, help=says)
        made.add_argument("--json", action="store_true", help="as JSON")
        made.set_defaults(run=f"versions_{name}")
        return made

    version = "version:N, N, or project:N#M for its version M"
    create = action("create", "save a project, or a folder as a project")
    create.add_argument("source", metavar="PROJECT|PATH", help="project:N, N, or the path of a folder")
    create.add_argument("--title", metavar="TEXT", help="what the version is called")
    create.add_argument("--description", metavar="TEXT", help="what it is for")
    create.add_argument("--name", metavar="TEXT", help="of a folder's project (default: the folder's)")
    create.add_argument("--workspace", type=int, metavar="N", help="where a folder's project is made")
    create.add_argument("--project", type=int, metavar="N", help="the project a folder is put into")
    create.add_argument("--by-reference", action="store_true", help="leave the folder's images where they are")
    create.add_argument("--rehash", action="store_true", help="read every file of the folder again")
    create.add_argument("--follow-links", action="store_true", help="take what symbolic links of the folder lead to")
    listing = action("list", "list a project's versions")
    listing.add_argument("project", metavar="PROJECT", help="project:N or N")
    show = action("show", "print one version")
    show.add_argument("which", metavar="VERSION", help=version)
    diff = action("diff", "print what changed between two versions")
    diff.add_argument("before", metavar="A", help=version)
    diff.add_argument("after", nargs="?", metavar="B", help="another of the project (default: its state now)")
    restore = action("restore", "make a version a new project, or a folder")
    restore.add_argument("which", metavar="VERSION", help=version)
    restore.add_argument("--name", metavar="TEXT", help='of the project (default: "NAME, from ver. N")')
    restore.add_argument("--workspace", type=int, metavar="N", help="where the project is made")
    restore.add_argument("--skip-missed", action="store_true", help="leave out images whose bytes are gone")
    restore.add_argument("--to", metavar="PATH", help="write it to a folder that is not there yet instead")
    delete = action("delete", "delete a version")
    delete.add_argument("which", metavar="VERSION", help=version)
    delete.add_argument("--yes", action="store_true", help="do not ask")
    verify = action("verify", "check that versions are whole; 1 when one is not")
    verify.add_argument("which", nargs="?", metavar="VERSION", help=f"{version} (default: all)")
    verify.add_argument("--project", type=int, metavar="N", help="those of a project")
    verify.add_argument("--level", type=int, choices=(1, 2, 3), default=1, help="3 reads every byte (default: 1)")
    collect = action("collect", "remove what no version needs")
    collect.add_argument("--yes", action="store_true", help="do not ask, however large a share of all bytes it is")
    collect.add_argument("--empty-trash", action="store_true", help="remove what is in the trash now, not after 7 days")


def _add_server(commands: argparse._SubParsersAction[Parser]) -> None:
    server = commands.add_parser("serve", help="serve the server over HTTP, for a team or for the Supervisely SDK")
    server.add_argument("--host", default="127.0.0.1", help="address to listen at (default: 127.0.0.1)")
    server.add_argument("--port", type=int, default=8765, help="port to listen at, 0 for any (default: 8765)")
    _add_place(server)
    server.add_argument(
        "--blobs", metavar="URL", help="where bytes are kept: s3://bucket/prefix, or a folder (default: in that folder)"
    )
    server.add_argument(
        "--migrate", action="store_true", help="bring a PostgreSQL database of an older autoflow up to date first"
    )
    server.add_argument("--auth", action="store_true", help="ask for tokens, as is always done beyond loopback")
    server.set_defaults(run="serve")

    actions = commands.add_parser("server", help="look after a store").add_subparsers(metavar="ACTION", required=True)
    recover = actions.add_parser("recover", help="say what is wrong with a store that is unavailable, and mend it")
    _add_place(recover)
    recover.add_argument("--blobs", metavar="URL", help="where its bytes are (default: in that folder)")
    recover.add_argument("--yes", action="store_true", help="mend it without asking")
    recover.add_argument("--json", action="store_true", help="as JSON")
    recover.set_defaults(run="server_recover")

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
    leave = token.add_parser("leave", help="take a user out of a team")
    leave.add_argument("--user", required=True, metavar="NAME", help="who")
    leave.add_argument("--team", required=True, action="append", metavar="NAME", help="which team; may be repeated")
    _add_place(leave)
    leave.set_defaults(run="token_leave")
    revoke = token.add_parser("revoke", help="make a token worth nothing")
    revoke.add_argument("id", type=int, metavar="ID", help="its number in the list")
    _add_place(revoke)
    revoke.set_defaults(run="token_revoke")


def _add_place(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", metavar="DIR", help="folder of the server (default: that of the embedded one)")
    command.add_argument("--database", metavar="URL", help="SQLAlchemy's url (default: a SQLite file in that folder)")


def _add_scope(command: argparse.ArgumentParser) -> None:
    scope = command.add_mutually_exclusive_group()
    scope.add_argument("--project", type=int, metavar="N", help="the workflow around a project")
    scope.add_argument("--task", type=int, metavar="N", help="the workflow around a run")
    scope.add_argument("--workspace", type=int, metavar="N", help="the workflow of a workspace (default)")
    scope.add_argument("--file", metavar="PATH", help="the workflow around a team file, by path or number")


def _commands() -> dict[str, Callable[[argparse.Namespace], int]]:
    from autoflow.cli import doctor, graph, outbox, page, recover, reproduce, serve, token, trace, versions

    return {
        "serve": serve.serve,
        "server_recover": recover.recover,
        "token_create": token.create,
        "token_list": token.list_all,
        "token_leave": token.leave,
        "token_revoke": token.revoke,
        "graph": graph.show,
        "open": page.show,
        "trace": trace.trace,
        "reproduce": reproduce.reproduce,
        **{f"versions_{name}": run for name, run in versions.ACTIONS.items()},
        "outbox_status": outbox.status,
        "outbox_sync": outbox.sync_all,
        "outbox_retry": outbox.retry,
        "outbox_export": outbox.export,
        "outbox_purge": outbox.purge,
        "doctor": doctor.examine,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code: 0 done, 1 could not be done, 2 wrong arguments.

    Control characters in what it prints are escaped, see `cli.output`.
    """
    from autoflow.cli.output import escaped

    with escaped():
        return _run(parser(), arguments)


def _run(top: argparse.ArgumentParser, arguments: Sequence[str] | None) -> int:
    given = top.parse_args(arguments)
    if given.version:
        print(f"autoflow {VERSION}")
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

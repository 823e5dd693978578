"""The ``autoflow`` command: its arguments, and the function that runs each command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from autoflow.cli.parsing import Commands, Parser
from autoflow.distribution import VERSION
from autoflow.errors import AutoflowError

INTERRUPTED = 130  # as shells report a process that SIGINT ended


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    from autoflow.cli.files import add_files
    from autoflow.cli.model_arguments import add_models, add_webhooks
    from autoflow.cli.notes import add_note
    from autoflow.cli.version_arguments import add_push, add_versions

    top = Parser(prog="autoflow", formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--version", action="store_true", help="print the version and exit")
    commands = Commands(top)

    graph = commands.add("graph", "print the workflow graph")
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
        help="combine five or more similar cards (default: in pictures)",
    )
    graph.set_defaults(run="graph")

    page = commands.add("open", "open the workflow graph in the browser")
    _add_scope(page)
    page.add_argument("--static", action="store_true", help="write a standalone HTML file and open it")
    page.add_argument("--port", type=int, default=0, help="port of the embedded server (default: any free port)")
    page.set_defaults(run="open")

    _add_trace_and_reproduce(commands)
    _add_runs(commands)
    add_files(commands)
    add_models(commands)
    add_webhooks(commands)
    add_note(commands)
    add_versions(commands)
    add_push(commands)
    _add_erase(commands)

    outbox = commands.add("outbox", "records that are not delivered yet").add_subparsers(
        metavar="ACTION", required=True
    )
    status = outbox.add_parser("status", help="count records by state: recorded = sent + waiting + dead")
    status.add_argument("--json", action="store_true", help="as JSON")
    status.set_defaults(run="outbox_status")
    sync = outbox.add_parser("sync", help="send waiting records now")
    sync.add_argument("--json", action="store_true", help="print the counts afterwards as JSON")
    sync.set_defaults(run="outbox_sync")
    retry = outbox.add_parser("retry", help="send dead letters again after their cause was corrected")
    retry.add_argument("--reason", metavar="TEXT", help="only those whose reason contains this text")
    retry.add_argument("--destination", metavar="ORIGIN", help="only those for this server, as printed by status")
    retry.add_argument("--json", action="store_true", help="print the counts afterwards as JSON")
    retry.set_defaults(run="outbox_retry")
    export = outbox.add_parser("export", help="write waiting and dead records as JSON lines")
    export.add_argument("file", nargs="?", default="-", metavar="FILE", help="output file (default: standard output)")
    export.set_defaults(run="outbox_export")
    purge = outbox.add_parser("purge", help="remove dead letters")
    purge.add_argument("--older-than", type=float, metavar="DAYS", help="only those that are older than this")
    purge.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    purge.set_defaults(run="outbox_purge")

    doctor = commands.add("doctor", "check everything that delivery of records depends on")
    doctor.add_argument("--json", action="store_true", help="as JSON")
    doctor.set_defaults(run="doctor")
    _add_server(commands)
    top.description = f"Workflow lineage and data versions of ML apps.\n{commands.listing()}"
    return top


_REF = (
    "project:N, project:N#M, version:N, dataset:N, file:N, task:N, job:N, model:NAME@ALIAS, "
    "model:NAME@VERSION, or the path of a team file with its leading /"
)


def _add_trace_and_reproduce(commands: Commands) -> None:
    watch = commands.add("watch", "run a Python program, and record the files that it opens")
    watch.add_argument(
        "program", nargs=argparse.REMAINDER, metavar="COMMAND", help="such as python train.py --epochs 7"
    )
    watch.set_defaults(run="watch")

    trace = commands.add("trace", "print the ancestry of an entity")
    trace.add_argument("ref", metavar="REF", help=_REF)
    trace.add_argument(
        "--format",
        choices=("text", "json", "mermaid", "dot", "svg", "html"),
        default="text",
        help="how to print it (default: text)",
    )
    trace.add_argument("--json", action="store_true", help="the same as --format json")
    trace.add_argument("--all", action="store_true", help="follow all runs that wrote an entity, not only the latest")
    trace.add_argument("--team", type=int, metavar="N", help="team of the path (default: the first)")
    trace.set_defaults(run="trace")

    impact = commands.add("impact", "print everything that was made from an entity or an image")
    impact.add_argument(
        "ref",
        metavar="REF",
        help=f"{_REF}; or image:N, dataset:N/NAME, a sha256, or a local file that begins with ./, ../ or ~/",
    )
    impact.add_argument(
        "--format",
        choices=("text", "json", "csv", "mermaid", "dot", "svg", "html"),
        default="text",
        help="how to print it (default: text)",
    )
    impact.add_argument("--json", action="store_true", help="the same as --format json")
    impact.add_argument("--csv", action="store_true", help="the same as --format csv: a row for each run and result")
    impact.add_argument("--team", type=int, metavar="N", help="team of the path (default: the first)")
    impact.set_defaults(run="impact")

    again = commands.add("reproduce", "restore the data of a run, and repeat the run")
    again.add_argument("ref", metavar="REF", help=_REF)
    again.add_argument(
        "--run", action="store_true", dest="run_it", help="run the recorded command after confirmation, and compare"
    )
    again.add_argument("--yes", action="store_true", help="run it without confirmation")
    again.add_argument("--allow-dirty", action="store_true", help="run the commit without the uncommitted changes")
    again.add_argument("--lock", default="autoflow.lock", metavar="FILE", help="the lock file (default: autoflow.lock)")
    again.add_argument("--workdir", metavar="DIR", help="folder of the checkout (default: a temporary folder)")
    again.add_argument("--keep", action="store_true", help="keep the checkout")
    again.add_argument(
        "--python", metavar="PATH", help="the interpreter (default: the recorded one, else the current one)"
    )
    again.add_argument(
        "--workspace", type=int, metavar="N", help="workspace of the restored projects (default: the original one)"
    )
    again.add_argument(
        "--twice", action="store_true", help="run the command a second time, to see whether it is deterministic"
    )
    again.add_argument(
        "--publish",
        action="store_true",
        help="write files and projects to the recorded paths and names (default: below /reproduced)",
    )
    again.add_argument(
        "--discard", action="store_true", help="remove the restored projects and what the command wrote, at the end"
    )
    again.add_argument(
        "--no-env",
        action="store_true",
        help="use the packages that are installed, even if they differ from the recorded",
    )
    again.add_argument(
        "--timeout", type=_seconds, metavar="SECONDS", help="end the command with its child processes after that time"
    )
    again.add_argument(
        "--chain", action="store_true", help="repeat the runs that its input files came from, too, back to the data"
    )
    again.add_argument("--json", action="store_true", help="as JSON")
    again.set_defaults(run="reproduce")


def _add_runs(commands: Commands) -> None:
    runs = commands.add("runs", "search runs by their results and parameters")
    runs.add_argument(
        "refs", nargs="*", metavar="RUN", help="these alone: task:N or N, or model:NAME@ALIAS for the run that wrote it"
    )
    runs.add_argument(
        "--where", metavar="CONDITION", help='as "result.mAP > 0.6 and parameters.epochs = 20 and state = finished"'
    )
    runs.add_argument(
        "--sort", metavar="FIELD", help="as result.loss, or -result.mAP for the greatest first (default: latest first)"
    )
    runs.add_argument("--limit", type=int, metavar="N", help="most runs (default: 50)")
    runs.add_argument("--json", action="store_true", help="as JSON")
    runs.set_defaults(run="runs")
    compare = commands.add("compare", "print what differs between two runs")
    compare.add_argument("first", metavar="RUN", help="task:N or N, or model:NAME@ALIAS")
    compare.add_argument("second", metavar="RUN", help="task:N or N, or model:NAME@ALIAS")
    compare.add_argument("--json", action="store_true", help="as JSON")
    compare.set_defaults(run="compare")


def _add_erase(commands: Commands) -> None:
    erase = commands.add("erase", "erase images, runs or projects for good, after a dry run")
    erase.add_argument(
        "refs",
        nargs="*",
        metavar="REF",
        help="image:N, dataset:N/NAME, a sha256, a file that begins with ./, ../ or ~/, file:N, task:N or project:N",
    )
    erase.add_argument("--list", metavar="FILE", help="a file with references, one a line")
    erase.add_argument("--yes", action="store_true", help="erase it; without this, only print what would go")
    erase.add_argument("--reason", default="", metavar="TEXT", help="why, for the audit log")
    erase.add_argument("--report", metavar="FILE", help="write the signed report to a file")
    erase.add_argument("--verify", metavar="REPORT", help="check the signature of a report")
    erase.add_argument("--reports", action="store_true", help="list the erasures of the team with their reports")
    erase.add_argument("--resume", action="store_true", help="complete what was begun and interrupted")
    erase.add_argument("--team", type=int, metavar="N", help="the team (default: that of the first reference)")
    erase.add_argument("--json", action="store_true", help="as JSON")
    erase.set_defaults(run="erase")
    retention = commands.add("retention", "how long logs and versions are kept")
    retention.add_argument("--logs", type=int, metavar="DAYS", help="keep logs of finished runs so long; 0 for ever")
    retention.add_argument(
        "--versions", type=int, metavar="DAYS", help="keep versions that nothing needs so long; 0 for ever"
    )
    retention.add_argument("--yes", action="store_true", help="remove what is older; without this, only count it")
    retention.add_argument("--team", type=int, metavar="N", help="the team (default: the first)")
    retention.add_argument("--json", action="store_true", help="as JSON")
    retention.set_defaults(run="retention")


_ROLES = ("viewer", "editor", "admin")
_SCOPE = "what the token may do, at most what its user's role permits (default: write)"


def _add_server(commands: Commands) -> None:
    server = commands.add("serve", "serve a team over HTTP")
    server.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    server.add_argument("--port", type=int, help="port to listen on, 0 for any free port (default: 8765)")
    _add_store(server)
    server.add_argument(
        "--blobs", metavar="URL", help="storage of content: s3://bucket/prefix, or a folder (default: in that folder)"
    )
    switch: dict[str, Any] = {"action": argparse.BooleanOptionalAction, "default": None}
    server.add_argument("--migrate", **switch, help="upgrade a PostgreSQL database of an older autoflow first")
    server.add_argument("--auth", **switch, help="require tokens (always so unless --host is a loopback address)")
    server.add_argument("--private-webhooks", **switch, help="let webhooks send to private and loopback addresses")
    server.add_argument(
        "--access-log", metavar="FILE", help="log each request as a line of JSON, - for standard output"
    )
    server.add_argument(
        "--config", metavar="FILE", help="server.toml: options that are set neither here nor by variables"
    )
    server.add_argument("--print-config", action="store_true", help="print all options with their sources, and exit")
    server.set_defaults(run="serve")

    actions = commands.add("server", "maintain a server's store").add_subparsers(metavar="ACTION", required=True)
    recover = actions.add_parser("recover", help="diagnose and repair a store that is unavailable")
    _add_store(recover)
    recover.add_argument("--blobs", metavar="URL", help="storage of content (default: in that folder)")
    recover.add_argument("--yes", action="store_true", help="repair it without confirmation")
    recover.add_argument("--json", action="store_true", help="as JSON")
    recover.set_defaults(run="server_recover")

    _add_backup(commands)

    token = commands.add("token", "access tokens of the server").add_subparsers(metavar="ACTION", required=True)
    create = token.add_parser("create", help="create a token and print it")
    create.add_argument(
        "--user", default="admin", metavar="NAME", help="user of the token, created if new (default: admin)"
    )
    create.add_argument(
        "--team", action="append", metavar="NAME", help="team that the user joins, created if new (default: Team)"
    )
    create.add_argument("--scope", choices=("read", "write", "admin"), default="write", help=_SCOPE)
    create.add_argument("--role", choices=_ROLES, help="role of the user in these teams (default: editor)")
    create.add_argument("--expires", metavar="TIME", help="lifetime such as 12h, 30d or 8w (default: forever)")
    _add_store(create)
    create.set_defaults(run="token_create")
    listing = token.add_parser("list", help="list tokens")
    listing.add_argument("--json", action="store_true", help="as JSON")
    _add_store(listing)
    listing.set_defaults(run="token_list")
    leave = token.add_parser("leave", help="remove a user from a team")
    leave.add_argument("--user", required=True, metavar="NAME", help="the user")
    leave.add_argument("--team", required=True, action="append", metavar="NAME", help="the team; may be repeated")
    _add_store(leave)
    leave.set_defaults(run="token_leave")
    role = token.add_parser("role", help="change the role of a user in a team")
    role.add_argument("role", choices=_ROLES, help="viewers only read; admins also change the members of the team")
    role.add_argument("--user", required=True, metavar="NAME", help="the user")
    role.add_argument("--team", required=True, action="append", metavar="NAME", help="the team; may be repeated")
    _add_store(role)
    role.set_defaults(run="token_role")
    revoke = token.add_parser("revoke", help="revoke a token")
    revoke.add_argument("id", type=int, metavar="ID", help="its id in the list")
    _add_store(revoke)
    revoke.set_defaults(run="token_revoke")


def _add_backup(commands: Commands) -> None:
    blobs = "storage of content: s3://bucket/prefix, or a folder (default: in that folder)"
    backup = commands.add("backup", "write a backup of a server's store to a folder")
    backup.add_argument("dest", metavar="DEST", help="folder of backups; the next one copies only new content")
    _add_store(backup)
    backup.add_argument("--blobs", metavar="URL", help=blobs)
    backup.add_argument("--json", action="store_true", help="as JSON")
    backup.set_defaults(run="backup")
    restore = commands.add("restore", "restore a backup to an empty place, on SQLite or PostgreSQL")
    restore.add_argument("source", metavar="SRC", help="folder of backups")
    restore.add_argument("--name", metavar="NAME", help="the backup (default: the last one)")
    _add_store(restore)
    restore.add_argument("--blobs", metavar="URL", help=blobs)
    restore.add_argument("--new-id", action="store_true", help="make it a store of its own, beside the original")
    restore.add_argument("--check", action="store_true", help="only verify the backup, by reading all of it")
    restore.add_argument("--json", action="store_true", help="as JSON")
    restore.set_defaults(run="restore")


def _seconds(text: str) -> float:
    """Parse a positive number of seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of seconds")
    return seconds


def _add_store(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", metavar="DIR", help="folder of the server (default: that of the embedded server)")
    command.add_argument("--database", metavar="URL", help="SQLAlchemy URL (default: a SQLite file in that folder)")


def _add_scope(command: argparse.ArgumentParser) -> None:
    scope = command.add_mutually_exclusive_group()
    scope.add_argument("--project", type=int, metavar="N", help="the workflow around a project")
    scope.add_argument("--task", type=int, metavar="N", help="the workflow around a run")
    scope.add_argument("--workspace", type=int, metavar="N", help="the workflow of a workspace (default)")
    scope.add_argument("--file", metavar="PATH", help="the workflow around a team file, by path or number")


def _commands() -> dict[str, Callable[[argparse.Namespace], int]]:
    from autoflow.cli import (
        backup,
        doctor,
        erase,
        files,
        graph,
        models,
        notes,
        outbox,
        page,
        push,
        recover,
        reproduce,
        runs,
        serve,
        token,
        versions,
        watch,
        webhooks,
    )

    return {
        "serve": serve.serve,
        "server_recover": recover.recover,
        "backup": backup.backup,
        "restore": backup.restore,
        "token_create": token.create,
        "token_list": token.list_all,
        "token_leave": token.leave,
        "token_revoke": token.revoke,
        "token_role": token.set_role,
        "graph": graph.show,
        "open": page.show,
        "push": push.push,
        "trace": graph.show_trace,
        "impact": graph.show_impact,
        "runs": runs.search,
        "compare": runs.compare,
        "audit": models.audit,
        "note": notes.note,
        **{f"files_{name}": run for name, run in files.ACTIONS.items()},
        **{f"models_{name}": run for name, run in models.ACTIONS.items()},
        **{f"webhooks_{name}": run for name, run in webhooks.ACTIONS.items()},
        "watch": watch.watch,
        "reproduce": reproduce.reproduce,
        **{f"versions_{name}": run for name, run in versions.ACTIONS.items()},
        "outbox_status": outbox.status,
        "outbox_sync": outbox.sync_all,
        "outbox_retry": outbox.retry,
        "outbox_export": outbox.export,
        "outbox_purge": outbox.purge,
        "doctor": doctor.examine,
        "erase": erase.run,
        "retention": erase.retention,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 success, 1 failure, 2 wrong arguments, 130 interrupted.

    Control characters in its output are escaped, see `autoflow.cli.output`.
    """
    from autoflow.cli.output import escaped

    with escaped():
        return _run(parser(), arguments)


def _join_order(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with ``--sort -FIELD`` as one, because argparse takes the field for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[0] != "watch" and joined[-1] == "--sort" and argument.startswith("-"):
            joined[-1] = f"--sort={argument}"
        else:
            joined.append(argument)
    return joined


def _run(top: argparse.ArgumentParser, arguments: Sequence[str] | None) -> int:
    args = top.parse_args(_join_order(sys.argv[1:] if arguments is None else arguments))
    if args.version:
        print(f"autoflow {VERSION}")
        return 0
    if not hasattr(args, "run"):
        top.print_help()
        return 2
    try:
        code = _commands()[args.run](args)
        sys.stdout.flush()  # raises BrokenPipeError here rather than at exit
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the flush at exit must not fail
        return 0
    except (AutoflowError, OSError, ValueError) as error:
        print(f"autoflow: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("autoflow: interrupted", file=sys.stderr)
        return INTERRUPTED
    return code


if __name__ == "__main__":
    sys.exit(main())

"""Arguments of ``autoflow versions`` and ``autoflow push``."""

from __future__ import annotations

import argparse

from autoflow.cli.parsing import Commands


def add_versions(commands: Commands) -> None:
    """Add ``autoflow versions`` to the commands."""
    actions = commands.add("versions", "versions of projects").add_subparsers(metavar="ACTION", required=True)

    def action(name: str, description: str) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = actions.add_parser(name, help=description)
        command.add_argument("--json", action="store_true", help="as JSON")
        command.set_defaults(run=f"versions_{name}")
        return command

    version = "version:N, N, or project:N#M for its version M"
    create = action("create", "create a version of a project, or of a folder")
    create.add_argument("source", metavar="PROJECT|PATH", help="project:N, N, or the path of a folder")
    create.add_argument("--title", metavar="TEXT", help="title of the version")
    create.add_argument("--description", metavar="TEXT", help="description of the version")
    create.add_argument("--name", metavar="TEXT", help="name of a folder's project (default: the folder's)")
    create.add_argument("--workspace", type=int, metavar="N", help="workspace of a folder's project")
    create.add_argument("--project", type=int, metavar="N", help="project that is updated from the folder")
    create.add_argument(
        "--type", choices=("images", "files"), help="type of a folder's project (default: what its content suggests)"
    )
    create.add_argument("--strict", action="store_true", help="fail if anything of the folder is left out")
    create.add_argument("--skip-bad", action="store_true", help="leave out files that cannot be imported")
    create.add_argument("--by-reference", action="store_true", help="do not copy the folder's files")
    create.add_argument("--rehash", action="store_true", help="read all files of the folder again")
    create.add_argument("--follow-links", action="store_true", help="follow symbolic links in the folder")
    listing = action("list", "list a project's versions")
    listing.add_argument("project", metavar="PROJECT", help="project:N or N")
    show = action("show", "print one version")
    show.add_argument("which", metavar="VERSION", help=version)
    diff = action("diff", "print the differences between two versions")
    diff.add_argument("before", metavar="A", help=version)
    diff.add_argument(
        "after", nargs="?", metavar="B", help="another version of the project (default: its present state)"
    )
    diff.add_argument("--classes", action="store_true", help="count labels and images of each class, before and after")
    restore = action("restore", "restore a version as a new project, or as a folder")
    restore.add_argument("which", metavar="VERSION", help=version)
    restore.add_argument("--name", metavar="TEXT", help='name of the project (default: "NAME, from ver. N")')
    restore.add_argument("--workspace", type=int, metavar="N", help="workspace of the project")
    restore.add_argument("--skip-missed", action="store_true", help="skip images whose content is missing")
    restore.add_argument("--to", metavar="PATH", help="write it to a folder instead")
    restore.add_argument(
        "--format",
        choices=("supervisely", "coco", "yolo", "voc", "files"),
        help="of that folder (default: files for projects of files, else supervisely)",
    )
    restore.add_argument("--strict", action="store_true", help="fail if that format cannot hold all labels")
    restore.add_argument("--dataset", metavar="PATH", help="write items of this dataset only, such as train/cars")
    restore.add_argument("--filter", metavar="PATTERN", help='write items of this path or name only, such as "*.csv"')
    restore.add_argument(
        "--link", action="store_true", help="clone the server's files, or link to them read-only, instead of copying"
    )
    restore.add_argument("--sample", type=int, metavar="N", help="write at most N items, chosen evenly")
    for name, server in (("push", "server to copy it to"), ("pull", "server to copy it from")):
        copy = action(name, f"copy a version {'to' if name == 'push' else 'from'} another autoflow server")
        copy.add_argument("which", metavar="VERSION", help=version)
        copy.add_argument("server", metavar="SERVER", help=f"{server}: a URL, or embedded")
        copy.add_argument("--token", metavar="TOKEN", help="its token (default: that of the environment for it)")
        copy.add_argument("--name", metavar="TEXT", help="name of the new project (default: as at the source)")
        copy.add_argument("--workspace", type=int, metavar="N", help="workspace of the new project")
    delete = action("delete", "delete a version")
    delete.add_argument("which", metavar="VERSION", help=version)
    delete.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    verify = action("verify", "verify versions; exit code 1 if one is damaged")
    verify.add_argument("which", nargs="?", metavar="VERSION", help=f"{version} (default: all)")
    verify.add_argument("--project", type=int, metavar="N", help="versions of a project")
    verify.add_argument(
        "--level",
        type=int,
        choices=(1, 2, 3),
        default=1,
        help="1: rows, 2: also file sizes, 3: also file content (default: 1)",
    )
    collect = action("collect", "remove content that nothing uses")
    collect.add_argument("--yes", action="store_true", help="remove also a large share without confirmation")
    collect.add_argument("--empty-trash", action="store_true", help="empty the trash now, not after 7 days")


def add_push(commands: Commands) -> None:
    """Add ``autoflow push`` to the commands."""
    push = commands.add("push", "copy a whole store to a server: projects with versions, files and runs")
    push.add_argument("server", metavar="SERVER", help="URL of the server")
    push.add_argument("--token", metavar="TOKEN", help="its token (default: that of the environment for it)")
    push.add_argument("--dry-run", action="store_true", help="only count what would be copied")
    push.add_argument("--json", action="store_true", help="as JSON")
    push.set_defaults(run="push")

"""``autoflow backup`` and ``autoflow restore``: a store as a folder, and back."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from autoflow.cli.progress import Progress
from autoflow.cli.serve import folder_of, witness_folder
from autoflow.distribution import install
from autoflow.errors import ServerExtraMissing
from autoflow.graph.render.labels import printable

if TYPE_CHECKING:
    from autoflow.server.location import Location
    from autoflow.server.maintenance.backup.manifest import Manifest

_SHOWN = 10  # missing blobs or problems that are listed


def _locate(args: argparse.Namespace) -> Location:
    try:
        from autoflow.server.location import locate
    except ImportError as error:
        raise ServerExtraMissing(f"`autoflow backup` needs more packages: {install('server')} ({error})") from error
    return locate(folder_of(args.data), args.database, args.blobs, witness_folder())


def backup(args: argparse.Namespace) -> int:
    """Write a backup; exit code 1 if the store lacks content that its rows name."""
    location = _locate(args)
    from autoflow.server.db.engine import Store
    from autoflow.server.maintenance.backup.create import check_is_store, create_backup
    from autoflow.server.maintenance.backup.folder import BackupFolder

    folder = BackupFolder(args.dest)
    check_is_store(location.url)
    store = Store(location.url, witnesses=location.witnesses, remedy=location.remedy)
    try:
        with Progress(quiet=args.json) as progress:
            manifest, copied, copied_bytes = create_backup(store, location.blobs, folder, progress)
    finally:
        store.close()
    if args.json:
        print(json.dumps({**_as_json(manifest), "copied": copied, "copiedBytes": copied_bytes}, indent=2))
        return 1 if manifest.missing else 0
    rows = sum(table["rows"] for table in manifest.tables.values())
    print(
        printable(
            f"backup {manifest.name} in {folder.path}: {rows:,} rows and {manifest.blobs:,} blobs, of which "
            f"{copied:,} ({copied_bytes:,} bytes) were copied now"
        )
    )
    _print_missing(manifest)
    return 1 if manifest.missing else 0


def restore(args: argparse.Namespace) -> int:
    """Restore a backup to an empty place, or only check it; exit code 1 if something is damaged or missing."""
    location = _locate(args)
    from autoflow.server.maintenance.backup.folder import BackupFolder
    from autoflow.server.maintenance.backup.restore import Restore

    folder = BackupFolder(args.source)
    manifest = folder.manifest(args.name)
    if args.check:
        return _check(args, folder.path, manifest)
    with Progress(quiet=args.json) as progress:
        task = Restore(
            folder,
            manifest,
            location.url,
            location.blobs,
            location.witnesses,
            location.remedy,
            progress,
            new_id=args.new_id,
        )
        restored = task.run()
    is_sound = not (restored.problems or manifest.missing)
    if args.json:
        report = {**_as_json(manifest), "written": restored.written, "problems": list(restored.problems)}
        print(json.dumps(report, indent=2))
        return 0 if is_sound else 1
    address = location.url.render_as_string(hide_password=True)
    print(printable(f"backup {manifest.name} was restored to {address} and {location.blobs.address}"))
    _print_missing(manifest)
    for problem in restored.problems[:_SHOWN]:
        print(printable(f"  {problem['problem']}"))
    options = location.remedy.partition("recover")[2]
    print(printable(f"Serve it with `autoflow serve{options}`. Do not serve the original beside it to the same apps."))
    return 0 if is_sound else 1


def _check(args: argparse.Namespace, path: str, manifest: Manifest) -> int:
    from autoflow.server.maintenance.backup.check import check_backup
    from autoflow.server.maintenance.backup.folder import BackupFolder

    with Progress(quiet=args.json) as progress:
        problems = check_backup(BackupFolder(path), manifest, progress)
    if args.json:
        print(json.dumps({**_as_json(manifest), "problems": problems}, indent=2))
        return 1 if problems or manifest.missing else 0
    print(f"backup {manifest.name}: " + (f"{len(problems):,} problems" if problems else "no damage found"))
    for problem in problems[:_SHOWN]:
        print(printable(f"  {problem}"))
    _print_missing(manifest)
    return 1 if problems or manifest.missing else 0


def _print_missing(manifest: Manifest) -> None:
    if not manifest.missing:
        return
    print(f"The store did not have {len(manifest.missing):,} blobs that its rows name:", file=sys.stderr)
    for blob_hash, problem in list(manifest.missing.items())[:_SHOWN]:
        print(f"  {blob_hash}: {problem}", file=sys.stderr)
    print("`autoflow versions verify --level 2` lists the versions that use them.", file=sys.stderr)


def _as_json(manifest: Manifest) -> dict[str, object]:
    return {
        "name": manifest.name,
        "createdAt": manifest.created_at,
        "store": manifest.store,
        "revision": manifest.revision,
        "rows": {name: table["rows"] for name, table in manifest.tables.items()},
        "blobs": manifest.blobs,
        "blobBytes": manifest.blob_bytes,
        "missing": dict(manifest.missing),
    }

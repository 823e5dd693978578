"""``autoflow reproduce``: a recorded run again, on the data it read.

``--run`` executes the recorded command with the rights of whoever asks for it, so it is shown first, and confirmed.

Exit codes: 0 done, with ``--run`` the outputs are equal; 1 they are not; 2 it could not be run.
"""

from __future__ import annotations

import argparse
import json
import sys

from autoflow.cli.progress import Progress
from autoflow.cli.response_fields import ours, server
from autoflow.errors import AutoflowError
from autoflow.graph.render.labels import printable
from autoflow.model.reproduction import ComparisonRow, Reproduction, ReproductionPlan
from autoflow.reproduction.reproduce import ReproduceOptions
from autoflow.reproduction.reproduce import reproduce as run_again

SHORT = 12  # digits of a sha256 that are shown
EQUAL, DIFFERENT, NOT_RUN = 0, 1, 2


def reproduce(given: argparse.Namespace) -> int:
    """Restore, write the lock, say or run what is to be run, and compare."""
    try:
        api = server()
        with ours(api), Progress(quiet=given.json) as progress:
            options = ReproduceOptions(
                run=given.run_it,
                allow_dirty=given.allow_dirty,
                lock=given.lock,
                workdir=given.workdir,
                keep=given.keep,
                python=given.python,
                workspace=given.workspace,
                progress=progress,
                report=_say,
                confirm=lambda plan: _confirm(plan, progress, yes=given.yes),
                interactive=given.yes or sys.stdin.isatty(),
            )
            found = run_again(api, given.ref, options)
    except (AutoflowError, OSError, ValueError) as error:
        print(f"autoflow: {printable(str(error))}", file=sys.stderr)
        return NOT_RUN
    if given.json:
        print(json.dumps(_form(found), ensure_ascii=False, indent=2))
    else:
        _show(found)
    return EQUAL if found.equal in {True, None} else DIFFERENT


def _confirm(plan: ReproductionPlan, progress: Progress, *, yes: bool) -> bool:
    """Show what is about to be executed, and ask unless ``--yes`` has answered; without a terminal the answer is no."""
    progress.close()
    for line in plan.lines():
        print(printable(line), file=sys.stderr)
    if yes:
        return True
    if not sys.stdin.isatty():
        print("There is no terminal to ask at; --yes runs it without asking.", file=sys.stderr, flush=True)
        return False
    print("Run it? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _say(line: str) -> None:
    print(f"autoflow: {printable(line)}", file=sys.stderr, flush=True)


def _form(found: Reproduction) -> dict[str, object]:
    return {
        "ref": found.ref,
        "task": found.task,
        "restored": [{"project": number, "name": name} for number, name in found.restored.items()],
        "lock": found.lock,
        "commands": found.commands,
        "notes": found.notes,
        "tasks": found.tasks,
        "compared": [row._asdict() for row in found.rows],
        "equal": found.equal,
        "kept": found.kept,
    }


def _show(found: Reproduction) -> None:
    print(printable(f"{found.ref} was made by {found.task}"))
    for number, name in found.restored.items():
        print(printable(f"  restored  project:{number}  {name}"))
    for note in found.notes:
        print(printable(f"  note      {note}"))
    print(printable(f"  lock      {found.lock}"))
    if not found.tasks:
        print("\nTo run it by hand:\n")
        for line in found.commands:
            print(printable(line))
        print("\nautoflow reproduce --run does the same, and compares what comes out.")
        return
    print(printable(f"  run       {', '.join(found.tasks)}"))
    if found.kept:
        print(printable(f"  code      {found.kept}"))
    print()
    for line in _table(found.rows):
        print(line)
    print("\n" + _verdict(found))


def _verdict(found: Reproduction) -> str:
    if found.equal:
        return "The outputs are what they were."
    if any(row.recorded for row in found.rows):
        return "The outputs are NOT what they were."
    return "There is nothing to compare: the recorded run wrote no file."


def _table(rows: list[ComparisonRow]) -> list[str]:
    cells = [("", "", "recorded", "reproduced", "")]
    for row in rows:
        was, now = ((digest or "-")[:SHORT] for digest in (row.recorded, row.reproduced))
        cells.append((row.side, printable(row.name), was, now, row.verdict))
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]

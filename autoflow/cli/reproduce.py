"""``autoflow reproduce``: restore the data of a recorded run, and repeat the run.

``--run`` executes the recorded command with the rights of the user, so it is shown and confirmed first.

Exit codes: 0 success, with ``--run`` the outputs are equal; 1 they differ; 2 the run could not be repeated.
"""

from __future__ import annotations

import argparse
import json
import sys

from autoflow.cli.api_access import needs_autoflow_server, open_api
from autoflow.cli.progress import Progress
from autoflow.errors import AutoflowError
from autoflow.graph.render.labels import printable
from autoflow.model.reproduction import (
    DIFFERING,
    NOT_COMPARED,
    NOT_READ,
    ComparisonRow,
    Reproduction,
    ReproductionPlan,
)
from autoflow.reproduction.reproduce import ReproduceOptions
from autoflow.reproduction.reproduce import reproduce as run_again

SHOWN_DIGITS = 12  # of a sha256
EQUAL, DIFFERENT, NOT_RUN = 0, 1, 2


def reproduce(args: argparse.Namespace) -> int:
    """Restore the data, write the lock file, print or run the commands, and compare the outputs."""
    try:
        api = open_api()
        with needs_autoflow_server(api), Progress(quiet=args.json) as progress:
            options = ReproduceOptions(
                run=args.run_it,
                allow_dirty=args.allow_dirty,
                lock=args.lock,
                workdir=args.workdir,
                keep=args.keep,
                python=args.python,
                workspace=args.workspace,
                progress=progress,
                report=_report,
                confirm=lambda plan: _confirm(plan, progress, yes=args.yes),
                interactive=args.yes or sys.stdin.isatty(),
            )
            result = run_again(api, args.ref, options)
    except (AutoflowError, OSError, ValueError) as error:
        print(f"autoflow: {printable(str(error))}", file=sys.stderr)
        return NOT_RUN
    if args.json:
        print(json.dumps(_to_json(result), ensure_ascii=False, indent=2))
    else:
        _print_result(result)
    return EQUAL if result.equal in {True, None} else DIFFERENT


def _confirm(plan: ReproductionPlan, progress: Progress, *, yes: bool) -> bool:
    """Print the plan and ask for confirmation unless ``--yes`` was given; without a terminal it is not confirmed."""
    progress.close()
    for line in plan.lines():
        print(printable(line), file=sys.stderr)
    if yes:
        return True
    if not sys.stdin.isatty():
        print("There is no terminal for a confirmation; --yes runs it without asking.", file=sys.stderr, flush=True)
        return False
    print("Run it? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _report(line: str) -> None:
    print(f"autoflow: {printable(line)}", file=sys.stderr, flush=True)


def _to_json(result: Reproduction) -> dict[str, object]:
    return {
        "ref": result.ref,
        "task": result.task,
        "restored": [{"project": project_id, "name": name} for project_id, name in result.restored.items()],
        "lock": result.lock,
        "commands": result.commands,
        "notes": result.notes,
        "tasks": result.tasks,
        "compared": [row._asdict() for row in result.rows],
        "equal": result.equal,
        "kept": result.worktree,
    }


def _print_result(result: Reproduction) -> None:
    print(printable(f"{result.ref} was produced by {result.task}"))
    for project_id, name in result.restored.items():
        print(printable(f"  restored  project:{project_id}  {name}"))
    for note in result.notes:
        print(printable(f"  note      {note}"))
    print(printable(f"  lock      {result.lock}"))
    if not result.tasks:
        print("\nTo run it by hand:\n")
        for line in result.commands:
            print(printable(line))
        print("\nautoflow reproduce --run runs them and compares the outputs.")
        return
    print(printable(f"  run       {', '.join(result.tasks)}"))
    if result.worktree:
        print(printable(f"  code      {result.worktree}"))
    print()
    for line in _table(result.rows):
        print(line)
    print("\n" + _verdict(result))


def _verdict(result: Reproduction) -> str:
    outputs = [row for row in result.rows if row.side == "output"]
    not_compared = ", ".join(printable(row.name) for row in outputs if row.verdict == NOT_COMPARED)
    if all(row.verdict == NOT_COMPARED for row in outputs):
        return f"Nothing could be compared{f': {not_compared}' if outputs else ': the recorded run wrote nothing'}."
    if any(row.verdict in DIFFERING for row in outputs):
        return "The outputs DIFFER from the recorded ones."
    if any(row.requested and row.verdict == NOT_COMPARED for row in outputs):
        return f"{printable(result.ref)} itself could not be compared; the other outputs are equal."
    equal = "The outputs are equal to the recorded ones"
    equal += f", except for what could not be compared: {not_compared}." if not_compared else "."
    changed = ", ".join(printable(row.name) for row in result.rows if row.side == "input" and row.verdict in DIFFERING)
    if changed:
        return f"{equal} But an input was READ WITH OTHER CONTENT: {changed}."
    not_read = ", ".join(printable(row.name) for row in result.rows if row.verdict == NOT_READ)
    return f"{equal} But a restored input was NOT READ: {not_read}." if not_read else equal


def _table(rows: list[ComparisonRow]) -> list[str]:
    cells = [("", "", "recorded", "reproduced", "")]
    for row in rows:
        was, now = ((digest or "-")[:SHOWN_DIGITS] for digest in (row.recorded, row.reproduced))
        cells.append((row.side, printable(row.name), was, now, row.verdict))
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]

"""``autoflow reproduce``: restore the data of a recorded run, and repeat the run.

``--run`` executes the recorded command with the rights of the user, so it is shown and confirmed first.

Exit codes: 0 success, with ``--run`` the outputs are equal; 1 they differ, or other data or code was used; 2 the run
could not be repeated.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator

from autoflow.cli.api_access import needs_autoflow_server, open_api
from autoflow.cli.progress import Progress
from autoflow.errors import AutoflowError
from autoflow.graph.render.labels import printable
from autoflow.model.reproduction import (
    CODE,
    DIFFERENT,
    DIFFERING,
    INPUT,
    NOT_COMPARED,
    NOT_READ,
    OUTPUT,
    ComparisonRow,
    Reproduction,
    ReproductionPlan,
)
from autoflow.reproduction.chain import reproduce_chain
from autoflow.reproduction.job import ReproduceOptions
from autoflow.reproduction.lock import outcome
from autoflow.reproduction.reproduce import reproduce as run_again

SHOWN_DIGITS = 12  # of a sha256
EXIT_EQUAL, EXIT_DIFFERENT, EXIT_NOT_RUN = 0, 1, 2


def reproduce(args: argparse.Namespace) -> int:
    """Restore the data, write the lock file, print or run the commands, and compare the outputs."""
    try:
        _check_options(args)
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
                twice=args.twice,
                publish=args.publish,
                discard=args.discard,
                timeout=args.timeout,
                no_env=args.no_env,
            )
            result = (reproduce_chain if args.chain else run_again)(api, args.ref, options)
    except (AutoflowError, OSError, ValueError) as error:
        print(f"autoflow: {printable(str(error))}", file=sys.stderr)
        return EXIT_NOT_RUN
    if args.json:
        print(json.dumps(_to_json(result), ensure_ascii=False, indent=2))
    else:
        _print_result(result)
    return EXIT_EQUAL if result.equal in {True, None} else EXIT_DIFFERENT


def _check_options(args: argparse.Namespace) -> None:
    """Check that no option is without effect.

    Raises:
        ValueError: one is.
    """
    of_a_run = [f"--{name}" for name in ("twice", "publish", "discard", "timeout") if getattr(args, name)]
    if of_a_run and not args.run_it:
        raise ValueError(f"{', '.join(of_a_run)} needs --run: without it the data is restored, and nothing is run")


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
    stages = {"stages": [_to_json(stage) for stage in result.stages]} if result.stages else {}
    return {
        **stages,
        "ref": result.ref,
        "task": result.task,
        "restored": [{"project": project_id, "name": name} for project_id, name in result.restored.items()],
        "lock": result.lock,
        "commands": result.commands,
        "notes": result.notes,
        **outcome(result),
        "kept": result.worktree,
    }


def _print_result(result: Reproduction) -> None:
    for stage in result.stages:
        _print_result(stage)
        print()
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
    print()
    for line in _verdict(result):
        print(line)


def _verdict(result: Reproduction) -> Iterator[str]:
    """Yield the verdicts on the outputs, the inputs and the code, and what may explain a difference."""
    yield _output_line(result)
    inputs = [row for row in result.rows if row.side == INPUT]
    for words, verdicts in (
        ("READ WITH OTHER CONTENT", DIFFERING),
        ("NOT READ", {NOT_READ}),
        ("not compared", {NOT_COMPARED}),
    ):
        if names := _names(row for row in inputs if row.verdict in verdicts):
            yield f"Inputs {words}: {names}."
    if names := _names(row for row in result.rows if row.side == CODE):
        yield f"OTHER CODE ran: {names}."
    if result.outputs == DIFFERENT:
        yield from _explanation(result)
    if result.deterministic is not None:
        what = "the same" if result.deterministic else "something else: it is NOT DETERMINISTIC"
        yield f"A second run of the command here wrote {what}."


def _output_line(result: Reproduction) -> str:
    outputs = [row for row in result.rows if row.side == OUTPUT]
    not_compared = _names(row for row in outputs if row.verdict == NOT_COMPARED)
    if all(row.verdict == NOT_COMPARED for row in outputs):
        return f"Nothing could be compared{f': {not_compared}' if outputs else ': the recorded run wrote nothing'}."
    beside = f" Not compared: {not_compared}." if not_compared else ""
    if any(row.verdict in DIFFERING for row in outputs):
        return f"The outputs DIFFER from the recorded ones.{beside}"
    if any(row.requested and row.verdict == NOT_COMPARED for row in outputs):
        return f"{printable(result.ref)} itself could not be compared; the other outputs are equal.{beside}"
    return f"The outputs are equal to the recorded ones.{beside}"


def _explanation(result: Reproduction) -> Iterator[str]:
    for cause in result.causes:
        yield f"  {cause.kind:<12}{printable(cause.details)}"
    if not result.causes:
        yield "  Data, code, environment, seed and hardware are as recorded, as far as they were recorded."
    if result.restored:
        yield "  Images of restored projects have other ids than then: a command that names or writes ids differs."
    if result.deterministic is None:
        yield "  --twice runs it a second time, which shows whether it is deterministic."


def _names(rows: Iterable[ComparisonRow]) -> str:
    return ", ".join(printable(row.name) for row in rows)


def _table(rows: list[ComparisonRow]) -> list[str]:
    cells = [("", "", "recorded", "reproduced", "")]
    for row in rows:
        was, now = ((digest or "-")[:SHOWN_DIGITS] for digest in (row.recorded, row.reproduced))
        cells.append((row.side, printable(row.name), was, now, row.verdict))
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]

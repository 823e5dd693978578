"""One execution of a recorded command, and the comparison of what it recorded with the recorded run."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from autoflow.api.protocols import DataApi
from autoflow.errors import NotReproducible
from autoflow.model.graph_json import DataJson
from autoflow.model.reproduction import EQUAL, NOT_COMPARED, ComparisonRow, output_verdict
from autoflow.reproduction import running
from autoflow.reproduction.code import cells_path
from autoflow.reproduction.comparison import (
    FILES,
    compare_files_read,
    compare_inputs,
    compare_outputs,
    expand_folders,
    mark_requested,
)
from autoflow.reproduction.explanation import compare_code
from autoflow.reproduction.interpreter import Interpreter
from autoflow.reproduction.job import Job
from autoflow.reproduction.pairing import counterpart
from autoflow.reproduction.recorded_run import RecordedRun, run_from_trace
from autoflow.reproduction.substitution import Command
from autoflow.runtime.delivery import deliver_folder, deliver_waiting
from autoflow.runtime.destination import token_for
from autoflow.transport.typed import call
from autoflow.wire.contract.lineage import FILES_WRITTEN, REPRODUCTIONS, FilesWrittenRequest, ReproductionsRequest
from autoflow.wire.methods import FILE_LIST


class Attempt(NamedTuple):
    """One execution of the command: the runs that it recorded, and that of them which repeats the recorded one."""

    runs: Sequence[RecordedRun]
    run: RecordedRun


def run_command(job: Job, command: Command, python: Interpreter, tree: str) -> Attempt:
    """Run the command in a working tree; return what it recorded."""
    api, run, credentials = job.api, job.run, job.credentials
    attempt_id = running.new_attempt_id()
    variables = {"AUTOFLOW_SERVER": api.records.address, "AUTOFLOW_REPRODUCES": f"{run.ref} {attempt_id}"}
    if credentials is not None:
        variables.update(credentials.environment())
    environment = running.build_environment(run, command, python, tree, variables)
    folder = running.working_folder(run, tree)
    line = running.command_line(run, command, python, tree, os.path.abspath(cells_path(job.options.lock)))
    job.options.report(f"running {shlex.join(line)} in {folder}")
    code = running.execute(line, folder, environment, attempt_id, job.options.timeout)
    # the user's token is never passed on: a server that requires one, and issues none, rejects the command's records
    without_token = credentials is None and token_for(api.records.origin)
    hint = "; it was started without a token, which this server may require" if without_token else ""
    if code and run.state == "finished":
        raise NotReproducible(f"the command exited with code {code}, but the recorded run finished{hint}")
    if credentials is not None:
        deliver_folder(credentials.home, api.records, credentials.token)
    else:
        deliver_waiting(api.records)
    runs = _runs_of_attempt(api, attempt_id)
    if not runs:
        raise NotReproducible(f"the command succeeded but recorded no run{hint}")
    return Attempt(runs, counterpart(run, runs))


def compare(job: Job, attempt: Attempt, projects: dict[int, str], tree: str) -> list[ComparisonRow]:
    """Compare the outputs, inputs and code of a run with those of the recorded one."""
    run, repeated = job.run, attempt.run
    rows = compare_outputs(_outputs(job, run), _written(job, repeated), projects)
    rows = mark_requested(rows, job.requested)
    rows += compare_inputs(projects, repeated.inputs) + compare_files_read(run.inputs, repeated.inputs)
    return rows + compare_code(run.facts, repeated.facts, tree)


def is_deterministic(job: Job, first: RecordedRun, second: RecordedRun, projects: dict[int, str]) -> bool | None:
    """Return whether two runs of the command wrote the same; None if nothing could be compared."""
    verdict = output_verdict(compare_outputs(_written(job, first), _written(job, second), projects))
    return None if verdict == NOT_COMPARED else verdict == EQUAL


def _outputs(job: Job, run: RecordedRun) -> list[DataJson]:
    """Return the outputs of a run, with the files of folders."""
    task_id = int(run.ref.partition(":")[2])
    request = partial(FilesWrittenRequest, task=task_id)
    return expand_folders(run.outputs, lambda folder: call(job.api.transport, FILES_WRITTEN, request(folder=folder)))


def _written(job: Job, run: RecordedRun) -> list[DataJson]:
    """Return the outputs of a reproduction, with the paths that its command asked for."""
    outputs = _outputs(job, run)
    start = (job.namespace or "") + "/"
    for output in outputs:
        path = output.get("path")
        if len(start) > 1 and path is not None and path.startswith(start):
            output["path"] = path[len(start) - 1 :]
            if output["ref"] == path:
                output["ref"] = output["path"]
    return outputs


def written_files(job: Job, run: RecordedRun) -> dict[str, int]:
    """Return the ids of the files that a reproduction wrote, by the paths that its command asked for."""
    files: dict[str, int] = {}
    in_folders: set[str] = set()
    for output in _written(job, run):
        path = output.get("path")
        if path is None or output["type"] not in FILES or output["origin"]:
            continue
        if output["ref"] == path:  # a file of a folder, which has no id here
            in_folders.add(path)
        else:
            files[path] = int(output["id"])
    for folder in (output for output in run.outputs if output["type"] == "folder" and not output["origin"]):
        listing = job.api.transport.call(FILE_LIST, {"teamId": run.team, "path": str(folder["id"])})
        for entry in listing:
            path = str(entry["path"]).removeprefix(job.namespace or "")
            if path in in_folders:
                files[path] = entry["id"]
    return files


def _runs_of_attempt(api: DataApi, attempt: str) -> Sequence[RecordedRun]:
    task_ids = call(api.transport, REPRODUCTIONS, ReproductionsRequest(attempt=attempt))["tasks"]
    traces = [api.trace(f"task:{task_id}") for task_id in task_ids]
    return [run_from_trace(trace, trace.graph.entry) for trace in traces if trace.graph.entry is not None]

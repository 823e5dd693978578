"""`autoflow trace` and `autoflow reproduce`, from a recorded run to equal outputs."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from autoflow import Api
from autoflow.runtime import destination
from autoflow.server.server import Server
from tests.cli.repository import Repository, git
from tests.serving import served

MODEL = "/models/lemons/model.json"


def picture(colour):
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (4, 3), colour).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def api(request, monkeypatch, tmp_path):
    """A server, embedded or over HTTP, with a project of two images."""
    monkeypatch.chdir(tmp_path)
    with contextlib.ExitStack() as stack:
        address = "embedded"
        if getattr(request, "param", "") == "served":
            server = Server.open(tmp_path / "served")
            stack.callback(server.close)
            address = stack.enter_context(served(server))
        monkeypatch.setenv("AUTOFLOW_SERVER", address)
        yield from lemons()


def lemons():
    destination.reset()
    api = Api()
    project = api.project.create(1, "lemons")
    dataset = api.dataset.create(project.id, "ds")
    for name, colour in (("a.png", (1, 2, 3)), ("b.png", (4, 5, 6))):
        add(api, dataset.id, name, colour)
    yield api
    api.transport.close()


def add(api, dataset, name, colour):
    path = Path(name)
    path.write_bytes(picture(colour))
    api.image.upload_paths(dataset, [name], [str(path)])


@pytest.fixture
def repo(tmp_path):
    return Repository(tmp_path / "repo")


def projects(api):
    return [entry.name for entry in api.project.get_list(1)]


@pytest.mark.parametrize("api", ["embedded", "served"], indirect=True)
def test_a_model_is_reproduced_from_its_data(api, repo, command, tmp_path):
    """Although project and code have changed since, version and commit give the same outputs."""
    repo.run("--project-id", "1")
    add(api, 1, "c.png", (7, 8, 9))
    (repo.folder / "train.py").write_text("raise SystemExit('newer code')")
    code, output, errors = command("reproduce", MODEL, "--run", "--yes")
    assert code == 0, errors
    assert projects(api) == ["lemons", "lemons, from ver. 1"]
    assert "same" in output
    assert "read" in output
    assert "The outputs are equal to the recorded ones." in output
    assert git(repo.folder, "worktree", "list").count("\n") == 0
    lock = json.loads(Path("autoflow.lock").read_text())
    assert lock["task"] == "task:1"
    assert lock["code"]["commit"] == git(repo.folder, "rev-parse", "HEAD")
    assert lock["command"][1:] == ["train.py", "--project-id", "1"]
    assert lock["again"]["command"][1:] == ["train.py", "--project-id", "2"]
    assert lock["parameters"]["project_id"] == 1
    assert lock["again"]["parameters"]["project_id"] == 2
    (read,) = lock["inputs"]
    assert read["restored"] == {"project": 2, "name": "lemons, from ver. 1"}
    assert lock["outputs"][0]["sha256"] == lock["reproduction"]["compared"][0]["reproduced"]
    assert lock["machine"]["packages"]["wrapt"]
    assert "wrapt==" in Path("autoflow.lock.requirements.txt").read_text()
    assert lock["reproduction"]["equal"]


def test_the_reproduction_is_a_separate_run(api, repo, command):
    """It refers to the repeated run, also if this process is part of another run."""
    repo.run("--project-id", "1")
    os.environ["TASK_ID"] = "77"
    try:
        code, output, _ = command("reproduce", "task:1", "--run", "--yes", "--json")
    finally:
        del os.environ["TASK_ID"]
    result = json.loads(output)
    assert (code, result["equal"], result["tasks"]) == (0, True, ["task:2"])
    assert api.trace("task:2").runs["task:2"]["facts"]["reproduces"] == "task:1"
    assert api.transport.call("autoflow.reproductions", {"task": 1}) == {"tasks": [2]}


def test_data_that_no_argument_names_is_restored_too(api, repo, command):
    """The server answers the command with the restored project and keeps apart what it writes."""
    repo.run()  # the project is the default, so no argument names it
    recorded = api.file.get_info_by_path(1, MODEL)
    add(api, 1, "c.png", (7, 8, 9))
    code, output, errors = command("reproduce", MODEL, "--run", "--yes")
    assert code == 0, output + errors
    assert "for the command, version:1 is project 2 (lemons, from ver. 1)" in errors
    assert api.file.get_info_by_path(1, MODEL).id == recorded.id
    assert api.file.get_info_by_path(1, f"/reproduced/task-1{MODEL}").hash == recorded.hash
    code, output, errors = command("reproduce", MODEL, "--run", "--yes", "--publish", "--discard")
    assert code == 0, output + errors
    assert api.file.get_info_by_path(1, MODEL).id > recorded.id
    assert projects(api) == ["lemons", "lemons, from ver. 1"]  # that of the second reproduction is gone


def test_uncommitted_changes_and_imported_files_are_restored(api, repo, command):
    """The working tree has the changes of the script and a module that git ignores, whatever the folder has now."""
    script = repo.folder / "train.py"
    committed = script.read_text()
    changed = committed.replace("content = [", "content = [local_settings.RATE, ")
    script.write_text("import local_settings\n" + changed)
    (repo.folder / ".gitignore").write_text("local_settings.py\n__pycache__\n")
    (repo.folder / "local_settings.py").write_text("RATE = 3\n")
    repo.run("--project-id", "1")
    _, output, _ = command("trace", MODEL)
    assert "dirty, 2 files outside of git, recorded" in output or "dirty, 1 file outside of git, recorded" in output
    script.write_text(committed)
    (repo.folder / "local_settings.py").write_text("RATE = 4\n")
    code, output, errors = command("reproduce", MODEL, "--run", "--yes")
    assert code == 0, output + errors
    assert "the recorded changes of" in errors
    assert "local_settings.py" in errors


def test_changes_that_are_not_recorded_are_an_error(api, repo, command):
    """It is an error before anything is restored; `--allow-dirty` runs the commit without the changes."""
    script = repo.folder / "train.py"
    script.write_text(script.read_text() + "# password = 'hunter2-Xk93jfa0'\n")
    repo.run("--project-id", "1")
    code, output, errors = command("reproduce", MODEL, "--run", "--yes")
    assert (code, output) == (2, "")
    assert "--allow-dirty" in errors
    assert projects(api) == ["lemons"]
    code, output, errors = command("reproduce", MODEL, "--run", "--yes", "--allow-dirty")
    assert code == 0, output + errors


def test_a_deleted_folder_without_a_remote_is_restored(api, repo, command):
    """The files of its commit were recorded, without one that looks like a secret; the printed commands work, too."""
    (repo.folder / ".env").write_text("KEY=x\n")
    repo.commit("second")
    commit = git(repo.folder, "rev-parse", "HEAD")
    repo.run("--project-id", "1")
    shutil.rmtree(repo.folder)
    code, output, errors = command("reproduce", MODEL, "--run", "--yes")
    assert code == 0, output + errors
    assert "not restored: .env, which looks like a secret" in output
    _, output, _ = command("reproduce", MODEL, "--workdir", "code")
    script = "\n".join(line for line in output.splitlines() if line.startswith(("git ", "echo ")))
    subprocess.run(["sh", "-e", "-c", script], check=True, capture_output=True)
    assert git("code", "rev-parse", "HEAD") == commit
    assert sorted(os.listdir("code")) == [".git", "train.py"]


def test_code_outside_of_a_repository(api, tmp_path, command):
    """The commands are printed, and the data is restored."""
    folder = tmp_path / "plain"
    repo = Repository(folder)
    git_folder = folder / ".git"
    git_folder.rename(tmp_path / "gone")
    repo.run("--project-id", "1")
    assert command("reproduce", MODEL, "--run", "--yes")[0] == 2
    code, output, _ = command("reproduce", MODEL)
    assert code == 0
    assert "--project-id 2" in output


def test_a_failing_command(api, repo, command, tmp_path):
    """The exit code is 2, the working tree is removed, the restored project and what may be the reason are named."""
    script = repo.folder / "train.py"
    broken = tmp_path / "broken"
    app = script.read_text().replace('workflow("Train", ', 'workflow("Train", environment=["DB_PASSWORD"], ')
    script.write_text(f"import os\nif os.path.exists({str(broken)!r}):\n    raise SystemExit(3)\n" + app)
    repo.commit("fails when result")
    repo.run("--project-id", "1", DB_PASSWORD="hunter2")
    broken.touch()
    code, _, errors = command("reproduce", MODEL, "--run", "--yes")
    assert code == 2
    assert "exited with code 3" in errors
    assert "the recorded variable 'DB_PASSWORD' is not set again" in errors
    assert "lemons, from ver. 1" in errors
    assert git(repo.folder, "worktree", "list").count("\n") == 0


def test_without_run_the_commands_are_printed(api, repo, command):
    """They can be pasted into a shell."""
    repo.run("--project-id", "1")
    code, output, _ = command("reproduce", MODEL)
    assert code == 0
    commit = git(repo.folder, "rev-parse", "HEAD")
    assert "worktree add --detach" in output
    assert commit in output
    assert "-m venv" in output
    assert "pip install -r" in output
    assert "train.py --project-id 2" in output
    assert projects(api) == ["lemons", "lemons, from ver. 1"]


def test_overwritten_input_weights_are_restored(api, repo, command):
    """A file that was overwritten since is restored at a new path."""
    repo.run("--project-id", "1")
    repo.run("--project-id", "1", "--weights", MODEL)  # writes that path again
    code, output, _ = command("reproduce", "task:2", "--run", "--yes")
    assert code == 0, output
    lock = json.loads(Path("autoflow.lock").read_text())
    assert lock["again"]["command"][-1].startswith("/reproduced/task-2/")


def test_the_working_tree_is_kept_on_request(api, repo, command, tmp_path):
    """A folder that is not empty is an error."""
    repo.run("--project-id", "1")
    assert command("reproduce", MODEL, "--run", "--yes", "--keep", "--workdir", str(tmp_path / "w"))[0] == 0
    assert (tmp_path / "w" / "train.py").exists()
    code, _, errors = command("reproduce", MODEL, "--run", "--yes", "--workdir", str(tmp_path / "w"))
    assert code == 2
    assert "is not empty" in errors


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("project:1", "no recorded run produced project:1"),
        ("file:99", "file 99 is unknown"),
        ("nonsense", "is not a reference"),
        ("/none", "/none is unknown"),
    ],
)
def test_references_that_cannot_be_reproduced(api, command, ref, message):
    """Exit code 2, as 1 means a difference: without a producing run, an unknown or an invalid reference."""
    code, output, errors = command("reproduce", ref)
    assert (code, output) == (2, "")
    assert message in errors


def test_a_trace_as_a_tree(api, repo, command):
    """It has the model, the run with command and commit, the version and its project."""
    repo.run("--project-id", "1")
    code, output, _ = command("trace", MODEL)
    assert code == 0
    lines = [line for line in output.splitlines() if "  with " not in line]  # variables of the machine
    assert lines[0].startswith(MODEL)
    assert "Train" in lines[1]
    assert "finished" in lines[1]
    assert "train.py --project-id 1" in lines[2]
    assert git(repo.folder, "rev-parse", "HEAD")[:12] in lines[3]
    assert "dirty" not in lines[3]
    assert 'version 1 of project:1 "Train"' in lines[4]
    assert lines[5].strip().endswith("project:1  project")


def test_a_trace_in_all_formats(api, repo, command):
    """JSON has the complete trace, other formats its graph."""
    repo.run("--project-id", "1")
    result = json.loads(command("trace", MODEL, "--json")[1])
    assert set(result) == {"ref", "complete", "runs", "data", "graph"}
    assert result == json.loads(command("trace", MODEL, "--format", "json")[1])
    assert "flowchart" in command("trace", MODEL, "--format", "mermaid")[1]
    assert "digraph" in command("trace", MODEL, "--format", "dot")[1]
    assert command("trace", MODEL, "--format", "svg")[1].startswith("<svg")
    assert "<html" in command("trace", MODEL, "--format", "html")[1]


def test_trace_of_an_instance(command, monkeypatch, instance):
    """The message has a remedy."""
    monkeypatch.setenv("AUTOFLOW_SERVER", instance.address)
    code, _, errors = command("trace", "task:1")
    assert code == 1
    assert "is a Supervisely instance" in errors


SWEEP_APP = """
import pathlib
import random
import sys

from autoflow import flush, workflow

for rate in ("low", "high"):
    with workflow("Train", parameters={"rate": rate}) as run:
        pathlib.Path("model.bin").write_text(rate if "fixed" in sys.argv else f"{rate} {random.random()}")
        run.output("file", "model.bin")
        flush(30)
"""


def test_a_sweep_is_compared_run_by_run(api, tmp_path, command):
    """The second run of a command with the second one; a second reproduction shows that it is not deterministic."""
    repo = Repository(tmp_path / "repo", SWEEP_APP)
    repo.run("fixed")
    code, output, errors = command("reproduce", "task:2", "--run", "--yes", "--json")
    assert (code, json.loads(output)["outputs"]) == (0, "equal"), output + errors
    repo.run()
    code, output, _ = command("reproduce", "task:5", "--run", "--yes", "--twice")
    assert code == 1
    assert "different" in output
    assert "The outputs DIFFER from the recorded ones." in output
    assert "A second run of the command here wrote something else: it is NOT DETERMINISTIC." in output


FOLDER_APP = '''
import os
import tempfile

from autoflow import Api, versioned, workflow, workflow_input, workflow_output

api = Api.from_env()


@versioned(title="Train")
@workflow_input("project")
def load(project_id):
    """Return the number of datasets."""
    return len(api.dataset.get_list(project_id))


@workflow_output("file", model_weight=True)
def upload(local, path):
    """Upload a file as an output of its own."""
    return api.file.upload(1, local, path)


@workflow_output("folder")
def save(path, contents):
    """Upload files to a folder, which is the output."""
    for name, content in contents.items():
        with tempfile.NamedTemporaryFile("w", suffix=".pt") as file:
            file.write(content)
            file.flush()
            api.file.upload(1, file.name, f"{path}/{name}")
    return path


with workflow("Train"):
    data = str(load(int(os.environ.get("PROJECT", "1"))))
    noise = os.environ.get("NOISE_PATH", "")
    extra = {"extra.pt": ""} if os.environ.get("EXTRA_PATH") else {}
    save("/runs/lemons", {"best.pt": data + noise, "last.pt": data, **extra})
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(data)
        file.flush()
        upload(file.name, "/models/summary.json")
'''


@pytest.fixture
def folder_repo(tmp_path):
    return Repository(tmp_path / "repo", FOLDER_APP)


def test_a_folder_is_compared_file_by_file(api, folder_repo, command):
    """Each file has a line of its own, and equal files are an equal folder."""
    folder_repo.run()
    code, output, errors = command("reproduce", "/runs/lemons", "--run", "--yes")
    lines = [line.split() for line in output.splitlines()]
    verdicts = {line[1]: line[-1] for line in lines if line[:1] == ["output"]}
    assert verdicts == {
        "/runs/lemons/best.pt": "same",
        "/runs/lemons/last.pt": "same",
        "/models/summary.json": "same",
    }, errors
    assert "The outputs are equal to the recorded ones.\n" in output
    assert code == 0


def test_each_file_of_a_folder_counts(api, folder_repo, command):
    """One that differs or was not written again is a difference, although the file that was asked for is equal."""
    folder_repo.run(NOISE_PATH="once", EXTRA_PATH="1")
    code, output, _ = command("reproduce", "/models/summary.json", "--run", "--yes")
    assert code == 1
    assert "The outputs DIFFER from the recorded ones." in output
    lines = [line.split() for line in output.splitlines()]
    verdicts = {line[1]: line[-1] for line in lines if line[:1] == ["output"]}
    assert verdicts == {
        "/runs/lemons/best.pt": "different",
        "/runs/lemons/last.pt": "same",
        "/runs/lemons/extra.pt": "missing",
        "/models/summary.json": "same",
    }


def test_files_of_other_runs_in_the_folder_are_not_compared(api, folder_repo, command):
    """Only what was uploaded while the run was open is its output."""
    Path("old.pt").write_text("older")
    api.file.upload(1, "old.pt", "/runs/lemons/old.pt")
    folder_repo.run()
    api.file.upload(1, "old.pt", "/runs/lemons/new.pt")
    _, output, _ = command("reproduce", "task:1", "--run", "--yes")
    assert "old.pt" not in output
    assert "new.pt" not in output
    assert "/runs/lemons/best.pt" in output


STAGES_APP = '''
import sys
import tempfile

from autoflow import Api, workflow

api = Api.from_env()
_, source, target = sys.argv[:3]


def write(path, text):
    """Upload a text."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(text)
        file.flush()
        return api.file.upload(1, file.name, path)


with workflow("Stage") as run:
    with tempfile.NamedTemporaryFile() as file:
        api.file.download(1, source, file.name)
        text = file.read().decode()
    run.input("file", source)
    run.output("file", write(target, text + target))
'''


def test_a_chain_is_repeated_from_its_data(api, tmp_path, command):
    """Each stage reads what the stage before it wrote, not what is at the path now."""
    repo = Repository(tmp_path / "repo", STAGES_APP)
    Path("raw").write_text("raw")
    api.file.upload(1, "raw", "/raw")
    repo.run("/raw", "/clean")
    repo.run("/clean", "/model")
    for path in ("/raw", "/clean"):
        Path("raw").write_text("changed")
        api.file.upload(1, "raw", path)
    code, output, errors = command("reproduce", "/model", "--run", "--yes", "--chain", "--json")
    assert code == 0, output + errors
    result = json.loads(output)
    assert [stage["task"] for stage in result["stages"]] == ["task:1"]
    (read,) = (row for row in result["compared"] if row["side"] == "input")
    assert (read["verdict"], read["ref"]) == ("read", result["stages"][0]["compared"][0]["ref"])

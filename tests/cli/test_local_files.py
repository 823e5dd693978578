"""`autoflow trace`, `reproduce` and `graph` of local files."""

from __future__ import annotations

import hashlib
import json

import pytest

from autoflow import Api, flush, workflow
from autoflow.runtime import destination
from tests.cli.repository import Repository


@pytest.fixture
def api(monkeypatch, tmp_path):
    """The embedded server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    destination.reset()
    api = Api()
    yield api
    api.transport.close()


LOCAL_APP = '''
from pathlib import Path

from autoflow import flush, workflow, workflow_input, workflow_output


@workflow_input("file")
def read(path):
    """Return a text."""
    return Path(path).read_text()


@workflow_output("file", value="path")
def write(path, text):
    """Write a text."""
    Path(path).write_text(text)


with workflow("Sort"):
    write("sorted.txt", "".join(sorted(read("DATA"))))
    flush(30)
'''


def test_local_files_are_inputs_and_outputs(api, tmp_path, command):
    """A file by its path and content: traced by its path, compared when the run is repeated."""
    data = tmp_path / "data.txt"
    data.write_text("cab")
    repo = Repository(tmp_path / "local", LOCAL_APP.replace("DATA", str(data)))
    repo.run()
    output_file = repo.folder / "sorted.txt"
    trace = json.loads(command("trace", str(output_file), "--json")[1])
    local = {entry["path"]: entry for entry in trace["data"].values()}
    assert local[str(data)]["sha256"] == hashlib.sha256(b"cab").hexdigest()
    assert local[str(output_file)]["size"] == 3
    code, output, errors = command("reproduce", str(output_file), "--run", "--yes")
    assert code == 0, output + errors
    data.write_text("cbaa")
    code, output, _ = command("reproduce", str(output_file), "--run", "--yes")
    assert code == 1
    data.write_text("abc")  # the same output from another input
    code, output, _ = command("reproduce", str(output_file), "--run", "--yes")
    assert code == 1
    assert "READ WITH OTHER CONTENT" in output


def test_a_file_that_one_run_wrote_and_another_read_is_one_card(api, tmp_path, command):
    """A file that changed in between is two."""
    data = tmp_path / "data.txt"
    for text in ("b", "c"):
        with workflow("Write") as run:
            data.write_text(text)
            run.output("file", str(data))
        flush(10)
    with workflow("Read") as run:
        run.input("file", data)
    flush(10)
    graph = api.graph()
    files = [card for card in graph.cards if card.type == "file"]
    assert [card.name for card in files] == ["data.txt", "data.txt"]
    assert sorted(sum(file.key in (arrow.source, arrow.target) for arrow in graph.arrows) for file in files) == [1, 2]

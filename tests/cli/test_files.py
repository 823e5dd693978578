"""``autoflow files``: the files that a path has had, on the embedded server."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

import autoflow
from autoflow import Api


@pytest.fixture
def api(monkeypatch, tmp_path):
    """An `Api` of an embedded server with three files at a path, the second one written by a run."""
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    monkeypatch.chdir(tmp_path)
    api = Api()
    source = tmp_path / "source"
    for weights in ("first", "second", "third"):
        source.write_text(weights)
        api.file.upload(1, str(source), "/models/best.pt")
        if weights == "second":
            with autoflow.workflow("Train") as run:
                run.output("file", "/models/best.pt")
            assert autoflow.flush()
    return api


def test_a_path_has_a_history_and_each_of_its_files_can_be_had(api, command, tmp_path):
    """By number, by the beginning of its SHA-256, or by ``file:N``; a file on disk is never replaced."""
    _, text, _ = command("files", "history", "/models/best.pt")
    lines = text.splitlines()
    assert re.match(r"V3  file:\d+  .*  5 bytes  sha256:[0-9a-f]{12}  by \S+  current$", lines[0])
    assert re.match(r"V2  .*  written by task:1$", lines[1])
    entries = json.loads(command("files", "history", "/models/best.pt", "--json")[1])
    assert [entry["number"] for entry in entries] == [3, 2, 1]

    code, text, _ = command("files", "get", "/models/best.pt", "--version", "1")
    assert (code, text) == (0, f"V1 of /models/best.pt (file:{entries[2]['id']}) was written to best.pt\n")
    assert (tmp_path / "best.pt").read_text() == "first"
    code, _, errors = command("files", "get", "/models/best.pt")
    assert (code, "'best.pt' exists" in errors) == (1, True)
    (tmp_path / "out").mkdir()
    digest = hashlib.sha256(b"second").hexdigest()
    command("files", "get", "/models/best.pt", "--sha256", digest[:8], "--to", "out")
    assert (tmp_path / "out" / "best.pt").read_text() == "second"
    command("files", "get", f"file:{entries[0]['id']}", "--to", "third")
    assert (tmp_path / "third").read_text() == "third"


def test_a_file_that_a_path_has_not_had_is_an_error(api, tmp_path):
    """The error says how many it has had; a removed one is still there by its number."""
    with pytest.raises(ValueError, match="has had no version 4; it has had 3"):
        api.file.get_version("/models/best.pt", version=4)
    with pytest.raises(ValueError, match="not a SHA-256"):
        api.file.get_version("/models/best.pt", sha256="xyz")
    with pytest.raises(ValueError, match="has never had a file"):
        api.file.get_version("/models/none.pt")
    api.file.remove(1, "/models/best.pt")
    with pytest.raises(ValueError, match="has no file any more: --version 3"):
        api.file.get_version("/models/best.pt")
    api.file.download_version("/models/best.pt", str(tmp_path / "third"), version=3)
    assert (tmp_path / "third").read_text() == "third"

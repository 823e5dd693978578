"""`autoflow note`: notes on cards."""

from __future__ import annotations

import json

import autoflow


def test_a_note_is_written_and_printed(command, monkeypatch, tmp_path):
    """Lines are printed without control characters, the latest note first; an unknown reference is an error."""
    monkeypatch.setenv("AUTOFLOW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    project = autoflow.Api().project.create(1, "lemons")
    ref = f"project:{project.id}"
    assert "There are no notes" in command("note", ref)[2]
    assert command("note", ref, "blurred\x1b[31m\nimages")[0] == 0
    command("note", ref, "mended")
    lines = command("note", ref)[1].splitlines()
    assert [line for line in lines if line.startswith("  ")] == ["  mended", "  blurred\\x1b[31m", "  images"]
    assert json.loads(command("note", ref, "--json")[1])[0]["text"] == "mended"
    code, _, errors = command("note", "file:99", "x")
    assert (code, "file 99 is unknown" in errors) == (1, True)

"""Runs in notebooks: the cells that were executed are their code, whatever the notebook says afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from autoflow import Api
from autoflow.cli.main import main
from tests.reproduction.matrix import SHELL

OUTPUT = "/models/out.txt"
CELLS = [
    "rate = 1\nDB_PASSWORD = None",
    "raise ValueError('mended by the next cell')",
    "from rates import RATE\nrate += RATE",
    """
import tempfile, autoflow
api = autoflow.Api.from_env()
with autoflow.workflow("Train") as run:
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(str(rate))
        file.flush()
        run.output("file", api.file.upload(1, file.name, OUTPUT))
autoflow.flush(30)""".replace("OUTPUT", repr(OUTPUT)),
    "rate = 7  # after the run",
]


def test_the_executed_cells_are_reproduced(tmp_path, monkeypatch, capsys):
    """A kernel executes them, outside of git too, with one that failed and without those after the run."""
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    api = Api()
    (tmp_path / "rates.py").write_text("RATE = 2\n")
    path = tmp_path / "train.ipynb"
    subprocess.run(
        [sys.executable, "-c", SHELL, json.dumps(CELLS)],
        cwd=tmp_path,
        env={**os.environ, "JPY_SESSION_NAME": str(path), "IPYTHONDIR": str(tmp_path / "ipython")},
        capture_output=True,
        check=True,
    )
    ref = f"file:{api.file.get_info_by_path(1, OUTPUT).id}"
    assert main(["trace", ref]) == 0
    assert f"notebook {path}, 4 cells as executed" in capsys.readouterr().out
    result = api.reproduce(ref, run=True, lock=str(tmp_path / "lock"), no_env=True, timeout=100)
    assert api.trace("task:2").runs["task:2"]["facts"]["notebook"]["cells"] == len(CELLS) - 1
    api.transport.close()
    assert (result.outputs, [row.recorded for row in result.rows]) == ("equal", [row.reproduced for row in result.rows])
    assert [cell["source"] for cell in json.loads((tmp_path / "lock.ipynb").read_text())["cells"]] == CELLS[:-1]

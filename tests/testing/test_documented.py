"""The examples of docs/testing.md, run as a user would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autoflow import testing

pytestmark = [pytest.mark.core, pytest.mark.slow]

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
EXAMPLES = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S))


def test_the_examples_pass(tmp_path):
    """Each file of the page, put into one folder, passes under plain pytest."""
    for name, content in EXAMPLES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert {"app.py", "test_edges.py", "test_capture.py", "test_outage.py"} == EXAMPLES.keys()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-W",
        "error",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
    ]
    environment = {**os.environ, "AUTOFLOW_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [*command, str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout


def test_every_name_is_on_the_page():
    """What the kit offers is described."""
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in testing.__all__ if name.lower() not in page.lower()] == []

"""What an installation holds: the bare one, in a fresh environment, and the one beside the Supervisely SDK."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# One worker builds and installs, and both of its products serve all tests here.
pytestmark = [pytest.mark.xdist_group("packaging"), pytest.mark.timeout(600)]

HEAVY = ("requests", "urllib3", "sqlalchemy", "alembic", "PIL", "autoflow.server", "autoflow.cli", "autoflow.api")

# Prints which of its arguments `import autoflow` loaded, what a decorated call gave, and the counts of the outbox.
RECORDS = """
import json, sys
import autoflow
loaded = [name for name in sys.argv[1:] if name in sys.modules]

@autoflow.workflow_input("folder")
def load(folder):
    return folder

with autoflow.workflow("Bare"):
    result = load("/lemons")
print(json.dumps({"loaded": loaded, "result": result, "counts": autoflow.status()}))
"""


def _run(*command: str | Path, **environment: str) -> str:
    """What a command prints.

    Raises:
        AssertionError: it failed; with all it said.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONWARNINGS"}}
    done = subprocess.run(
        [str(word) for word in command],
        env={**inherited, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy so that nothing is left in the checkout."""
    folder = tmp_path_factory.mktemp("packaging")
    copy = folder / "source"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    shutil.copytree(ROOT / "autoflow", copy / "autoflow", ignore=shutil.ignore_patterns("__pycache__"))
    _run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, copy)
    (built,) = folder.glob("autoflow_lineage-*.whl")
    return built


@pytest.fixture(scope="module")
def bare(wheel):
    """The interpreter of a fresh environment that holds ``pip install autoflow-lineage`` and nothing else."""
    folder = wheel.parent / "environment"
    _run(sys.executable, "-m", "venv", folder)
    python = folder / "bin" / "python"
    _run(python, "-m", "pip", "install", "--quiet", wheel)
    return python


def test_the_wheel_holds_every_module_and_what_they_read(wheel):
    """No module is left out, and page, style sheet, migrations, typing mark and licence are in."""
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {file.relative_to(ROOT).as_posix() for file in (ROOT / "autoflow").rglob("*.py")}
    expected |= {"autoflow/py.typed", "autoflow/graph/render/page.css", "autoflow/graph/render/page.js"}
    expected |= {"autoflow/server/db/migrations/env.py", "autoflow/server/db/migrations/script.py.mako"}
    page = ROOT / "autoflow" / "server" / "ui" / "assets"
    expected |= {
        file.relative_to(ROOT).as_posix() for file in page.rglob("*") if file.suffix in {".js", ".css", ".svg"}
    }
    assert expected - names == set()
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_a_bare_installation_holds_wrapt_and_requests_only(bare):
    """`pip install autoflow-lineage` brings wrapt, requests and what requests needs."""
    listed = json.loads(_run(bare, "-m", "pip", "list", "--format", "json"))
    needed = {"certifi", "charset-normalizer", "idna", "urllib3"}
    assert {entry["name"].lower().replace("_", "-") for entry in listed} - {"pip", "setuptools"} == {
        "autoflow-lineage",
        "requests",
        "wrapt",
        *needed,
    }


def test_importing_autoflow_loads_nothing_heavy_and_records(bare, tmp_path):
    """Without [server] the import loads neither requests nor the server; records wait in the journal."""
    home = {"AUTOFLOW_HOME": str(tmp_path / "home"), "AUTOFLOW_SERVER": "embedded"}
    response = json.loads(_run(bare, "-c", RECORDS, *HEAVY, **home).splitlines()[-1])
    assert response["loaded"] == []
    assert response["result"] == "/lemons"
    counts = response["counts"]
    assert counts["recorded"] == counts["waiting"] > 0
    assert counts["sent"] == counts["dead"] == counts["dropped"] == 0


def test_what_waited_is_delivered_once_the_server_is_installed(bare, tmp_path):
    """The records a bare installation kept reach the server by `autoflow outbox sync` of a full one."""
    home = {"AUTOFLOW_HOME": str(tmp_path / "home"), "AUTOFLOW_SERVER": "embedded"}
    recorded = json.loads(_run(bare, "-c", RECORDS, **home).splitlines()[-1])["counts"]["recorded"]
    counts = json.loads(_run(sys.executable, "-m", "autoflow.cli.main", "outbox", "sync", "--json", **home))
    assert counts["recorded"] == counts["sent"] >= recorded  # the run's end is recorded after the counts were read
    assert counts["waiting"] == counts["dead"] == 0


# The releases that mended holes which reach autoflow, or which a scanner of dependencies reports.
MENDED = {
    "requests": "2.33.0",  # CVE-2024-47081, CVE-2026-25645
    "pillow": "12.3.0",  # memory errors and decompression bombs in decoders, the last of them CVE-2026-55379
    "starlette": "1.3.1",  # CVE-2025-54121, CVE-2025-62727, CVE-2026-48710, CVE-2026-54283
    "python-multipart": "0.0.31",  # CVE-2024-53981, CVE-2026-40347, CVE-2026-42561, GHSA-v9pg-7xvm-68hf
    "h11": "0.16.0",  # CVE-2025-43859
}


def test_no_release_with_a_known_hole_is_allowed():
    """The lowest version of a dependency that may be installed is one whose known holes are mended."""
    tomllib = pytest.importorskip("tomllib")
    requirements = pytest.importorskip("packaging.requirements")
    versions = pytest.importorskip("packaging.version")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lowest = {}
    for text in [*project["dependencies"], *project["optional-dependencies"]["server"]]:
        requirement = requirements.Requirement(text)
        (floor,) = [entry.version for entry in requirement.specifier if entry.operator == ">="]
        lowest[requirement.name] = versions.Version(floor)
    assert {name: floor for name, floor in MENDED.items() if lowest[name] < versions.Version(floor)} == {}


def test_the_server_installs_beside_the_supervisely_sdk(tmp_path):
    """`autoflow-lineage[server]` and `supervisely` in one environment break no requirement of each other, and work."""
    if importlib.util.find_spec("supervisely") is None:
        pytest.skip("the Supervisely SDK is not installed here; `make test` has it")
    broken = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)
    assert broken.returncode == 0, broken.stdout
    assert importlib.metadata.version("supervisely")
    script = """
import supervisely, autoflow
project = autoflow.Api.from_env().project.create(1, "beside the SDK")
print(supervisely.ProjectInfo._fields[:2], project.name)
"""
    environment = {"AUTOFLOW_HOME": str(tmp_path / "home"), "AUTOFLOW_SERVER": "embedded", "PYTHONWARNINGS": "ignore"}
    assert "beside the SDK" in _run(sys.executable, "-c", script, **environment)


def test_the_command_is_installed(bare, wheel):
    """`autoflow --version` and `python -m autoflow` answer with the wheel's version; `autoflow` alone prints help."""
    command = bare.parent / "autoflow"
    version = wheel.name.split("-")[1]
    assert _run(command, "--version") == _run(bare, "-m", "autoflow", "--version") == f"autoflow {version}\n"
    assert "COMMAND" in subprocess.run([command], capture_output=True, text=True).stdout

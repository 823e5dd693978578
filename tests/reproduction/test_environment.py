"""The environment of a reproduction: made from the recorded packages if what is there differs."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import zipfile

import pytest

from autoflow.reproduction import interpreter
from autoflow.reproduction.environment import prepare
from autoflow.reproduction.job import Job, ReproduceOptions
from autoflow.reproduction.recorded_run import RecordedRun


def wheel(folder, name, version):
    """Write a wheel with one module."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


def job(options, **packages):
    facts = {"command": [sys.executable], "python": platform.python_version(), "packages": packages}
    return Job(None, "task:1", RecordedRun("task:1", "Train", "finished", 1, facts, [], []), options)


def test_recorded_packages_are_installed_into_a_new_environment(tmp_path, monkeypatch):
    """This autoflow can be imported in it; with `--no-env` or `--python`, what is there is used."""
    wheel(tmp_path, "autoflowlemons", "1.0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # without uv
    present = interpreter.inspect(sys.executable)
    quiet = {"report": lambda line: None}
    for options in (ReproduceOptions(no_env=True, **quiet), ReproduceOptions(python=sys.executable, **quiet)):
        notes = []
        chosen = prepare(job(options, autoflowlemons="1.0"), present, str(tmp_path), str(tmp_path / "env"), notes)
        assert (chosen, notes) == (present, ["autoflowlemons 1.0 was recorded, it is not installed here"])
    notes = []
    chosen = prepare(
        job(ReproduceOptions(**quiet), autoflowlemons="1.0"), present, str(tmp_path), str(tmp_path / "env"), notes
    )
    assert notes == []
    assert chosen.path == str(tmp_path / "env" / "bin" / "python")
    program = (
        "import autoflowlemons, importlib.util; print(autoflowlemons.VERSION, importlib.util.find_spec('autoflow'))"
    )
    output = subprocess.run([chosen.path, "-c", program], capture_output=True, text=True, check=True).stdout
    assert output.startswith("1.0 ModuleSpec")


def test_a_lock_of_uv_is_installed_by_uv(tmp_path, monkeypatch):
    """With the interpreter that is there if it has the recorded version: uv would download one that it cannot see."""
    uv = pytest.importorskip("uv").find_uv_bin()
    wheel(tmp_path, "autoflowlemons", "1.0")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "lemonapp"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["autoflowlemons"]\n'
        '[tool.uv]\npackage = false\nno-index = true\nfind-links = ["."]\n'
    )
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{os.path.dirname(uv)}:/usr/bin:/bin")
    subprocess.run([uv, "lock", "-q", "--python", sys.executable], cwd=tmp_path, check=True)
    lock = {"locks": [{"path": "uv.lock", "size": 1}]}
    wanted = job(ReproduceOptions(report=lambda line: None), autoflowlemons="1.0")
    wanted.run.facts.update(lock)
    notes = []
    chosen = prepare(wanted, interpreter.inspect(sys.executable), str(tmp_path), str(tmp_path / "env"), notes)
    assert (notes, chosen.path) == ([], str(tmp_path / "env" / "bin" / "python"))
    assert chosen.packages["autoflowlemons"] == "1.0"

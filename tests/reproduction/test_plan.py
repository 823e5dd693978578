"""Validation of what a server sends about a recorded run before it is shown or executed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.errors import NotReproducible
from autoflow.reproduction import running
from autoflow.reproduction.plan import allowed_variables, build_plan, inherited_environment, requirement_lines
from autoflow.reproduction.recorded_run import RecordedRun, obstacles
from autoflow.reproduction.substitution import Command
from autoflow.reproduction.worktree import find_repository

pytestmark = pytest.mark.core

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def run(**facts):
    values = {"command": ["/usr/bin/python3", "train.py"], "commit": COMMIT, "dirty": False, **facts}
    return RecordedRun("task:5", "Train", "finished", 1, values, [], [], "ann")


@pytest.mark.parametrize(
    ("name", "version", "source"),
    [
        ("numpy", "1.0 --index-url https://evil.example", None),
        ("--index-url", "https://evil.example", None),
        ("-r", "/etc/passwd", None),
        ("evil @ https://evil.example/x.whl #", "1", None),
        ("numpy", "1.0; python_version > '3'", None),
        ("numpy", "1.0\n--index-url https://evil.example", None),
        ("numpy\nevil", "1.0", None),
        ("./local", "1.0", None),
        ("numpy", "1.0", "git+https://evil.example/numpy@abc"),
        ("numpy", "1.0", "https://evil.example/numpy.whl"),
        ("numpy", "1.0", "file:///tmp/numpy\nevil==1"),
        ("n" * 300, "1.0", None),
        ("numpy", "", None),
    ],
)
def test_a_package_that_is_not_from_an_index_is_a_comment(name, version, source):
    """No option, URL, path, marker or second line reaches pip."""
    (line,) = requirement_lines({"packages": {name: version}, "sources": {name: source} if source else {}})
    assert line.startswith("# ")
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize("version", ["1.0", "2!1.0", "1.0rc1", "1.0.post2", "1.0.dev3+cu121.local", "2024.8.1"])
def test_a_package_from_an_index_is_pinned(version):
    """All public and local version formats are accepted."""
    assert requirement_lines({"packages": {"Foo.bar_baz-1": version}}) == [f"Foo.bar_baz-1=={version}"]


@given(st.dictionaries(st.text(), st.text(), max_size=4), st.dictionaries(st.text(), st.text(), max_size=4))
def test_every_line_is_a_comment_or_a_pinned_name(packages, sources):
    """For any recorded names, versions and sources."""
    for line in requirement_lines({"packages": packages, "sources": sources}):
        assert re.fullmatch(r"# [ -~]*|[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+", line)
        assert not line.startswith("-")


def test_only_harmless_variables_are_set():
    """A server cannot inject a library or a search path into the command; masked values are not set."""
    sent = {"LD_PRELOAD": "/x.so", "PATH": "/tmp", "PYTHONSTARTUP": "/x.py", "https_proxy": "http://x", "GIT_SSH": "x"}
    sent |= {"PYTHONHASHSEED": "0", "LR": "0.5", "KEYED": "***", "API_TOKEN": "x"}
    assert allowed_variables(sent) == {"PYTHONHASHSEED": "0", "LR": "0.5"}


@pytest.mark.parametrize(
    "name", ["API_TOKEN", "AUTOFLOW_TOKEN", "AUTOFLOW_RUN", "AWS_PROFILE", "SSH_AUTH_SOCK", "LD_PRELOAD"]
)
def test_credentials_and_other_runs_are_not_inherited(name, monkeypatch):
    """Only an explicit list of variables is inherited, among them the locale and AUTOFLOW_HOME."""
    monkeypatch.setenv(name, "x")
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("AUTOFLOW_HOME", "/h")
    assert name not in inherited_environment()
    assert {"LC_ALL", "AUTOFLOW_HOME", "PATH"} <= inherited_environment().keys()


@pytest.mark.parametrize("commit", ["--upload-pack=touch x", "HEAD", "main", "0123", COMMIT + "\n", "-" + COMMIT])
def test_a_commit_must_be_a_full_hash(commit):
    """Options of git and symbolic names are rejected."""
    assert any("not a commit hash" in reason for reason in obstacles(run(commit=commit), allow_dirty=False, missing=()))
    with pytest.raises(NotReproducible, match="not a commit hash"):
        find_repository({"commit": commit}, commit)


def test_a_recorded_folder_must_be_inside_the_checkout(tmp_path):
    """A path that leads out of it is rejected."""
    (tmp_path / "tree").mkdir()
    with pytest.raises(NotReproducible, match="outside"):
        running.working_folder(run(folder_within="../.."), str(tmp_path / "tree"))


def test_the_plan_shows_everything_that_is_executed():
    """It lists author, host, code, command, variables and packages."""
    recorded = run(host="box", packages={"numpy": "2.0"}, repository="https://host/x.git", root="/r", folder="/r/a")
    command = Command(["/usr/bin/python3", "train.py", "--name", "two words"], {"epochs": 2}, {"PYTHONHASHSEED": "0"})
    plan = build_plan(recorded, command, interpreter="/opt/python", variables={"AUTOFLOW_SERVER": "embedded"})
    text = "\n".join(plan.lines())
    for part in (
        "ann",
        "box",
        COMMIT,
        "https://host/x.git",
        "/r/a",
        "/opt/python train.py --name 'two words'",
        '{"epochs": 2}',
        "PYTHONHASHSEED=0",
        "AUTOFLOW_SERVER=embedded",
        "numpy==2.0",
    ):
        assert part in text

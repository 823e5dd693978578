"""What is shown and passed on of a recorded run, when a server sends anything at all."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.errors import NotReproducible
from autoflow.reproduction import running
from autoflow.reproduction.plan import accepted, inherited, plan, requirements
from autoflow.reproduction.recorded import Recorded, obstacles
from autoflow.reproduction.substitution import Command
from autoflow.reproduction.worktree import repository

pytestmark = pytest.mark.core

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def run(**facts):
    known = {"command": ["/usr/bin/python3", "train.py"], "commit": COMMIT, "dirty": False, **facts}
    return Recorded("task:5", "Train", "finished", 1, known, [], [], "ann")


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
def test_what_is_no_package_of_an_index_is_a_comment(name, version, source):
    """No option, url, path, marker or second line reaches pip."""
    (line,) = requirements({"packages": {name: version}, "sources": {name: source} if source else {}})
    assert line.startswith("# ")
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize("version", ["1.0", "2!1.0", "1.0rc1", "1.0.post2", "1.0.dev3+cu121.local", "2024.8.1"])
def test_a_package_of_an_index_is_named_with_its_version(version):
    """Every public and local version that packages have."""
    assert requirements({"packages": {"Foo.bar_baz-1": version}}) == [f"Foo.bar_baz-1=={version}"]


@given(st.dictionaries(st.text(), st.text(), max_size=4), st.dictionaries(st.text(), st.text(), max_size=4))
def test_every_line_is_a_comment_or_a_pinned_name(packages, sources):
    """Whatever was recorded."""
    for line in requirements({"packages": packages, "sources": sources}):
        assert re.fullmatch(r"# [ -~]*|[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+", line)
        assert not line.startswith("-")


def test_variables_that_autoflow_does_not_record_are_not_set():
    """A server cannot load a library into the command, or move its path."""
    sent = {"LD_PRELOAD": "/tmp/x.so", "PATH": "/tmp", "PYTHONSTARTUP": "/tmp/x.py", "PYTHONHASHSEED": "0"}
    assert accepted(sent) == {"PYTHONHASHSEED": "0"}


@pytest.mark.parametrize(
    "name", ["API_TOKEN", "AUTOFLOW_TOKEN", "AUTOFLOW_RUN", "AWS_PROFILE", "SSH_AUTH_SOCK", "LD_PRELOAD"]
)
def test_credentials_and_other_runs_are_not_inherited(name, monkeypatch):
    """Only listed variables are; locale and AUTOFLOW_HOME are among them."""
    monkeypatch.setenv(name, "x")
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("AUTOFLOW_HOME", "/h")
    assert name not in inherited()
    assert {"LC_ALL", "AUTOFLOW_HOME", "PATH"} <= inherited().keys()


@pytest.mark.parametrize("commit", ["--upload-pack=touch x", "HEAD", "main", "0123", COMMIT + "\n", "-" + COMMIT])
def test_a_commit_is_a_hash(commit):
    """Nothing that git would take for an option or another name."""
    assert any("no commit's hash" in reason for reason in obstacles(run(commit=commit), allow_dirty=False))
    with pytest.raises(NotReproducible, match="no commit's hash"):
        repository({"commit": commit})


def test_a_recorded_folder_stays_inside_the_checkout(tmp_path):
    """A path that climbs out of it is refused."""
    (tmp_path / "tree").mkdir()
    with pytest.raises(NotReproducible, match="outside"):
        running.folder(run(folder_within="../.."), str(tmp_path / "tree"))


def test_the_plan_shows_all_that_is_used():
    """Author, host, code, command, variables and packages."""
    recorded = run(host="box", packages={"numpy": "2.0"}, repository="https://host/x.git", root="/r", folder="/r/a")
    command = Command(["/usr/bin/python3", "train.py", "--name", "two words"], {"epochs": 2}, {"PYTHONHASHSEED": "0"})
    shown = "\n".join(plan(recorded, command, interpreter="/opt/python", told={"AUTOFLOW_SERVER": "embedded"}).lines())
    for words in (
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
        assert words in shown

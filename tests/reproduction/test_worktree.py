"""The working tree of a commit: found, made, taken away again, and the repository's own left as it is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from autoflow.errors import NotReproducible
from autoflow.reproduction.worktree import inside, repository, worktree

pytestmark = pytest.mark.core


def git(folder, *arguments):
    line = ["git", "-C", str(folder), "-c", "user.name=n", "-c", "user.email=e@x", *arguments]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repo(tmp_path):
    """A repository with one commit."""
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "train.py").write_text("first")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def test_the_code_of_the_commit_is_there_and_gone_afterwards(repo):
    """Changes of the working tree are not in it, hooks do not run, and git forgets it."""
    commit = git(repo, "rev-parse", "HEAD")
    (repo / "train.py").write_text("changed")
    hook = repo / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {repo}/ran\n")
    hook.chmod(0o755)
    with worktree(str(repo), commit, None, keep=False) as folder:
        assert Path(folder, "train.py").read_text() == "first"
        Path(folder, "made.txt").touch()
    assert not os.path.exists(os.path.dirname(folder))
    assert git(repo, "worktree", "list").count("\n") == 0
    assert (repo / "train.py").read_text() == "changed"
    assert not (repo / "ran").exists()


def test_filters_of_the_users_settings_do_not_run(repo, tmp_path):
    """The commit's .gitattributes cannot choose a command of the user's settings, required or not."""
    for setting in ("smudge", "process", "clean"):
        git(repo, "config", f"filter.evil one.{setting}", f"touch {tmp_path}/ran; cat")
    git(repo, "config", "filter.evil one.required", "true")
    git(repo, "config", "core.fsmonitor", f"touch {tmp_path}/ran")
    (repo / ".git" / "info" / "attributes").write_text('* "filter=evil one"\n* filter=evil\n')
    git(repo, "config", "filter.evil.smudge", f"touch {tmp_path}/ran; cat")
    with worktree(str(repo), git(repo, "rev-parse", "HEAD"), None, keep=False) as folder:
        assert Path(folder, "train.py").read_text() == "first"
    assert not (tmp_path / "ran").exists()


def test_it_is_gone_after_a_failure_too(repo, tmp_path):
    """Whatever ends the block."""
    with pytest.raises(KeyboardInterrupt), worktree(str(repo), "HEAD", str(tmp_path / "w"), keep=False):
        raise KeyboardInterrupt
    assert not (tmp_path / "w").exists()
    assert git(repo, "worktree", "list").count("\n") == 0


def test_it_is_kept_when_asked(repo, tmp_path):
    """In the folder that was named."""
    with worktree(str(repo), "HEAD", str(tmp_path / "w"), keep=True):
        pass
    assert (tmp_path / "w" / "train.py").read_text() == "first"


def test_a_folder_with_something_in_it_is_left_alone(repo, tmp_path):
    """It is named, and nothing in it is touched."""
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "mine").write_text("mine")
    with (
        pytest.raises(NotReproducible, match="is not empty"),
        worktree(str(repo), "HEAD", str(tmp_path / "w"), keep=False),
    ):
        pass
    assert (tmp_path / "w" / "mine").exists()


def test_the_repository_is_the_one_that_has_the_commit(repo, tmp_path, monkeypatch):
    """Where it ran, else where the command is given; else it says what to clone."""
    facts = {"commit": git(repo, "rev-parse", "HEAD"), "root": str(repo), "repository": "https://host/x.git"}
    monkeypatch.chdir(tmp_path)
    assert repository(facts) == os.path.realpath(repo)
    gone = {**facts, "root": str(tmp_path / "gone")}
    with pytest.raises(NotReproducible, match=r"git clone https://host/x\.git"):
        repository(gone)
    monkeypatch.chdir(repo)
    assert repository(gone) == os.path.realpath(repo)
    with pytest.raises(NotReproducible, match="no repository here has commit"):
        repository({**facts, "commit": "a" * 40})


def test_a_path_of_the_repository_is_the_one_in_the_tree(tmp_path):
    """What the commit has not, such as data beside the code, stays where it is."""
    tree = tmp_path / "tree"
    (tree / "src").mkdir(parents=True)
    (tree / "src" / "train.py").touch()
    root = str(tmp_path / "root")
    assert inside(f"{root}/src/train.py", root, str(tree)) == str(tree / "src" / "train.py")
    assert inside(f"{root}/data", root, str(tree)) == f"{root}/data"
    assert inside("src/train.py", root, str(tree)) == "src/train.py"
    assert inside("/usr/bin/python", root, str(tree)) == "/usr/bin/python"
    assert inside("/usr", None, str(tree)) == "/usr"

"""The temporary working tree of a commit."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from autoflow.errors import NotReproducible
from autoflow.reproduction.code import RunCode, write_files
from autoflow.reproduction.worktree import find_repository, relocate_existing, worktree

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


def test_the_commit_is_checked_out_and_removed_afterwards(repo):
    """It has no uncommitted changes, hooks do not run, and git does not list it afterwards."""
    commit = git(repo, "rev-parse", "HEAD")
    (repo / "train.py").write_text("changed")
    hook = repo / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {repo}/ran\n")
    hook.chmod(0o755)
    with worktree(str(repo), commit, None, keep=False) as folder:
        assert Path(folder, "train.py").read_text() == "first"
        Path(folder, "output.txt").touch()
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


def test_it_is_removed_after_an_error(repo, tmp_path):
    """Also after a KeyboardInterrupt."""
    with pytest.raises(KeyboardInterrupt), worktree(str(repo), "HEAD", str(tmp_path / "w"), keep=False):
        raise KeyboardInterrupt
    assert not (tmp_path / "w").exists()
    assert git(repo, "worktree", "list").count("\n") == 0


def test_it_is_kept_on_request(repo, tmp_path):
    """It stays in the given folder."""
    with worktree(str(repo), "HEAD", str(tmp_path / "w"), keep=True):
        pass
    assert (tmp_path / "w" / "train.py").read_text() == "first"


def test_a_folder_that_is_not_empty_is_rejected(repo, tmp_path):
    """The error names it, and nothing in it is changed."""
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "mine").write_text("mine")
    with (
        pytest.raises(NotReproducible, match="is not empty"),
        worktree(str(repo), "HEAD", str(tmp_path / "w"), keep=False),
    ):
        pass
    assert (tmp_path / "w" / "mine").exists()


def test_the_repository_with_the_commit_is_used(repo, tmp_path, monkeypatch):
    """The recorded one, else that of the working folder; otherwise the error says what to clone."""
    facts = {"commit": git(repo, "rev-parse", "HEAD"), "root": str(repo), "repository": "https://host/x.git"}
    monkeypatch.chdir(tmp_path)
    assert find_repository(facts, facts["commit"]) == os.path.realpath(repo)
    gone = {**facts, "root": str(tmp_path / "gone")}
    with pytest.raises(NotReproducible, match=r"git clone https://host/x\.git"):
        find_repository(gone, gone["commit"])
    monkeypatch.chdir(repo)
    assert find_repository(gone, gone["commit"]) == os.path.realpath(repo)
    with pytest.raises(NotReproducible, match="no repository here has commit"):
        find_repository(facts, "a" * 40)


def test_paths_below_the_repository_are_relocated(tmp_path):
    """Paths that the commit lacks, such as data beside the code, are unchanged."""
    tree = tmp_path / "tree"
    (tree / "src").mkdir(parents=True)
    (tree / "src" / "train.py").touch()
    root = str(tmp_path / "root")
    assert relocate_existing(f"{root}/src/train.py", root, str(tree)) == str(tree / "src" / "train.py")
    assert relocate_existing(f"{root}/data", root, str(tree)) == f"{root}/data"
    assert relocate_existing("src/train.py", root, str(tree)) == "src/train.py"
    assert relocate_existing("/usr/bin/python", root, str(tree)) == "/usr/bin/python"
    assert relocate_existing("/usr", None, str(tree)) == "/usr"


@pytest.mark.parametrize("path", ["../x", "/etc/x", ".git/hooks/x", "a/../../x", "link/x"])
def test_a_recorded_file_stays_inside_of_the_tree(tmp_path, path):
    """Neither a path nor a symbolic link of the commit leads outside, nor into git's own folder."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to(tmp_path)
    with pytest.raises(NotReproducible, match="outside"):
        write_files(RunCode("a" * 40, b"", {path: b"x"}), str(tree))
    assert not (tmp_path / "x").exists()

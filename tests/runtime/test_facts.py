"""The facts of a run: enough to run it again, wherever its script and its working folder are, and no secret."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections import ChainMap

import pytest

from autoflow.model.run_code import gaps, outdated_packages
from autoflow.model.run_contents import join
from autoflow.runtime import commit_pack, facts, packages

pytestmark = pytest.mark.core


def git(folder, *arguments):
    line = ["git", "-C", str(folder), "-c", "user.name=n", "-c", "user.email=e@x", *arguments]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()


def gather(initial):
    """Return all facts that take time."""
    return dict(ChainMap(*(part.facts for part in facts.FactsGatherer(initial).at_start())))


@pytest.fixture
def repo(tmp_path):
    """A repository with a script in a folder."""
    folder = tmp_path / "repo"
    (folder / "src").mkdir(parents=True)
    git(folder, "init", "-q")
    (folder / "src" / "train.py").write_text("first")
    (folder / ".gitignore").write_text("venv\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def test_facts_name_the_commit_and_folder_of_the_code(repo):
    """Commit, root, and folder and script relative to it, so that they are found in any other checkout."""
    git(repo, "remote", "add", "origin", "https://ann:secret@host/x.git")
    collected = gather({"folder": str(repo / "src"), "script": str(repo / "src" / "train.py")})
    assert collected["commit"] == git(repo, "rev-parse", "HEAD")
    assert collected["root"] == os.path.realpath(repo)
    assert (collected["folder_within"], collected["script_within"]) == ("src", "src/train.py")
    assert collected["dirty"] is False
    assert collected["repository"] == "https://***@host/x.git"
    assert "secret" not in repr(collected)


def test_the_repository_is_the_scripts_not_the_folders(repo, tmp_path):
    """A script may be started from anywhere; the root itself is an empty path."""
    collected = gather({"folder": str(tmp_path), "script": str(repo / "src" / "train.py")})
    assert collected["script_within"] == "src/train.py"
    assert "folder_within" not in collected
    assert gather({"folder": str(repo)})["folder_within"] == ""


def test_an_installed_script_is_not_the_runs_code(repo, tmp_path):
    """A script that git ignores, as one in an environment, is not the run's code: the folder's repository is."""
    other = tmp_path / "other"
    (other / "venv" / "bin").mkdir(parents=True)
    git(other, "init", "-q")
    (other / ".gitignore").write_text("venv\n")
    git(other, "add", ".")
    git(other, "commit", "-q", "-m", "x")
    (other / "venv" / "bin" / "torchrun").touch()
    collected = gather({"folder": str(repo), "script": str(other / "venv" / "bin" / "torchrun")})
    assert collected["root"] == os.path.realpath(repo)
    assert "script_within" not in collected


@pytest.mark.parametrize(
    ("change", "dirty"),
    [
        (lambda repo: (repo / "src" / "train.py").write_text("second"), True),
        (lambda repo: (repo / "notes.txt").write_text("x"), False),
        (lambda repo: git(repo, "rm", "-q", "--cached", "src/train.py"), True),
        (lambda repo: None, False),
    ],
)
def test_dirty_says_whether_the_code_differs_from_the_commit(repo, change, dirty):
    """Tracked files that differ, or a script that is not tracked; other files beside it are none of the code's."""
    change(repo)
    assert gather({"folder": str(repo), "script": str(repo / "src" / "train.py")})["dirty"] is dirty


def test_a_script_that_was_never_committed(repo):
    """It is in no commit, so the commit is not what ran."""
    (repo / "new.py").write_text("x")
    assert gather({"folder": str(repo), "script": str(repo / "new.py")})["dirty"] is True


def test_no_repository_no_commit(tmp_path):
    """Nor one without a commit yet; the rest is told."""
    git(tmp_path, "init", "-q")
    collected = gather({"folder": str(tmp_path)})
    assert not {"commit", "root", "dirty"} & collected.keys()
    assert collected["packages"]["wrapt"]
    assert collected["machine"]


def test_variables_that_the_session_did_not_have_are_recorded_and_no_secrets(monkeypatch, tmp_path):
    """``LR=0.5 python train.py`` is a fact; a secret by name or shape, and what shells set, are not."""
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    monkeypatch.setenv("modal.state.slyProjectId", "7")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "abc")
    monkeypatch.setenv("DATABASE", "postgres://ann:hunter2@host/x")
    monkeypatch.setenv("LD_PRELOAD", "/x.so")
    monkeypatch.setenv("LR", "0.5")
    collected = gather({"folder": str(tmp_path)})["environment"]
    assert (collected["PYTHONHASHSEED"], collected["modal.state.slyProjectId"]) == ("0", "7")
    assert collected["LR"] == "0.5"
    assert not {"AWS_SECRET_ACCESS_KEY", "DATABASE", "LD_PRELOAD", "PWD", "SHLVL"} & collected.keys()


def test_variables_that_the_app_names_are_recorded(monkeypatch, tmp_path):
    """A secret among them is recorded as a mask."""
    monkeypatch.setenv("TERM_RATE", "3")
    monkeypatch.setenv("SERVICE_PASSWORD", "hunter2-Xk93")
    gatherer = facts.FactsGatherer({"folder": str(tmp_path)}, ["TERM_RATE", "SERVICE_PASSWORD", "ABSENT"])
    collected = next(gatherer.at_start()).facts["environment"]
    assert (collected["TERM_RATE"], collected["SERVICE_PASSWORD"]) == ("3", "***")
    assert "ABSENT" not in collected


def test_lock_files_and_hardware_are_recorded(repo):
    """Lock files verbatim; the machine by its system, processor and locale."""
    (repo / "uv.lock").write_text("version = 1\n" * 10_000)
    parts = list(facts.FactsGatherer({"folder": str(repo), "script": str(repo / "src" / "train.py")}).at_start())
    collected = dict(ChainMap(*(part.facts for part in parts)))
    pieces = dict(ChainMap(*(part.contents for part in parts)))
    (lock,) = [lock for lock in collected["locks"] if lock["path"] == "uv.lock"]
    assert join(lock["content"], pieces) == b"version = 1\n" * 10_000
    assert collected["hardware"]["os"]
    assert collected["hardware"]["cores"]
    assert collected["locale"]["encoding"]


@pytest.mark.parametrize("folder_is_repository", [True, False])
def test_a_run_that_cannot_be_reproduced_says_so(repo, tmp_path, monkeypatch, caplog, folder_is_repository):
    """One line a process, at training time, with the reason."""
    monkeypatch.setattr(facts, "_reported", set())
    caplog.set_level("INFO", logger="autoflow")
    (repo / "src" / "train.py").write_text("password = 'hunter2-Xk93jfa0'\n")
    for _ in range(2):
        gather({"folder": str(repo if folder_is_repository else tmp_path)})
    (record,) = caplog.records
    reason = "the change of src/train.py" if folder_is_repository else "not in a git repository"
    assert reason in record.getMessage()


def test_data_that_is_only_on_the_machine_is_named(repo, monkeypatch, caplog, tmp_path):
    """One line at the end: files outside of the repository, and those in it that git does not have."""
    monkeypatch.setattr(facts, "_reported", {"code"})
    caplog.set_level("INFO", logger="autoflow")
    outside, ignored, script = tmp_path / "train.csv", repo / "venv", repo / "src" / "train.py"
    outside.touch()
    ignored.touch()
    gatherer = facts.FactsGatherer({"folder": str(repo)})
    assert [*gatherer.at_start()]
    for _ in range(2):
        list(gatherer.at_end(inputs=[str(outside), str(ignored), str(script)]))
    (record,) = caplog.records
    assert f"{outside} is only on this machine; {ignored} is only on this machine" in record.getMessage()
    assert "train.py" not in record.getMessage()


def test_a_commit_without_a_remote_that_is_too_large_is_named(repo, monkeypatch, caplog):
    """Its files are not recorded; a smaller one's are, and are the commit's."""
    monkeypatch.setattr(facts, "_reported", set())
    caplog.set_level("INFO", logger="autoflow")
    assert gather({"folder": str(repo)})["pack"]["content"]["pieces"]
    assert caplog.records == []
    (repo / "data.bin").write_bytes(b"0" * (commit_pack.MAX_FILES_BYTES + 1))
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "large")
    assert gather({"folder": str(repo)})["pack"] == {"commit": git(repo, "rev-parse", "HEAD")}
    (record,) = caplog.records
    assert "push it" in record.getMessage()


def test_packages_from_no_index_have_a_source(tmp_path):
    """A checkout by its commit, a folder by its url, one from the index not at all."""
    vcs = '{"url": "https://u:p@host/x.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}'
    assert packages._source(vcs) == "git+https://***@host/x.git@abc"
    assert packages._source('{"url": "file:///x", "dir_info": {"editable": true}}') == "file:///x"
    assert packages._source(None) is None
    assert packages._source("[]") is None
    assert packages._source("not json") is None


def test_a_package_whose_folder_has_other_code_is_named(tmp_path, monkeypatch):
    """Its code is the installed one, whatever commit the folder has; one in editable mode has no code of its own."""
    folder, site = tmp_path / "my repo", tmp_path / "site"
    for name, old, record in (
        ("fresh", "1", "{0}.py,sha256={1},2\n"),
        ("old", "2", "{0}.py,sha256={1},2\n{0}-1.dist-info/METADATA,,\n"),
        ("editable", "2", "__editable__.{0}.pth,sha256={1},2\n"),
    ):
        module = folder / name / "src" / f"{name}.py"
        module.parent.mkdir(parents=True)
        module.write_text(old)
        digest = base64.urlsafe_b64encode(hashlib.sha256(b"1").digest()).decode().rstrip("=")
        info = site / f"{name}-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n\nName: other\n")
        (info / "direct_url.json").write_text(json.dumps({"url": (folder / name).as_uri(), "dir_info": {}}))
        (info / "RECORD").write_text(record.format(name, digest))
    monkeypatch.syspath_prepend(str(site))
    packages.installed_packages.cache_clear()
    installed = packages.installed_packages()
    packages.installed_packages.cache_clear()
    assert (installed.versions["fresh"], installed.outdated) == ("1", {"old": ["old.py"]})
    (sentence,) = outdated_packages({"outdated": installed.outdated})
    assert sentence == "the installed package old has other code than its folder (old.py)"


def test_a_reproduction_names_its_original(monkeypatch):
    """The task, and which attempt at it."""
    monkeypatch.setenv("AUTOFLOW_REPRODUCES", "task:5 abc")
    collected = facts.initial_facts(None)
    assert (collected["reproduces"], collected["attempt"]) == ("task:5", "abc")
    assert collected["command"][0] == sys.executable


def test_changes_and_files_outside_of_git_are_recorded(repo):
    """The difference to the commit, and small files, imported or not; a secret only by its name and hash."""
    (repo / "src" / "train.py").write_text("changed")
    (repo / "settings.yaml").write_text("lr: 1")
    (repo / ".env").write_text("PASSWORD=abc")
    gatherer = facts.FactsGatherer({"folder": str(repo), "command": ["python", "train.py", "settings.yaml"]})
    parts = list(gatherer.at_start())
    collected = dict(ChainMap(*(part.facts for part in parts)))
    pieces = dict(ChainMap(*(part.contents for part in parts)))
    files = {file["path"]: file for file in collected["untracked"]}
    assert b"+changed" in join(collected["patch"]["content"], pieces)
    assert join(files["settings.yaml"]["content"], pieces) == b"lr: 1"
    assert files["settings.yaml"]["used"]
    assert (files[".env"]["withheld"], "content" in files[".env"]) == ("secret", False)
    assert collected["unpublished"]
    assert list(gaps(collected)) == []


def test_a_change_that_contains_a_secret_is_withheld(repo):
    """The other changes are recorded, and the missing one is named."""
    (repo / "src" / "train.py").write_text("first\npassword = 'hunter2-Xk93jfa0'\n")
    (repo / ".gitignore").write_text("venv\nother\n")
    parts = list(facts.FactsGatherer({"folder": str(repo)}).at_start())
    collected = dict(ChainMap(*(part.facts for part in parts)))
    pieces = dict(ChainMap(*(part.contents for part in parts)))
    assert b"+other" in join(collected["patch"]["content"], pieces)
    assert "hunter2" not in repr(join(collected["patch"]["content"], pieces))
    assert list(gaps(collected)) == ["the change of src/train.py, which looks like a secret"]


def test_a_clean_commit_that_no_remote_has_is_recorded_from_one_that_a_remote_has(repo, tmp_path):
    """So that a clone of the remote is enough to run it again."""
    remote = tmp_path / "remote.git"
    git(tmp_path, "clone", "-q", "--bare", str(repo), str(remote))
    git(repo, "remote", "add", "origin", str(remote))
    git(repo, "fetch", "-q", "origin")
    published = git(repo, "rev-parse", "HEAD")
    assert gather({"folder": str(repo)})["unpublished"] is False
    (repo / "src" / "train.py").write_text("second")
    git(repo, "commit", "-qam", "second")
    collected = gather({"folder": str(repo)})
    assert (collected["patch"]["base"], collected["unpublished"], collected["dirty"]) == (published, True, False)


def test_a_dirty_submodule_is_a_gap(repo, tmp_path):
    """Its commit is recorded, its changes are not."""
    module = tmp_path / "module"
    module.mkdir()
    git(module, "init", "-q")
    (module / "a.py").write_text("a")
    git(module, "add", ".")
    git(module, "commit", "-qm", "m")
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(module), "lib")
    git(repo, "commit", "-qm", "lib")
    commit = git(module, "rev-parse", "HEAD")
    assert gather({"folder": str(repo)})["submodules"] == [{"path": "lib", "commit": commit, "dirty": False}]
    (repo / "lib" / "a.py").write_text("b")
    collected = gather({"folder": str(repo)})
    assert collected["dirty"]
    assert list(gaps(collected)) == ["uncommitted changes in the submodule lib"]


def test_a_run_that_ends_at_once_has_all_its_facts(script):
    """The exit gathers what the sender has not begun, and does not wait for the server that this opens."""
    git(script.folder, "init", "-q")
    git(script.folder, "commit", "-q", "--allow-empty", "-m", "first")
    program = "from autoflow import workflow\nwith workflow('short'):\n    pass\n"
    script(program, AUTOFLOW_SERVER="embedded", AUTOFLOW_EXIT_FLUSH="1")
    recorded = ChainMap(*(record["facts"] for record in script.records() if record["type"] == "facts"))
    assert recorded["commit"] == git(script.folder, "rev-parse", "HEAD")
    assert "wrapt" in recorded["packages"]

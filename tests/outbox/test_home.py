"""Where the outbox lives: the first folder that is ours alone."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile

import pytest

from autoflow.outbox import home

pytestmark = pytest.mark.core


@pytest.fixture(autouse=True)
def _folders(monkeypatch, tmp_path):
    """Every place of the machine is inside the test's folder; nothing was warned of yet."""
    monkeypatch.setattr(home, "_warned", set())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("AUTOFLOW_HOME", str(tmp_path / "named"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))


def spoil(path):
    """Make a folder impossible, for the superuser too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a file")


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_the_folder_named_is_used_and_private(tmp_path):
    """``AUTOFLOW_HOME`` is created with access for its owner only."""
    assert home.find() == str(tmp_path / "named")
    assert os.stat(tmp_path / "named").st_mode & 0o777 == 0o700


def test_the_candidates_are_tried_in_order(tmp_path, monkeypatch, caplog):
    """The XDG state folder, the one in HOME, the temporary folder; AUTOFLOW_HOME that fails is warned of once."""
    spoil(tmp_path / "named")
    assert home.find() == str(tmp_path / "state" / "autoflow")
    assert home.find() == str(tmp_path / "state" / "autoflow")
    (warning,) = warnings(caplog)
    assert "cannot use AUTOFLOW_HOME" in warning
    spoil(tmp_path / "state" / "x")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state" / "x"))
    assert home.find() == str(tmp_path / "user" / ".local" / "state" / "autoflow")
    monkeypatch.delenv("HOME")
    assert home.find() == str(tmp_path / "tmp" / f"autoflow-{os.geteuid()}")


def test_without_any_folder_there_is_one_warning(tmp_path, monkeypatch, caplog):
    """Without a writable folder there is one warning, with a remedy."""
    for name in ("named", "state", "user"):
        spoil(tmp_path / name)
    spoil(tmp_path / "tmp" / f"autoflow-{os.geteuid()}")
    assert home.find() is None
    assert home.outbox_of("http://server") is None
    (warning,) = warnings(caplog)
    assert "memory only" in warning
    assert "AUTOFLOW_HOME" in warning


def test_an_outbox_that_cannot_be_made_falls_back_as_the_home_does(tmp_path):
    """A home in which no folder can be created is not used."""
    (tmp_path / "named").mkdir(mode=0o700)
    spoil(tmp_path / "named" / "outbox")
    assert home.outbox_of("http://server").startswith(str(tmp_path / "state" / "autoflow"))


@pytest.mark.parametrize("where", ["home", "outbox", "destination"])
def test_a_link_is_refused(tmp_path, where):
    """A symbolic link is refused as the home, whoever made it."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    named = tmp_path / "named"
    location = {"home": named, "outbox": named / "outbox", "destination": named / "outbox" / "embedded"}[where]
    location.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    if where == "destination":
        os.chmod(named, 0o700)
    location.symlink_to(tmp_path / "elsewhere")
    assert not home.outbox_of("embedded").startswith(str(named))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_others_may_write_to_is_refused(tmp_path, caplog):
    """A folder that others can write to is refused; the warning names the command that fixes it."""
    (tmp_path / "named").mkdir()
    os.chmod(tmp_path / "named", 0o777)
    assert home.find() != str(tmp_path / "named")
    assert "chmod go-w" in caplog.text


def test_a_folder_of_another_user_is_refused(tmp_path, monkeypatch):
    """A temporary folder that another user made first gets no records."""
    (tmp_path / "named").mkdir(mode=0o700)
    os.chmod(tmp_path / "named", 0o700)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(PermissionError, match="belongs to user"):
        home.ensure_private(str(tmp_path / "named"))


def test_a_relative_home_without_a_working_directory_falls_back(tmp_path, monkeypatch):
    """After the working directory was deleted, the other candidates are used."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setenv("AUTOFLOW_HOME", "here")
    assert home.find() == str(tmp_path / "state" / "autoflow")


def test_the_origin_is_read_from_the_folder(tmp_path):
    """A later sender reads the origin from the folder; an origin file that does not match the folder is ignored."""
    folder = home.outbox_of("http://server:8080")
    assert home.origin_of(folder) == "http://server:8080"
    other = home.outbox_of("http://other")
    os.replace(os.path.join(folder, "origin"), os.path.join(other, "origin"))
    assert home.origin_of(other) is None
    assert home.outbox_of("http://other") == other
    assert home.origin_of(other) == "http://other"


def test_different_origins_have_different_folders():
    """Ports, schemes and special characters never make two servers share a folder."""
    origins = ["embedded", "http://a", "https://a", "http://a:8080", "http://a-8080", "http://[::1]:80", "memory"]
    assert len({home.slug(origin) for origin in origins}) == len(origins)
    assert home.slug("embedded") == "embedded"


def test_importing_touches_no_file(tmp_path):
    """`import autoflow` creates no file and opens none for writing."""
    script = (
        "import sys\n"
        "seen = []\n"
        "def audit(event, arguments):\n"
        "    made = event == 'open' and isinstance(arguments[1], str) and set('wax+') & set(arguments[1])\n"
        "    if made or event in {'os.mkdir', 'os.rename', 'tempfile.mkstemp', 'os.listdir', 'os.scandir'}:\n"
        "        seen.append((event, str(arguments[0])))\n"
        "sys.addaudithook(audit)\n"
        "sys.dont_write_bytecode = True\n"
        "import autoflow, autoflow.testing\n"
        "print([one for one in seen if one[1].startswith(sys.argv[1])])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True, cwd="/"
    )
    assert done.stdout.strip() == "[]"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tmp"]

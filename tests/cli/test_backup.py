"""`autoflow backup` and `autoflow restore`."""

from __future__ import annotations

import json

import pytest

from autoflow.server.server import Server
from tests.blobs import blob_files
from tests.server.conftest import Filled


@pytest.fixture
def data(tmp_path):
    """The folder of a server with a version and a file."""
    server = Server.open(tmp_path / "data")
    filled = Filled(server)
    filled.image(filled.dataset(project := filled.project()))
    filled.snapshot(project)
    filled.file()
    server.close()
    return tmp_path / "data"


def test_a_store_is_backed_up_checked_and_restored(data, tmp_path, command):
    """Each command says what it did, and the last one how to serve the restored store."""
    backups, restored = str(tmp_path / "backups"), str(tmp_path / "restored")
    code, output, _ = command("backup", backups, "--data", str(data))
    assert code == 0
    assert "2 blobs, of which 2 (" in output
    code, output, _ = command("restore", backups, "--check")
    assert (code, "no damage" in output) == (0, True)
    code, output, _ = command("restore", backups, "--data", restored)
    assert code == 0
    assert f"autoflow serve --data {restored}" in output
    code, output, _ = command("server", "recover", "--data", restored, "--json")
    assert (code, json.loads(output)["sound"]) == (0, True)
    code, _, errors = command("restore", backups, "--data", restored)
    assert (code, "empty place" in errors) == (1, True)


def test_what_is_missing_or_wrong_ends_with_code_1(data, tmp_path, command):
    """A store without its content, a damaged backup, and a folder without a store."""
    blob_files(data / "blobs")[0].unlink()
    backups = str(tmp_path / "backups")
    code, output, errors = command("backup", backups, "--data", str(data), "--json")
    assert (code, len(json.loads(output)["missing"])) == (1, 1)
    code, _, errors = command("backup", backups, "--data", str(data))
    assert (code, "missing" in errors) == (1, True)
    blob_files(tmp_path / "backups" / "blobs")[0].unlink()
    code, output, _ = command("restore", backups, "--check", "--json")
    assert (code, len(json.loads(output)["problems"])) == (1, 1)
    code, _, errors = command("backup", backups, "--data", str(tmp_path / "nothing"))
    assert (code, "there is no store in" in errors) == (1, True)
    assert not (tmp_path / "nothing").exists()
    code, _, errors = command("restore", str(tmp_path), "--data", str(tmp_path / "new"))
    assert (code, "no complete backup" in errors) == (1, True)

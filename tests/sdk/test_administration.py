"""Agents, users and modules of the ecosystem by the unmodified SDK."""

from __future__ import annotations

import pytest
import requests

from autoflow.errors import ServerRefused
from autoflow.wire import methods
from tests import buckets


def test_files_of_an_agent_are_found_and_downloaded(sdk, tmp_path, monkeypatch):
    """A file and a folder; a path of nothing does not exist, and raises nothing."""
    monkeypatch.setenv("AUTOFLOW_AGENT_FOLDER", str(tmp_path))
    inner = tmp_path / "1" / "in" / "deep"
    inner.mkdir(parents=True)
    (inner.parent / "a.txt").write_text("content")
    (inner / "b.txt").write_text("more")
    (inner / "link").symlink_to(tmp_path)
    assert sdk("agent_files") == {
        "listed": ["agent://1/in/a.txt", "agent://1/in/deep/b.txt"],
        "exist": [True, False, False],
        "folders": [True, False],
        "sizes": [7, 11],
        "content": "content",
        "downloaded": ["a.txt", "deep/b.txt"],
    }


def test_users_become_members_and_leave(sdk):
    """By the server's administrator, with roles by their ids."""
    response = sdk("people")
    assert response == {"created": ["bob", "Bob"], "roles": ["viewer", "editor"], "left": ["admin"]}


def test_modules_are_looked_up(sdk, server):
    """Own apps and the public ones that the SDK looks for; no model is deployed."""
    server.call(methods.RUNS_ENSURE, {"run": "r", "name": "Train"})
    assert sdk("modules") == {
        "own": ["Train"],
        "viewer": "Tensorboard Experiments Viewer",
        "sessions": True,
        "deployed": [],
        "made": [("create_project", True)],
    }


def test_webhooks_are_added_changed_tested_and_removed(sdk):
    """By the administrator of the server; a test is an event that is delivered as others are."""
    assert sdk("webhooks") == {
        "made": ("labeling_job.completed", "https://example.com/", 2, 10, 1),
        "changed": ("labeling_job.completed", "https://example.org/", 2, 7, 1),
        "tested": {"success": True},
        "listed": True,
        "left": [],
    }


@pytest.fixture
def bucket(monkeypatch):
    """A bucket that is connected to the first team."""
    with buckets.serving() as address:
        for name, value in buckets.variables(address).items():
            monkeypatch.setenv(name, value)
        made = buckets.make_bucket(address)
        for path in ("in/a.txt", "in/deep/b.txt", "top.txt"):
            requests.put(f"{address}/{made}/{path}", data=path, timeout=60).raise_for_status()
        monkeypatch.setenv("AUTOFLOW_BUCKETS", f"1={made} 2=others broken")
        yield made


def test_files_of_a_bucket_are_listed_and_downloaded(sdk, server, bucket):
    """In pages and by folder; the bucket of another team is unknown, and a member of that team sees no other."""
    assert sdk("bucket_files", bucket=bucket) == {
        "all": ["file:in/a.txt", "file:in/deep/b.txt", "file:/top.txt"],
        "page": ["file:in/deep/b.txt"],
        "direct": ["folder:/in", "file:/top.txt"],
        "folders": ["folder:in/deep"],
        "file": 8,
        "exist": [True, True, False, False],
        "content": "in/a.txt",
        "providers": [True],
        "refused": [404, 400],
    }
    stranger = server.tokens.caller(server.tokens.create("eve", ["Others"]))
    (provider,) = server.call("remote-storage.available_providers", {}, stranger)
    assert provider["buckets"] == ["others"]
    for method, member in (("list", "path"), ("stat", "path"), ("download", "link")):
        call = server.content if method == "download" else server.call
        with pytest.raises(ServerRefused, match="is not connected to this team"):
            call(f"remote-storage.{method}", {member: f"s3://{bucket}/in/a.txt"}, stranger)

"""Agents, users and modules of the ecosystem by the unmodified SDK."""

from __future__ import annotations

from autoflow.wire import methods


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
    """Own apps and the public ones that the SDK looks for; no model is deployed, and no bucket connected."""
    server.call(methods.RUNS_ENSURE, {"run": "r", "name": "Train"})
    assert sdk("modules") == {
        "own": ["Train"],
        "viewer": "Tensorboard Experiments Viewer",
        "sessions": True,
        "deployed": [],
        "made": [("create_project", True)],
        "buckets": [[], False],
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

"""A trace as a tree of text: every step once, and nothing that a terminal would take for more than text."""

from __future__ import annotations

import pytest

from autoflow.graph.graph import Arrow, Card, Graph
from autoflow.graph.render.ancestry import render_trace
from autoflow.graph.trace import Trace

pytestmark = pytest.mark.core


def card(key, name="n", **more):
    kind, _, number = key.partition(":")
    return Card(key=key, type=kind, id=int(number), name=name, title=name, **more)


def trace(*arrows, entry="file:1", runs=None, data=None, complete=True, cards=None):
    """A trace of these arrows (source, target)."""
    keys = dict.fromkeys([entry, *(key for pair in arrows for key in reversed(pair))])
    shown = tuple((cards or {}).get(key) or card(key) for key in keys)
    drawn = tuple(Arrow(source, target, "input") for source, target in arrows)
    return Trace("file:1", Graph(shown, drawn, entry), runs or {}, data or {}, complete)


RUN = {
    "name": "Train",
    "state": "finished",
    "startedAt": "2026-08-24T11:15:00.000Z",
    "finishedAt": "2026-08-24T11:15:02.500Z",
    "facts": {
        "command": ["python", "train.py", "--name", "two words"],
        "commit": "0123456789abcdef",
        "dirty": True,
        "python": "3.12.1",
        "packages": {"a": "1", "b": "2"},
        "reproduces": "task:3",
    },
}


def test_a_run_shows_how_to_run_it_again():
    """Its line has name, status and times; below it are the shell command, commit, Python and packages."""
    tree = render_trace(trace(("task:5", "file:1"), runs={"task:5": RUN})).splitlines()
    assert tree[0].split("  ")[:2] == ["n", "file:1"]
    assert tree[1].endswith("Train  task:5  finished, 24 Aug 2026, 11:15, 2.5 s")
    assert tree[2].strip() == "python train.py --name 'two words'"
    assert (
        tree[3].strip()
        == "commit 0123456789ab (dirty, not completely recorded), Python 3.12.1, 2 packages, reproduces task:3"
    )


def test_files_that_a_run_opened_and_did_not_declare_are_named():
    """Below its working folder by relative paths; a long list and a truncated record are counted."""
    files = {f"observed./w/{number:02}.csv": {"read": True} for number in range(12)}
    facts = {"folder": "/w", "observed": {"files": 13, "more": True}, **files, "observed./m.bin": {"written": True}}
    tree = render_trace(trace(("task:5", "file:1"), runs={"task:5": {**RUN, "facts": facts}}))
    assert "read and not declared: 00.csv, 01.csv, " in tree
    assert "09.csv, and 2 more\n" in tree
    assert "wrote and not declared: /m.bin\n" in tree
    assert "the run opened more files than the 13 recorded" in tree


def test_a_card_is_unfolded_once():
    """In a diamond and in a cycle the second occurrence refers to the first."""
    tree = render_trace(
        trace(
            ("task:5", "file:1"),
            ("file:2", "task:5"),
            ("file:3", "task:5"),
            ("task:6", "file:2"),
            ("task:6", "file:3"),
            ("file:4", "task:6"),
            ("task:5", "file:4"),
        )
    )
    assert tree.count("task:6") == 2
    assert tree.count("(above)") == 2
    assert [line for line in tree.splitlines() if "task:6" in line][1].endswith("(above)")


def test_versions_and_files_show_their_numbers():
    """A version has its number and title, a file its number among those at its path."""
    data = {
        "project_version:2": {"projectName": "lemons", "projectId": 7, "number": 3, "title": "before"},
        "file:1": {"path": "/m.pt", "number": 1, "count": 2, "current": False},
    }
    tree = render_trace(trace(("task:5", "file:1"), ("project_version:2", "task:5"), data=data))
    assert 'lemons  version:2  version 3 of project:7 "before"' in tree
    assert tree.startswith("/m.pt  file:1  file, number 1 of 2 at its path, replaced since\n")


def test_omitted_neighbours_are_counted():
    """On the card, and at the end if the trace is cut off."""
    tree = render_trace(trace(cards={"file:1": card("file:1", more=3)}, complete=False))
    assert "+3 more" in tree.splitlines()[0]
    assert "The trace is cut off" in tree


def test_control_characters_in_names_are_escaped():
    """Without Unicode everything is ASCII."""
    hostile = {**RUN, "name": "a\x1b[31mb\nc", "facts": {"command": ["x\x07", "\u202e"]}}
    tree = render_trace(trace(("task:5", "file:1"), runs={"task:5": hostile}))
    assert not set(tree) & set("\x1b\x07\u202e")
    assert len(tree.splitlines()) == 3
    assert render_trace(trace(("task:5", "file:1"), runs={"task:5": hostile}), unicode=False).isascii()


def test_a_long_chain_needs_no_recursion():
    """It is longer than Python's stack is deep."""
    chain = [
        (f"task:{n + 1}" if n % 2 else f"file:{n + 1}", f"file:{n}" if n % 2 else f"task:{n}") for n in range(3000)
    ]
    assert render_trace(trace(*[pair for pair in chain if pair[1] != "task:0"], entry="file:1")).count("\n") > 2000


def test_a_trace_is_read_back_from_json():
    """The JSON form holds all of it."""
    traced = trace(("task:5", "file:1"), runs={"task:5": RUN}, data={"file:1": {"path": "/m"}}, complete=False)
    assert Trace.from_json(traced.to_json()) == traced


def test_the_producer_is_the_nearest_and_latest_run():
    """Data that no run wrote has the producer of what contains it, or None."""
    late = {**RUN, "startedAt": "2026-08-25T00:00:00.000Z"}
    both = trace(("task:5", "file:1"), ("task:6", "file:1"), runs={"task:5": RUN, "task:6": late})
    assert both.producer() == "task:6"
    held = trace(("project:2", "file:1"), ("task:5", "project:2"), runs={"task:5": RUN})
    assert held.producer() == "task:5"
    assert trace(("project:2", "file:1"), ("file:1", "project:2")).producer() is None


def test_a_run_has_its_results_and_links():
    """On lines of their own, below the command; an address that is not of the web is left out."""
    facts = {"result.mAP": 0.61, "result.bad": "x", "link.W&B": "https://wandb.ai/a", "link.evil": "javascript:1"}
    text = render_trace(trace(("task:1", "file:1"), runs={"task:1": {**RUN, "facts": facts}}))
    assert "mAP=0.61" in text
    assert "W&B: https://wandb.ai/a" in text
    assert "javascript" not in text
    assert "bad" not in text

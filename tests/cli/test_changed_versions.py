"""A project that is changed while a function reads the version of it: a doubt, which all who read the run see."""

from __future__ import annotations

import asyncio

from autoflow import Api, flush, versioned, workflow
from autoflow.graph.graph import Card
from autoflow.reproduction.explanation import explain
from tests.cli.test_reproduce import add


def test_a_change_while_the_body_reads_is_a_doubt(monkeypatch, tmp_path, command):
    """On the card, in the trace and as a cause; not if the project is unchanged, or was changed after the body."""
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    monkeypatch.chdir(tmp_path)
    api = Api()
    project = api.project.create(1, "lemons")
    dataset = api.dataset.create(project.id, "ds")
    add(api, dataset.id, "a.png", (1, 2, 3))

    @versioned
    def load(project_id, name=None):
        if name is not None:
            add(api, dataset.id, name, (4, 5, 6))

    @versioned
    async def load_async(project_id):
        add(api, dataset.id, "c.png", (7, 8, 9))

    with workflow("unchanged"):
        load(project.id)
        add(api, dataset.id, "later.png", (3, 3, 3))
    with workflow("changed"):
        load(project.id, "b.png")
    with workflow("changed"):
        asyncio.run(load_async(project.id))
    assert flush(30)
    sentence = "version:{} was changed while it was read: other data may have been used"
    for task, expected in (("task:1", None), ("task:2", sentence.format(2)), ("task:3", sentence.format(3))):
        trace = api.trace(task)
        card: Card = next(card for card in trace.graph.cards if card.key == task)
        assert (card.description, expected is not None) == (expected, sentence[-20:] in command("trace", task)[1])
        causes = explain(trace.runs[task]["facts"], {}, [], [])
        assert [cause.details for cause in causes if cause.kind == "data"] == ([expected] if expected else [])
    api.transport.close()

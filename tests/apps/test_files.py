"""Files as apps hand them over: numbers, paths, infos, checkpoints."""

from __future__ import annotations

import pytest

import autoflow
from autoflow import (
    FileInfo,
    cards,
    current_run,
    select,
    workflow_input,
    workflow_output,
)
from tests.apps.assertions import ARCHIVE, edges, nodes, relations

pytestmark = [pytest.mark.core, pytest.mark.slow]


@pytest.mark.parametrize("value", [9001, "9001", ARCHIVE, ARCHIVE[1:], {"id": 9001}, FileInfo(9, 9001), "info"])
def test_an_archive_card_is_complete_however_the_file_is_given(case, value):
    """The name, the number and the team of a file are looked up when the value does not carry them."""
    value = case.file(ARCHIVE) if value == "info" else value

    @workflow_output("file", card=cards.archive)
    def upload():
        return value

    upload()
    assert edges(case) == [("output", "file", 9001)]
    assert relations(case) == [
        {
            "title": "<h4>52345_lemons.tar</h4>",
            "icon": {"icon": "zmdi-archive", "color": "#33c94c", "backgroundColor": "#d9f7e4"},
            "mainLink": {"url": "/files/9001/true/?teamId=9", "title": "Download"},
        }
    ]


def test_a_file_that_is_not_there_is_a_dead_letter_and_the_rest_goes_on(case):
    """A path that Team Files do not have costs its own edge only, with the reason kept."""

    @workflow_input("file", value="paths", model_weight=True)
    def load(paths): ...

    load(["/run/best_1.pth", "/run/nope.pth", "/run/last.pth"])
    assert edges(case) == [("input", "model_weight", 7101), ("input", "model_weight", 7103)]
    assert autoflow.status()["dead"] == 1


def test_a_path_and_a_number_of_one_file_are_one_edge(case):
    """A file recorded by its path, and again by its number, is posted once."""
    run = current_run()
    run.output("file", ARCHIVE)
    run.output("file", 9001)
    run.output("file", case.file(ARCHIVE))
    assert edges(case) == [("output", "file", 9001)]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["best_1.pth", "last.pth", "best_2.pth"], 7102),
        (["last.pth"], 7103),
        (["report.lnk"], None),
        ([], None),
        (None, None),
    ],
)
def test_the_best_checkpoint(case, names, expected):
    """Of several called best the last by name; without one the last weights; without weights no edge."""

    @workflow_output(
        "file", value=select.best_checkpoint("files"), model_weight=True, card=cards.checkpoints, node=cards.session
    )
    @workflow_output("file", value="report", card=cards.report, node=cards.session)
    def upload(files, report): ...

    upload(None if names is None else [case.file(f"/run/{name}") for name in names], case.file("/run/report.lnk"))
    report = ("output", "file", 7300)
    assert edges(case) == ([report] if expected is None else [("output", "model_weight", expected), report])
    assert nodes(case)[-1] == {"mainLink": {"url": "/apps/321/sessions/52345", "title": "Show Results"}}

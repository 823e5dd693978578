"""Stock selectors for values."""

from __future__ import annotations

from pathlib import PurePosixPath
from types import SimpleNamespace

import pytest

from autoflow import select, workflow_output

pytestmark = pytest.mark.core


def files(*names):
    """FileInfos of these names, numbered from 1."""
    return [SimpleNamespace(id=number, name=name) for number, name in enumerate(names, 1)]


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["epoch_1.pth", "best_2.pth", "best_1.pth"], 2),
        (["epoch_1.pth", "epoch_3.pth", "epoch_2.pth"], 2),
        (["a.txt", "epoch_1.pt", "z.log"], 2),
        (["BEST.onnx", "last.onnx"], 1),
        (["a.safetensors", "b.ckpt"], 2),
        (["a.txt", "b.log"], None),
        (["epoch_10.pth", "epoch_9.pth"], 2),
        ([], None),
    ],
)
def test_the_best_checkpoint_is_the_last_best_else_the_last_weights(recorded_edges, names, chosen):
    """In plain text order; with none, no edge."""
    workflow_output("file", value=select.best_checkpoint("result"))(lambda: files(*names))()
    assert [number for _, _, number in recorded_edges()] == ([] if chosen is None else [chosen])


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["/a/last.pt", "/a/best.pt"], ["/a/best.pt"]),
        ([PurePosixPath("/a/best.pt")], ["/a/best.pt"]),
        ("/a/only.pt", ["/a/only.pt"]),
        ({"id": 5, "name": "best.pt"}, [5]),
        ({"x": "/a/best.pt", "y": "/a/last.pt"}, ["/a/best.pt"]),
        ([{"id": 6, "name": "best.pt"}, None], [6]),
        (("/best/not.txt", "/a/w.pt"), ["/a/w.pt"]),
        (None, []),
        (7, []),
    ],
)
def test_checkpoints_may_have_any_form(recorded_edges, files, expected):
    """Paths, infos, mappings, a single one."""
    workflow_output("file", value=select.best_checkpoint(lambda call: call.result))(lambda: files)()
    assert [number for _, _, number in recorded_edges()] == expected


def test_an_iterator_of_checkpoints_is_left_alone():
    """The app has still to read it."""
    iterator = iter(["/a/best.pt"])
    assert workflow_output("file", value=select.best_checkpoint("result"))(lambda: iterator)() is iterator
    assert list(iterator) == ["/a/best.pt"]


def test_a_malformed_path_is_refused_at_once():
    """A path is checked when the selector is created."""
    with pytest.raises(ValueError, match="not a path"):
        select.best_checkpoint("not a path")

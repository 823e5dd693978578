"""Replacement of unambiguous ids, names and paths in a recorded command."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.reproduction.substitution import Command, Replacement, mentions, substitute

pytestmark = pytest.mark.core

PROJECT = Replacement("project", "7", "12")
NAME = Replacement("project", "lemons", "lemons, from ver. 1")
DATASET = Replacement("dataset", "3", "9")
FILE = Replacement("file", "/models/best.pt", "/reproduced/best.pt")
REPLACEMENTS = [PROJECT, NAME, DATASET, FILE]


def words(line, parameters=None, environment=None, replacements=REPLACEMENTS):
    """Return the words of a command after the replacements; the line is split at spaces."""
    return substitute(Command(line.split(), parameters or {}, environment or {}), replacements).words


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("python train.py --project-id 7", "python train.py --project-id 12"),
        ("python train.py --project-id=7", "python train.py --project-id=12"),
        ("python train.py --projectId 7 --epochs 7", "python train.py --projectId 12 --epochs 7"),
        ("python train.py data.project_id=7", "python train.py data.project_id=12"),
        ("python train.py --source-project lemons", "python train.py --source-project lemons, from ver. 1"),
        ("python -m train --project 7", "python -m train --project 12"),
        ("python -W error -u train.py --project 7", "python -W error -u train.py --project 12"),
        ("python train.py --dataset-id 3 --project-id 7", "python train.py --dataset-id 9 --project-id 12"),
        ("python train.py --weights /models/best.pt", "python train.py --weights /reproduced/best.pt"),
        ("python train.py init=/models/best.pt", "python train.py init=/reproduced/best.pt"),
    ],
)
def test_values_of_named_options_are_replaced(line, expected):
    """The name of the option or argument contains the kind; a path is recognized by its value."""
    assert " ".join(words(line)) == expected


@pytest.mark.parametrize(
    "line",
    [
        "python train.py --epochs 7",
        "python train.py --epochs=7 --seed 3",
        "python train.py 7",
        "python train.py --verbose 7",
        "python train.py --project-id 77",
        "python train.py --project-id 7x",
        "python 7 --size 7",
        "python -c 7",
        "python train.py --project-id 8 7",
        "python train.py --lemons lemons",
    ],
)
def test_ambiguous_values_are_not_replaced(line):
    """A number under another name, or a positional one without a matching parameter, is unchanged."""
    assert words(line) == line.split()


def test_a_positional_number_is_identified_by_a_parameter():
    """It occurs once, and no other parameter has that value."""
    parameters = {"project_id": 7, "epochs": 20}
    assert words("python train.py 7 --epochs 20", parameters) == ["python", "train.py", "12", "--epochs", "20"]
    assert words("python train.py 7 7", parameters) == ["python", "train.py", "7", "7"]
    assert words("python train.py 7", {"project_id": 7, "epochs": 7}) == ["python", "train.py", "7"]
    assert words("python train.py 7", {"epochs": 7}) == ["python", "train.py", "7"]
    assert words("python train.py --fast 7", parameters) == ["python", "train.py", "--fast", "7"]


def test_an_option_of_several_values():
    """An option takes several values if the parameter of its name is a list."""
    line = "python merge.py --project-ids 5 7 --out x"
    assert words(line, {"project_ids": [5, 7]}) == ["python", "merge.py", "--project-ids", "5", "12", "--out", "x"]
    assert words(line, {"project_ids": 5}) == line.split()


def test_the_environment_and_the_parameters():
    """Variables of Supervisely apps and nested parameters are replaced; parameters keep their types."""
    parameters = {"state": {"slyProjectId": 7, "lr": 7}, "project": "lemons", "all": {"projects": [7, 8]}}
    environment = {"modal.state.slyProjectId": "7", "OMP_NUM_THREADS": "7", "PROJECT_ID": "7"}
    result = substitute(Command(["python", "a.py"], parameters, environment), REPLACEMENTS)
    assert result.environment == {"modal.state.slyProjectId": "12", "OMP_NUM_THREADS": "7", "PROJECT_ID": "12"}
    assert result.parameters == {
        "state": {"slyProjectId": 12, "lr": 7},
        "project": "lemons, from ver. 1",
        "all": {"projects": [12, 8]},
    }
    assert result.applied == {PROJECT}


def test_replacements_are_simultaneous():
    """None is applied to the result of another."""
    line = "python a.py --project-a 7 --project-b 12"
    both = [Replacement("project", "7", "12"), Replacement("project", "12", "13")]
    assert words(line, replacements=both) == ["python", "a.py", "--project-a", "12", "--project-b", "13"]


def test_values_that_a_command_mentions():
    """They are searched in arguments, after equals signs, in parameters and in the environment."""
    assert mentions(Command(["python", "a.py", "--w=/m.pt"], {}, {}), "/m.pt")
    assert mentions(Command(["python", "a.py"], {"w": ["/m.pt"]}, {}), "/m.pt")
    assert mentions(Command(["python", "a.py"], {}, {"modal.state.slyFile": "/m.pt"}), "/m.pt")
    assert not mentions(Command(["python", "a.py", "/m.pth"], {}, {}), "/m.pt")


@given(st.lists(st.text(max_size=8)), st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=8)))
def test_without_replacements_nothing_changes(line, parameters):
    """For any command."""
    assert substitute(Command(line, parameters, {}), []) == Command(line, parameters, {})


@given(
    st.lists(st.sampled_from(["--project-id", "--epochs", "7", "12", "--project-id=7", "x", "-m", "-1"]), max_size=8)
)
def test_only_complete_values_are_replaced(arguments):
    """The number of words stays, and each is unchanged or has the new id instead of the old one."""
    line = ["python", "train.py", *arguments]
    for old, new in zip(line, words(" ".join(line)), strict=True):
        assert new == old or (old.endswith("7") and new == old.removesuffix("7") + "12")

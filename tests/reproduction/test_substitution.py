"""What in a command is replaced by the restored data: what is certain, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.reproduction.substitution import Command, Swap, mentions, substitute

pytestmark = pytest.mark.core

PROJECT = Swap("project", "7", "12")
NAME = Swap("project", "lemons", "lemons, from ver. 1")
DATASET = Swap("dataset", "3", "9")
FILE = Swap("file", "/models/best.pt", "/reproduced/best.pt")
SWAPS = [PROJECT, NAME, DATASET, FILE]


def words(line, parameters=None, environment=None, swaps=SWAPS):
    """A command's words after the swaps; the line is split at spaces."""
    return substitute(Command(line.split(), parameters or {}, environment or {}), swaps).words


@pytest.mark.parametrize(
    ("given_", "wanted"),
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
def test_a_name_says_what_a_value_is(given_, wanted):
    """An option's or an argument's name has the word in it; a path says so itself."""
    assert " ".join(words(given_)) == wanted


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
def test_what_is_not_certain_stays(line):
    """A number under another name, or alone without a parameter that says what it is."""
    assert words(line) == line.split()


def test_a_number_alone_is_what_a_parameter_says():
    """It stands there once, and no other parameter has that value."""
    told = {"project_id": 7, "epochs": 20}
    assert words("python train.py 7 --epochs 20", told) == ["python", "train.py", "12", "--epochs", "20"]
    assert words("python train.py 7 7", told) == ["python", "train.py", "7", "7"]
    assert words("python train.py 7", {"project_id": 7, "epochs": 7}) == ["python", "train.py", "7"]
    assert words("python train.py 7", {"epochs": 7}) == ["python", "train.py", "7"]
    assert words("python train.py --fast 7", told) == ["python", "train.py", "--fast", "7"]


def test_an_option_of_several_values():
    """A parameter that is a list says that an option takes more than one."""
    line = "python merge.py --project-ids 5 7 --out x"
    assert words(line, {"project_ids": [5, 7]}) == ["python", "merge.py", "--project-ids", "5", "12", "--out", "x"]
    assert words(line, {"project_ids": 5}) == line.split()


def test_the_environment_and_the_parameters():
    """Variables a Supervisely app is told its project by, and parameters at any depth, keeping their types."""
    parameters = {"state": {"slyProjectId": 7, "lr": 7}, "project": "lemons", "all": {"projects": [7, 8]}}
    environment = {"modal.state.slyProjectId": "7", "OMP_NUM_THREADS": "7", "PROJECT_ID": "7"}
    made = substitute(Command(["python", "a.py"], parameters, environment), SWAPS)
    assert made.environment == {"modal.state.slyProjectId": "12", "OMP_NUM_THREADS": "7", "PROJECT_ID": "12"}
    assert made.parameters == {
        "state": {"slyProjectId": 12, "lr": 7},
        "project": "lemons, from ver. 1",
        "all": {"projects": [12, 8]},
    }
    assert made.placed == {PROJECT}


def test_swaps_are_made_at_once():
    """What one puts in is not what another takes out."""
    line = "python a.py --project-a 7 --project-b 12"
    both = [Swap("project", "7", "12"), Swap("project", "12", "13")]
    assert words(line, swaps=both) == ["python", "a.py", "--project-a", "12", "--project-b", "13"]


def test_what_a_command_mentions():
    """A value in an argument, after its equals sign, in a parameter or in the environment."""
    assert mentions(Command(["python", "a.py", "--w=/m.pt"], {}, {}), "/m.pt")
    assert mentions(Command(["python", "a.py"], {"w": ["/m.pt"]}, {}), "/m.pt")
    assert mentions(Command(["python", "a.py"], {}, {"modal.state.slyFile": "/m.pt"}), "/m.pt")
    assert not mentions(Command(["python", "a.py", "/m.pth"], {}, {}), "/m.pt")


@given(st.lists(st.text(max_size=8)), st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=8)))
def test_without_swaps_nothing_changes(line, parameters):
    """Whatever the command is."""
    assert substitute(Command(line, parameters, {}), []) == Command(line, parameters, {})


@given(
    st.lists(st.sampled_from(["--project-id", "--epochs", "7", "12", "--project-id=7", "x", "-m", "-1"]), max_size=8)
)
def test_only_whole_values_change_and_none_is_lost(arguments):
    """The words are as many as before, and each is what it was or has the new number in the old one's place."""
    line = ["python", "train.py", *arguments]
    for was, now in zip(line, words(" ".join(line)), strict=True):
        assert now == was or (was.endswith("7") and now == was.removesuffix("7") + "12")

"""The README's code does what the README says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.core

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
ROOT = Path(__file__).parents[2]
OTHER_PROJECT = re.compile(r"""pip install (?:-\S+ )*["'`]?autoflow(?![-\w./])|["'`]autoflow\[[a-z]""")


def test_the_example_records_what_its_comments_say(autoflow_edges):
    """The block runs as it stands; one input and two outputs are recorded, the checkpoints with their card."""
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})
    edges = autoflow_edges()
    assert [(edge.direction, edge.id) for edge in edges] == [
        ("input", 1),
        ("output", "/experiments/lemons/epoch-20"),
        ("output", "/experiments/lemons/logs"),
    ]
    assert edges[1].card["title"] == "Checkpoints"


def test_every_installation_names_the_distribution():
    """`pip install autoflow` would bring another project: what is said anywhere is `autoflow-lineage`."""
    wrong = []
    for folder in ("autoflow", "docs", "examples", "tests", "."):
        files = (ROOT / folder).glob("*" if folder == "." else "**/*")
        for file in files:
            if file.suffix in {".py", ".md", ".toml", ".js"} and file != Path(__file__):
                text = file.read_text(encoding="utf-8")
                wrong += [f"{file.name}: {line}" for line in text.splitlines() if OTHER_PROJECT.search(line)]
    assert wrong == []


@pytest.mark.parametrize("name", sorted(set(re.findall(r"(?:docs|examples)/[\w./]*\w|CHANGELOG\.md", README))))
def test_what_it_points_to_is_there(name):
    """Every file and folder the README names exists."""
    assert (ROOT / name).exists()


def test_every_target_it_names_is_in_the_makefile():
    """`make demo`, `make test` and the others are targets."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {word for line in re.findall(r"make ((?:[a-z]+ ?)+)", README) for word in line.split()}
    named &= {"demo", "test", "lint", "types", "bench", "soak", "clean"}
    assert named
    assert {target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()

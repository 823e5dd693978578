"""The example of a dataset format in docs/extending.md, installed as a package with an entry point."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from autoflow.datasets import formats
from autoflow.errors import FolderError
from tests.datasets.conftest import png, write

DOCUMENT = Path(__file__).parents[2] / "docs" / "extending.md"


def code_blocks():
    """Return the code blocks of the section about dataset formats, by language."""
    _, _, section = DOCUMENT.read_text(encoding="utf-8").partition("\n## A new dataset format\n")
    section = section.partition("\n## ")[0]
    return dict(re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL))


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A function that installs a module with the document's entry point."""

    def install(source):
        site = tmp_path / "site"
        write(site / "csv_boxes.py", source)
        name, value = re.search(r'^([\w-]+) = "(.*)"$', code_blocks()["toml"], re.MULTILINE).groups()
        write(site / "csv_boxes-1.0.dist-info" / "METADATA", "Metadata-Version: 2.1\nName: csv-boxes\nVersion: 1.0\n")
        write(site / "csv_boxes-1.0.dist-info" / "entry_points.txt", f"[{formats.ENTRY_POINTS}]\n{name} = {value}\n")
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.delitem(sys.modules, "csv_boxes", raising=False)

    return install


def corners(content, key):
    return [(label["classTitle"], label["points"]["exterior"]) for label in content[key][1]]


def test_a_format_of_a_package_is_imported(installed, folder, sync, projects, later, opened):
    """Its labels are imported; later only images with other boxes change, and an unchanged folder is not read."""
    installed(code_blocks()["python"])
    write(folder / "train" / "1.png", png((1, 0, 0)))
    write(folder / "train" / "2.png", png((2, 0, 0)))
    write(folder / "boxes.csv", "train/1.png,cat,0,0,4,3\ntrain/2.png,dog,1,1,2.5,2\n")
    project = sync()
    content = projects.content(project.id)
    assert corners(content, "train:1.png") == [("cat", [[0, 0], [4, 3]])]
    assert corners(content, "train:2.png") == [("dog", [[1, 1], [2.5, 2]])]
    later()
    opened.clear()
    sync()
    assert opened == []
    write(folder / "boxes.csv", "train/1.png,cat,0,0,4,3\ntrain/2.png,dog,0,0,2,2\n")
    reports = []
    sync(progress=lambda *report: reports.append(report))
    assert reports[-1] == ("images", 1, 1)
    assert corners(projects.content(project.id), "train:2.png") == [("dog", [[0, 0], [2, 2]])]


def test_an_error_of_a_package_format_names_the_file(installed, folder, sync):
    """As errors of the built-in formats do."""
    installed(code_blocks()["python"])
    write(folder / "1.png", png())
    write(folder / "boxes.csv", "1.png,cat\n")
    with pytest.raises(FolderError, match=r"boxes.csv', line 1: 6 columns are required, not 2"):
        sync()


def test_a_format_that_cannot_be_imported_is_an_error(installed, folder, sync, api):
    """The folder is not read in another format, which would lose its labels."""
    installed("import a_module_that_does_not_exist")
    write(folder / "1.png", png())
    with pytest.raises(FolderError, match=r"format 'csv-boxes' of csv-boxes cannot be imported .*: upgrade or uninst"):
        sync()
    assert api.project.get_list() == []

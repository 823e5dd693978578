"""`autoflow.search`: by a part of a name in either case or by a number, best matches first, fast on many rows."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import event, insert

from autoflow.errors import ServerRefused
from autoflow.server.db.schema import items


def titles(answer, kind=None):
    return [result["title"] for result in answer["results"] if kind in {None, result["kind"]}]


def test_each_kind_is_found_with_a_link_to_its_page(filled):
    """Projects, datasets, images, files, runs, versions and jobs, by any part of their names."""
    project = filled.project("lemon trees")
    dataset = filled.dataset(project, "lemon set")
    image = filled.image(dataset, "a-lemon.png")["id"]
    file = filled.file("/models/lemon.pt")["id"]
    task = filled.call("autoflow.runs.ensure", run="r", name="Train lemons")["task"]
    version = filled.snapshot(project, title="lemons of May")
    job = filled.call("jobs.add", name="Label lemons", datasetId=dataset, userIds=[1])[0]["id"]
    links = {result["kind"]: result["link"] for result in filled.call("autoflow.search", q="LEMON")["results"]}
    assert links == {
        "project": f"/projects/{project}",
        "dataset": f"/projects/{project}/datasets/{dataset}",
        "image": f"/images/{image}",
        "file": f"/files/{file}",
        "run": f"/apps/sessions/{task}",
        "version": f"/projects/{project}/versions#v{version['version']}",
        "job": f"/labeling/jobs/{job}",
    }
    assert titles(filled.call("autoflow.search", q="/models/")) == ["lemon.pt"]
    assert filled.call("autoflow.search", q="nowhere")["results"] == []
    assert filled.call("autoflow.search", q=" ")["results"] == []


def test_equal_names_come_first(filled):
    """Equal names, then names with that prefix, then names that contain it; the newest first within each."""
    for name in ("my tree", "trees", "tree", "treehouse"):
        filled.project(name)
    assert titles(filled.call("autoflow.search", q="Tree"), "project") == ["tree", "treehouse", "trees", "my tree"]


@pytest.mark.parametrize("text", ["50%", "a_b", "a/b", "quo'te", "back\\slash"])
def test_wildcards_are_escaped(filled, text):
    """A percent sign or an underscore matches itself only."""
    filled.project(f"x {text} y")
    filled.project("plain")
    assert titles(filled.call("autoflow.search", q=text, kinds=["project"])) == [f"x {text} y"]


def test_case_of_other_scripts_is_ignored(filled):
    """Even where the database folds the case of ASCII letters only."""
    filled.project("Лимоны")
    assert titles(filled.call("autoflow.search", q="лимоны")) == ["Лимоны"]


def test_search_by_number(filled):
    """`7`, `#7` and `project:7`; a bare number is searched for in names too."""
    number = filled.project("first")
    filled.project(f"named {number}")
    both = filled.call("autoflow.search", q=str(number), kinds=["project"])
    assert titles(both) == ["first", f"named {number}"]
    assert titles(filled.call("autoflow.search", q=f"#{number}", kinds=["project"])) == ["first"]
    assert titles(filled.call("autoflow.search", q=f"project:{number}")) == ["first"]
    assert filled.call("autoflow.search", q="project:99999")["results"] == []


def test_removed_and_replaced_rows_are_not_found(filled):
    """Removed projects with all in them, and files that are not current any more."""
    project = filled.project("lemons")
    dataset = filled.dataset(project, "lemon set")
    filled.image(dataset, "lemon.png")
    filled.snapshot(project, title="lemon version")
    filled.call("projects.archive", id=project)
    filled.file("/lemon.pt")
    new = filled.file("/lemon.pt", data=b"2")["id"]
    results = filled.call("autoflow.search", q="lemon")["results"]
    assert [(entity["kind"], entity["id"]) for entity in results] == [("file", new)]


def test_a_search_names_the_kinds_with_more_results(filled):
    """`limit` applies to each kind."""
    for n in range(4):
        filled.project(f"tree {n}")
    answer = filled.call("autoflow.search", q="tree", limit=3)
    assert (len(answer["results"]), answer["more"]) == (3, ["project"])
    with pytest.raises(ServerRefused) as refusal:
        filled.call("autoflow.search", q="tree", kinds=["everything"])
    assert refusal.value.status == 400


def test_the_number_of_statements_is_constant(filled):
    """Two statements a kind, and one more for a number: none a row."""
    project = filled.project()
    dataset = filled.dataset(project)
    row = {
        "project_id": project,
        "dataset_id": dataset,
        "created_by": 1,
        "created_at": "",
        "updated_at": "",
        "valid_from": 1,
    }
    with filled.server._store.write() as conn:
        conn.execute(insert(items), [{**row, "name": f"tree {n}.png"} for n in range(3000)])
    statements = []
    engine = filled.server._store._engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    answer = filled.call("autoflow.search", q="tree 29")
    assert len([statement for statement in statements if statement.lstrip().upper().startswith("SELECT")]) <= 16
    assert answer["more"] == ["image"]


def test_words_are_found_in_any_order_by_their_beginnings_and_without_accents(filled):
    """Separators, case and accents make no difference; a part of a text is found too, as it is written."""
    number = filled.project("Train YOLOv8 of Kraków (Zoé)", description="after RT-DETR, best of three")
    filled.project("Test Yolanda")
    in_order = ("yolo train", "train yolo", "yol tra", "TRAIN YOLOv8", "rt detr", "detr_rt")
    for text in (*in_order, "krakow", "zoe", "Kraków", "ŻOE", "est of"):
        assert [result["id"] for result in filled.call("autoflow.search", q=text)["results"]] == [number], text


def test_a_misspelled_word_is_found_if_nothing_else_is(filled):
    """One letter more, less, another one or two swapped, in each word."""
    file = filled.file("/checkpoints/checkpoint/best.pt")["id"]
    for text in ("bset", "beest", "bst", "bext", "chekpoint bets"):
        assert [result["id"] for result in filled.call("autoflow.search", q=text)["results"]] == [file], text
        project = filled.project(text)
        assert [result["id"] for result in filled.call("autoflow.search", q=text)["results"]] == [project], text
        filled.call("projects.archive", id=project)


def test_the_index_follows_changed_names(filled):
    """Renamed, failed and removed entities are found by what they say now."""
    project = filled.project("lemons")
    filled.call("projects.editInfo", id=project, name="oranges")
    assert titles(filled.call("autoflow.search", q="lemons")) == []
    assert titles(filled.call("autoflow.search", q="oranges")) == ["oranges"]
    records = [
        {"type": "run", "key": "1", "run": "r", "name": "Train"},
        {"type": "finish", "key": "2", "run": "r", "state": "failed", "error": "CUDA out of memory"},
    ]
    filled.call("autoflow.records.add", records=records)
    assert titles(filled.call("autoflow.search", q="cuda")) == ["Train"]


def test_versions_and_tasks_are_found_by_their_references(filled):
    """`V2` and `task:1`, as the page and the command line write them."""
    project = filled.project("lemons")
    filled.snapshot(project)
    filled.image(filled.dataset(project))
    second = filled.snapshot(project)
    versions = filled.call("autoflow.search", q="v2")["results"]
    assert [(result["kind"], result["id"]) for result in versions] == [("version", second["id"])]
    task = filled.call("autoflow.runs.ensure", run="r", name="Train")["task"]
    assert titles(filled.call("autoflow.search", q=f"task:{task}")) == ["Train"]


def test_files_and_images_are_found_by_their_sha256(filled):
    """In hexadecimal digits, as `sha256sum` prints it."""
    file = filled.file("/a.pt", data=b"weights")["id"]
    results = filled.call("autoflow.search", q=hashlib.sha256(b"weights").hexdigest())["results"]
    assert [(result["kind"], result["id"]) for result in results] == [("file", file)]


def test_a_text_of_any_form_is_indexed(filled):
    """Longer than a word or a text of PostgreSQL's index may be, or without a word."""
    project = filled.project("lemons")
    for text in ("x" * 5000, "word " * 2000, "???", "é" * 3000):
        filled.call("projects.editInfo", id=project, description=text)
        assert titles(filled.call("autoflow.search", q="lem")) == ["lemons"]
    assert filled.call("autoflow.search", q="'quo\"te & | ! :* (")["results"] == []


def test_a_query_is_text_never_syntax(filled):
    """The languages of FTS5 and of tsquery are not spoken."""
    filled.project("lemons")
    for text in ("&", "'", '"', "*", "NOT", "a AND b", "x OR", "near(a b)", "\\", "{name} : x", "^a"):
        assert filled.call("autoflow.search", q=text)["results"] == [], text

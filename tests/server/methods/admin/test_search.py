"""Search over everything: by a part of a name in either case, by a number, the best first, and quick on many rows."""

from __future__ import annotations

import pytest
from sqlalchemy import event, insert

from autoflow.errors import ServerRefused
from autoflow.server.db.schema import items


def titles(answer, kind=None):
    return [one["title"] for one in answer["results"] if kind in {None, one["kind"]}]


def test_each_kind_of_thing_is_found_and_leads_to_its_page(filled):
    """Projects, datasets, images, files, runs, versions and jobs, by any part of what they are called."""
    project = filled.project("lemon trees")
    dataset = filled.dataset(project, "lemon set")
    image = filled.image(dataset, "a-lemon.png")["id"]
    file = filled.file("/models/lemon.pt")["id"]
    task = filled.call("autoflow.runs.ensure", run="r", name="Train lemons")["task"]
    version = filled.snapshot(project, title="lemons of May")
    job = filled.call("jobs.add", name="Label lemons", datasetId=dataset, userIds=[1])[0]["id"]
    found = {one["kind"]: one["link"] for one in filled.call("autoflow.search", q="LEMON")["results"]}
    assert found == {
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


def test_what_is_called_so_comes_first(filled):
    """The same name, then the same beginning, then the rest; the newest first within each."""
    for name in ("my tree", "trees", "tree", "treehouse"):
        filled.project(name)
    assert titles(filled.call("autoflow.search", q="Tree"), "project") == ["tree", "treehouse", "trees", "my tree"]


@pytest.mark.parametrize("text", ["50%", "a_b", "a/b", "quo'te", "back\\slash"])
def test_signs_of_the_database_mean_themselves(filled, text):
    """A percent sign or an underline finds itself, not anything."""
    filled.project(f"x {text} y")
    filled.project("plain")
    assert titles(filled.call("autoflow.search", q=text, kinds=["project"])) == [f"x {text} y"]


def test_letters_of_other_scripts_are_found_in_either_case(filled):
    """Also where the database folds the letters of ASCII alone."""
    filled.project("Лимоны")
    assert titles(filled.call("autoflow.search", q="лимоны")) == ["Лимоны"]


def test_a_number_leads_to_what_has_it(filled):
    """`7`, `#7` and `project:7`; a number is still looked for in names."""
    number = filled.project("first")
    filled.project(f"named {number}")
    both = filled.call("autoflow.search", q=str(number), kinds=["project"])
    assert titles(both) == ["first", f"named {number}"]
    assert titles(filled.call("autoflow.search", q=f"#{number}", kinds=["project"])) == ["first"]
    assert titles(filled.call("autoflow.search", q=f"project:{number}")) == ["first"]
    assert filled.call("autoflow.search", q="project:99999")["results"] == []


def test_what_was_put_away_or_replaced_is_not_found(filled):
    """Projects that were removed with all in them, and files that are current no more."""
    project = filled.project("lemons")
    dataset = filled.dataset(project, "lemon set")
    filled.image(dataset, "lemon.png")
    filled.snapshot(project, title="lemon version")
    filled.call("projects.archive", id=project)
    filled.file("/lemon.pt")
    new = filled.file("/lemon.pt", data=b"2")["id"]
    found = filled.call("autoflow.search", q="lemon")["results"]
    assert [(one["kind"], one["id"]) for one in found] == [("file", new)]


def test_a_search_says_what_there_is_more_of(filled):
    """`limit` of each kind, and the kinds that have more."""
    for n in range(4):
        filled.project(f"tree {n}")
    answer = filled.call("autoflow.search", q="tree", limit=3)
    assert (len(answer["results"]), answer["more"]) == (3, ["project"])
    with pytest.raises(ServerRefused) as refusal:
        filled.call("autoflow.search", q="tree", kinds=["everything"])
    assert refusal.value.status == 400


def test_a_search_asks_a_few_questions_however_much_there_is(filled):
    """One statement a kind, and a second where a number is asked for: none a row."""
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
    asked = []
    engine = filled.server._store._engine
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    answer = filled.call("autoflow.search", q="tree 29")
    assert len([one for one in asked if one.lstrip().upper().startswith("SELECT")]) <= 8
    assert answer["more"] == ["image"]

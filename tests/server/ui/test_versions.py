"""The Versions tab of a project, as a person uses it."""

from __future__ import annotations

import io

import pytest

from autoflow.wire.parts import Part
from tests.server.ui.demo_project import wait_for


def entry(page, number):
    return page.locator(f"#v{number}")


def test_the_timeline_shows_what_changed(open_page, demo_project, expect):
    """The latest version comes first, with title, author, comment, run, counts of changes, and images on request."""
    page = open_page(f"/projects/{demo_project.project}/versions")
    first, second = entry(page, 1), entry(page, 2)
    expect(first.get_by_role("heading")).to_have_text("Before training")
    expect(first).to_contain_text("by admin")
    expect(first.get_by_role("link", name="task 2")).to_have_attribute("href", "/apps/sessions/2")
    expect(first.get_by_role("link", name="Train YOLO")).to_be_visible()
    expect(second).to_contain_text("1 image added")
    expect(second).to_contain_text("1 image removed")
    expect(second).to_contain_text("1 image changed")
    second.get_by_text("What changed").click()
    changed = second.locator(".changed-item", has_text="lemon 1.png")
    expect(changed).to_contain_text("other labels")
    expect(changed.locator("figure")).to_have_count(2)
    expect(changed.locator("figure canvas")).to_have_count(2)
    expect(changed.locator("figcaption").first).to_have_text("Before · 2 labels")
    expect(changed.locator("figcaption").last).to_have_text("After · 1 label")
    gone = second.locator(".changed-item", has_text="lemon 3.png")
    expect(gone).to_contain_text("removed")
    picture = gone.locator("img")
    expect(picture).to_have_count(1)
    wait_for(page, "(image) => image.complete && image.naturalWidth > 0", picture.element_handle())


def test_a_version_is_restored_as_a_new_project(open_page, demo_project, expect):
    """The new project has the data of the version, and a link leads to it."""
    page = open_page(f"/projects/{demo_project.project}/versions")
    entry(page, 1).get_by_role("button", name="Restore as a new project").click()
    entry(page, 1).locator(".progress a").click()
    expect(page.locator(".head")).to_contain_text("6 images · 2 datasets")
    expect(page.get_by_role("link", name="lemon 3.png")).to_be_visible()
    expect(page.get_by_role("link", name="lemon 9.png")).to_have_count(0)


def test_a_restore_shows_its_progress(open_page, demo_project, expect):
    """The page requests steps until the restore is done."""
    page = open_page(f"/projects/{demo_project.project}/versions")
    missed = {"count": 0, "names": []}
    step = {"done": False, "id": 9, "name": "x", "copied": 500, "total": 2000, "missed": missed}
    held = []

    def respond(route):
        if "restoring" in route.request.post_data_json:
            held.append(route)
        else:
            route.fulfill(json=step)

    page.route("**/autoflow.versions.restore", respond)
    entry(page, 1).get_by_role("button", name="Restore as a new project").click()
    expect(entry(page, 1).locator(".progress")).to_contain_text("500 of 2,000 items")
    assert entry(page, 1).locator("progress").evaluate("(bar) => bar.value / bar.max") == 0.25
    held[0].fulfill(json={**step, "done": True, "copied": 2000})
    expect(entry(page, 1).locator(".progress")).to_have_text("Restored as x")


@pytest.fixture
def project(demo_project):
    """A project with two versions and a change since the second."""
    filled = demo_project.filled
    project = filled.project(f"own {demo_project.filled.call('autoflow.changes')['changes']}")
    dataset = filled.dataset(project)
    for n in range(2):
        demo_project.image(dataset, n)
        filled.snapshot(project, title=f"with {n + 1}")
    demo_project.image(dataset, 5)
    return project


def test_a_version_is_created_on_the_page(open_page, project, expect):
    """It has the title and comment; afterwards nothing has changed, and the button is disabled."""
    page = open_page(f"/projects/{project}/versions")
    expect(page.get_by_label("The project now")).to_contain_text("It has changed since V2.")
    expect(page.get_by_label("The project now")).to_contain_text("1 image added")
    page.get_by_label("Title").fill("By hand")
    page.get_by_label("Comment").fill("before I go on")
    page.get_by_role("button", name="Create version").click()
    expect(entry(page, 3).get_by_role("heading")).to_have_text("By hand")
    expect(entry(page, 3)).to_contain_text("before I go on")
    expect(page.get_by_label("The project now")).to_contain_text("Nothing has changed since V3.")
    expect(page.get_by_role("button", name="Create version")).to_be_disabled()


def test_deleting_a_version_needs_confirmation(open_page, project, expect):
    """Escape and Cancel keep it; the focus returns to the button."""
    page = open_page(f"/projects/{project}/versions#v1")
    expect(entry(page, 1)).to_be_in_viewport()
    button = page.get_by_role("button", name="Delete version 1")
    button.click()
    expect(page.get_by_role("dialog")).to_contain_text("Delete V1?")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(entry(page, 1)).to_be_visible()
    button.click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(entry(page, 1)).to_have_count(0)
    expect(entry(page, 2)).to_be_visible()


def test_any_two_versions_are_compared(open_page, demo_project, expect):
    """They are chosen from lists, also the current state; swapping turns added into removed; the address holds both."""
    page = open_page(f"/projects/{demo_project.project}/versions")
    entry(page, 2).get_by_role("link", name="Compare").click()
    expect(page.get_by_role("combobox", name="From")).to_have_value(str(demo_project.first))
    expect(page.get_by_role("combobox", name="To")).to_have_value(str(demo_project.second))
    items = page.locator(".changed-item")
    expect(items).to_have_count(3)
    classes = page.get_by_role("table", name="Labels and images of each class").get_by_role("row")
    expect(classes).to_have_count(2)
    assert [*map(str.strip, classes.nth(1).get_by_role("cell").all_inner_texts())] == ["2 → 1", "\u22121"] * 2
    page.get_by_role("button", name="Show 5 unchanged").click()
    expect(classes).to_have_count(7)
    expect(items.filter(has_text="lemon 9.png")).to_contain_text("added")
    page.get_by_role("button", name="Swap").click()
    expect(items.filter(has_text="lemon 9.png")).to_contain_text("removed")
    page.get_by_label("Changed", exact=True).uncheck()
    expect(items).to_have_count(2)
    assert page.url.endswith(f"?from={demo_project.second}&to={demo_project.first}")
    page.get_by_role("combobox", name="To").select_option("Now")
    expect(page.get_by_role("heading", name="No differences")).to_be_visible()


def test_a_project_without_versions_explains_them(open_page, demo_project, expect):
    """The timeline and the comparison say how to create one."""
    project = demo_project.filled.project("No versions yet")
    page = open_page(f"/projects/{project}/versions")
    expect(page.get_by_role("heading", name="No versions yet", level=2)).to_be_visible()
    page.goto(f"/projects/{project}/versions/compare")
    expect(page.get_by_text("Create a version first")).to_be_visible()


def test_files_are_previewed_and_compared(open_page, filled, expect):
    """Texts and tables have a preview; a comparison shows sizes, rows and columns instead of pictures."""
    project = filled.project("tables", type="files")
    (dataset,) = filled.call("autoflow.folders.shape", projectId=project, datasets=[["train"]])["datasets"]

    def put(name, data):
        part = Part("0-file", io.BytesIO(data), "0", "application/octet-stream")
        (stored,) = filled.server.upload("autoflow.folders.upload", [part], {})["files"]
        image = {"name": name, "hash": stored["hash"]}
        return filled.call("autoflow.folders.put", datasetId=dataset, images=[image])["images"][0][0]

    table = put("lemons.csv", b"id,name\n1,<b>a</b>\n2,c\n")
    put("notes.bin", b"\0")
    filled.snapshot(project)
    put("lemons.csv", b"id,age\n1,2\n")
    filled.snapshot(project)
    page = open_page(f"/projects/{project}/datasets/{dataset}")
    expect(page.get_by_role("link", name="notes.bin")).to_be_visible()
    expect(page.locator(".head")).to_contain_text("2 files")
    page.goto(f"/images/{table}")
    expect(page.locator("table th").last).to_have_text("age")
    page.goto(f"/projects/{project}/versions")
    entry(page, 2).get_by_text("What changed").click()
    changed = entry(page, 2).locator(".changed-item", has_text="lemons.csv")
    expect(changed).to_contain_text("23 B → 11 B, 2 → 1 rows, + column age")

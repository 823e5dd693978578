"""The workflow of a project: its tabs, the images on its card, and the texts of an empty graph."""

from __future__ import annotations

import pytest

from tests.server.ui.assertions import card, panel


def tabs(page):
    return page.get_by_role("navigation", name="Project").get_by_role("link")


def test_every_page_of_a_project_has_its_tabs(open_page, demo_project, expect):
    """Data, Versions and Workflow link to each other, and the current one is marked."""
    page = open_page(f"/project/{demo_project.project}")
    expect(tabs(page)).to_have_text(["Data", "Versions", "Workflow"])
    expect(page.locator(".tabs [aria-current='page']")).to_have_text("Workflow")
    for name, path in (("Data", "/projects/{}"), ("Versions", "/projects/{}/versions"), ("Workflow", "/project/{}")):
        tabs(page).filter(has_text=name).click()
        page.wait_for_url(f"**{path.format(demo_project.project)}")
        expect(page.locator(".tabs [aria-current='page']")).to_have_text(name)


def test_only_a_project_has_tabs(open_page, demo_project, expect):
    """The workflow of a run or a workspace has none."""
    for path in (f"/task/{demo_project.training}", "/workspace/1"):
        page = open_page(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_role("navigation", name="Project")).to_have_count(0)


def test_a_phone_shows_all_tabs(open_page, demo_project, expect, violations):
    """At 390 pixels they have a row of their own."""
    page = open_page(f"/project/{demo_project.project}", viewport={"width": 390, "height": 844}, bypass_csp=True)
    for tab in tabs(page).all():
        expect(tab).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []


@pytest.mark.parametrize(
    ("images", "rows"), [(1, [1]), (2, [2]), (3, [2, 2]), (4, [2, 2]), (6, [2, 2])], ids=lambda value: str(value)
)
def test_a_projects_card_shows_its_first_images(open_page, demo_project, expect, images, rows):
    """Up to four images fill the frame: one alone, two side by side, of three the first at double height."""
    dataset = demo_project.own(f"With {images}")
    project = demo_project.filled.call("datasets.info", id=dataset)["projectId"]
    first = [demo_project.image(dataset, number) for number in range(images)][:4]
    demo_project.filled.edge("input", "project", project, run=f"reads {images}")
    page = open_page(f"/project/{project}")
    pictures = card(page, f"With {images}").locator(".picture img")
    expect(pictures).to_have_count(len(first))
    sources = [picture.get_attribute("src") for picture in pictures.all()]
    assert sources == [f"/storage/previews/{number}" for number in first]
    frame = card(page, f"With {images}").locator(".picture").bounding_box()
    boxes = [picture.bounding_box() for picture in pictures.all()]
    assert boxes[0]["width"] == pytest.approx(frame["width"] / rows[0], abs=3)
    for box in boxes:
        assert box["x"] >= frame["x"] - 1
        assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
        assert box["y"] + box["height"] <= frame["y"] + frame["height"] + 1
    covered = sum(box["width"] * box["height"] for box in boxes)
    assert covered == pytest.approx(frame["width"] * frame["height"], rel=0.05)


def test_a_broken_image_is_left_out(open_page, demo_project, expect):
    """If one of two images is broken, the other fills the frame."""
    dataset = demo_project.own("Half broken")
    project = demo_project.filled.call("datasets.info", id=dataset)["projectId"]
    demo_project.image(dataset, 1)
    content = demo_project.filled.content(demo_project.filled.picture(size=(200, 150))[:60])  # the header alone
    demo_project.filled.call("images.bulk.add", datasetId=dataset, images=[{"title": "broken.png", "hash": content}])
    demo_project.filled.edge("input", "project", project, run="reads broken")
    page = open_page(f"/project/{project}")
    pictures = card(page, "Half broken").locator(".picture img")
    expect(pictures).to_have_count(1)
    frame = card(page, "Half broken").locator(".picture").bounding_box()
    assert pictures.bounding_box()["width"] == pytest.approx(frame["width"], abs=2)
    open_page.errors.clear()


def test_a_project_without_runs_says_so(open_page, demo_project, expect):
    """A line above its only card says so, and disappears when a run reads the project."""
    dataset = demo_project.own("Unused")
    project = demo_project.filled.call("datasets.info", id=dataset)["projectId"]
    page = open_page(f"/project/{project}")
    expect(card(page, "Unused")).to_be_visible()
    expect(page.get_by_text("No recorded run has read or written it.")).to_be_visible()
    demo_project.run("first", "First run")
    demo_project.filled.edge("input", "project", project, run="first")
    expect(card(page, "First run")).to_be_visible()
    expect(page.get_by_text("No recorded run")).to_be_hidden()


def test_a_run_without_entities_says_so(open_page, demo_project, expect):
    """A line above its only card says so."""
    page = open_page(f"/task/{demo_project.run('idle', 'Idle')}")
    expect(page.get_by_text("No inputs or outputs of this run were recorded.")).to_be_visible()


def test_a_phone_shows_a_readable_table(open_page, demo_project, expect):
    """At 390 pixels names and times keep their width; the table scrolls, the page does not."""
    page = open_page(f"/project/{demo_project.project}?view=table", viewport={"width": 390, "height": 844})
    row = page.get_by_role("row", name="Train YOLO").first
    assert row.get_by_role("rowheader").bounding_box()["width"] >= 180
    assert row.get_by_role("cell").nth(2).bounding_box()["height"] < 80
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_rows_of_the_same_name_are_distinguishable(open_page, demo_project, expect):
    """The description follows the name: the path of a file."""
    page = open_page(f"/task/{demo_project.training}?view=table")
    row = page.get_by_role("row", name="best.pt")
    expect(row.first).to_contain_text("/models/best.pt")
    row.first.get_by_role("button").click()
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("best.pt")

"""The workflow of a project as one of its pages: tabs, the pictures on its card, and nothing to show yet."""

from __future__ import annotations

import pytest

from tests.server.ui.looks import card, panel


def tabs(page):
    return page.get_by_role("navigation", name="Project").get_by_role("link")


def test_the_tabs_of_a_project_are_on_each_of_its_pages(looking, orchard, expect):
    """Data, Versions and Workflow lead to one another, and say which one is looked at."""
    page = looking(f"/project/{orchard.project}")
    expect(tabs(page)).to_have_text(["Data", "Versions", "Workflow"])
    expect(page.locator(".tabs [aria-current='page']")).to_have_text("Workflow")
    for name, path in (("Data", "/projects/{}"), ("Versions", "/projects/{}/versions"), ("Workflow", "/project/{}")):
        tabs(page).filter(has_text=name).click()
        page.wait_for_url(f"**{path.format(orchard.project)}")
        expect(page.locator(".tabs [aria-current='page']")).to_have_text(name)


def test_only_a_project_has_tabs(looking, orchard, expect):
    """A run's or a workspace's workflow has none."""
    for path in (f"/task/{orchard.training}", "/workspace/1"):
        page = looking(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_role("navigation", name="Project")).to_have_count(0)


def test_a_phone_has_room_for_the_tabs(looking, orchard, expect, violations):
    """At 390 pixels they stand in a row of their own, whole."""
    page = looking(f"/project/{orchard.project}", viewport={"width": 390, "height": 844}, bypass_csp=True)
    for tab in tabs(page).all():
        expect(tab).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []


@pytest.mark.parametrize(
    ("images", "rows"), [(1, [1]), (2, [2]), (3, [2, 2]), (4, [2, 2]), (6, [2, 2])], ids=lambda value: str(value)
)
def test_a_projects_card_shows_its_first_images(looking, orchard, expect, images, rows):
    """Up to four pictures fill the frame: one alone, two beside one another, of three the first twice as high."""
    dataset = orchard.own(f"With {images}")
    project = orchard.filled.call("datasets.info", id=dataset)["projectId"]
    first = [orchard.image(dataset, number) for number in range(images)][:4]
    orchard.filled.edge("input", "project", project, run=f"reads {images}")
    page = looking(f"/project/{project}")
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


def test_a_picture_that_cannot_be_made_leaves_its_place_to_the_others(looking, orchard, expect):
    """Of two images one is broken: the other fills the frame."""
    dataset = orchard.own("Half broken")
    project = orchard.filled.call("datasets.info", id=dataset)["projectId"]
    orchard.image(dataset, 1)
    content = orchard.filled.content(orchard.filled.picture(size=(200, 150))[:60])  # the header alone
    orchard.filled.call("images.bulk.add", datasetId=dataset, images=[{"title": "broken.png", "hash": content}])
    orchard.filled.edge("input", "project", project, run="reads broken")
    page = looking(f"/project/{project}")
    pictures = card(page, "Half broken").locator(".picture img")
    expect(pictures).to_have_count(1)
    frame = card(page, "Half broken").locator(".picture").bounding_box()
    assert pictures.bounding_box()["width"] == pytest.approx(frame["width"], abs=2)
    looking.wrong.clear()


def test_a_project_no_run_has_used_says_so(looking, orchard, expect):
    """Its card stands alone, under a line that says why; the line goes when a run reads it."""
    dataset = orchard.own("Unused")
    project = orchard.filled.call("datasets.info", id=dataset)["projectId"]
    page = looking(f"/project/{project}")
    expect(card(page, "Unused")).to_be_visible()
    expect(page.get_by_text("No run that was recorded has read or written it yet.")).to_be_visible()
    orchard.run("first", "First run")
    orchard.filled.edge("input", "project", project, run="first")
    expect(card(page, "First run")).to_be_visible()
    expect(page.get_by_text("No run that was recorded")).to_be_hidden()


def test_a_run_that_used_nothing_says_so(looking, orchard, expect):
    """A run's card alone has another line."""
    page = looking(f"/task/{orchard.run('idle', 'Idle')}")
    expect(page.get_by_text("Nothing that it read or wrote was recorded.")).to_be_visible()


def test_a_phone_shows_the_table_in_words_not_letters(looking, orchard, expect):
    """At 390 pixels a name keeps its room, a time its line; the rest is scrolled to, and the page is no wider."""
    page = looking(f"/project/{orchard.project}?view=table", viewport={"width": 390, "height": 844})
    row = page.get_by_role("row", name="Train YOLO").first
    assert row.get_by_role("rowheader").bounding_box()["width"] >= 180
    assert row.get_by_role("cell").nth(2).bounding_box()["height"] < 80
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_like_named_rows_of_the_table_are_told_apart(looking, orchard, expect):
    """Beside a name stands what is said of the thing: of a file its path."""
    page = looking(f"/task/{orchard.training}?view=table")
    row = page.get_by_role("row", name="best.pt")
    expect(row.first).to_contain_text("/models/best.pt")
    row.first.get_by_role("button").click()
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("best.pt")

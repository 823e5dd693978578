"""The questions that lineage exists for, answered by the page in a few clicks, as a person clicks; and what people add:
notes on cards, and saved views.
"""

from __future__ import annotations

import re

import pytest

from tests.server.ui.assertions import card, panel
from tests.server.ui.demo_trainings import DemoTrainings


@pytest.fixture(scope="module")
def trainings(filled):
    """A server with the demo trainings."""
    return DemoTrainings(filled)


class Person:
    """Clicks what can be seen on a page, and counts the clicks."""

    def __init__(self, page):
        self.page = page
        self.clicks = 0

    def click(self, locator):
        locator.click()
        self.clicks += 1


def test_trainings_are_compared(open_page, trainings, expect, violations):
    """Three clicks on the start page show what changed between two trainings, and whether scores are comparable."""
    page = open_page("/", bypass_csp=True)
    person = Person(page)
    for number in (trainings.first_run, trainings.second_run):
        person.click(page.get_by_role("checkbox", name=f"Compare Train YOLO, run {number}"))
    person.click(page.get_by_role("link", name="Compare", exact=True))
    expect(page.get_by_role("heading", name="2 runs compared")).to_be_visible()
    assert person.clicks <= 3
    expect(page.get_by_text("val changed too (1 image): scores are not comparable.")).to_be_visible()
    results = page.locator("section", has=page.get_by_role("heading", name="Results"))
    expect(results.locator(".plot", has_text="mAP")).to_contain_text("0.78")
    expect(results.locator(".plot", has_text="mAP")).to_contain_text("+0.04")
    assert "better" not in results.inner_text(), "scores on different images"
    expect(page.get_by_role("table", name="Parameters").get_by_role("row", name="epochs")).to_contain_text("40")
    expect(page.get_by_role("table", name="Packages").get_by_role("row", name="torch")).to_contain_text("2.4.0")
    assert violations(page) == []
    page.get_by_role("link", name="See the images").click()
    page.get_by_role("button", name="Difference").click()
    expect(page.locator(".pair.difference figure")).to_have_count(2)
    page.goto(f"/files/{trainings.second_weights}")
    page.get_by_role("link", name="Compare with the file before").click()
    expect(page.get_by_role("heading", name="2 runs compared")).to_be_visible()
    page.goto(f"/runs/compare?files={trainings.second_weights}")
    expect(page.get_by_role("heading", name="2 runs compared")).to_be_visible()


def test_the_week_is_on_the_start_page(open_page, trainings, expect):
    """Without a click: who ran what, failures with their reason, new versions and models. Two clicks lead from a model
    to the run with its data, commit and parameters.
    """
    page = open_page("/")
    week = page.get_by_role("region", name="This week")
    expect(week).to_contain_text("3 runs, 1 failed")
    expect(week).to_contain_text(re.compile(r"Train YOLO . 2"))
    expect(week).to_contain_text("created 2 versions")
    expect(week).to_contain_text("RuntimeError: CUDA out of memory")
    expect(week.get_by_role("link", name="Lemon orchard V2")).to_be_visible()
    expect(week.get_by_role("link", name="best.pt")).to_have_count(2)
    person = Person(page)
    person.click(week.get_by_role("link", name="best.pt").first)
    written = page.locator("section.panel", has=page.get_by_role("heading", name="Written by"))
    person.click(written.get_by_role("link", name="Train YOLO"))
    expect(page.get_by_text("two-a1b2c3d4")).to_be_visible()
    expect(page.get_by_role("link", name="Second harvest")).to_be_visible()
    assert person.clicks <= 3


def test_a_model_shows_its_data_and_code(open_page, trainings, expect):
    """Its card's panel has the path, who made it from which data, commit, parameters, results, in one click."""
    page = open_page(f"/file/{trainings.second_weights}", viewport={"width": 1600, "height": 1000})
    card(page, "best.pt").click()
    for text in (
        "/models/best.pt",
        "Train YOLO, admin",
        "Second harvest V2",
        "two-a1b2c3d4",
        "epochs = 40",
        "mAP = 0.82",
    ):
        expect(panel(page)).to_contain_text(text)
    expect(panel(page).get_by_role("button", name="Copy the path")).to_be_visible()
    panel(page).get_by_role("group", name="Show only").get_by_role("button", name="Upstream").click()
    expect(card(page, "Evaluate")).to_have_count(0)


def test_models_of_a_version(open_page, trainings, expect, violations):
    """Two clicks on the start page: the version, which the page scrolls to, and the list of what was made from it."""
    page = open_page("/", bypass_csp=True)
    person = Person(page)
    person.click(page.get_by_role("link", name="Lemon orchard V1"))
    version = page.locator("#v1")
    expect(version).to_be_in_viewport()
    person.click(version.get_by_text("Models and data made from it"))
    expect(version.get_by_role("link", name="best.pt")).to_have_count(1)
    assert person.clicks <= 2
    assert violations(page) == []


def test_models_trained_on_an_image(open_page, trainings, expect):
    """Two clicks: the project, the image. An image that only an old version holds has a page with the same answer."""
    page = open_page("/")
    person = Person(page)
    person.click(page.get_by_role("link", name="Lemon orchard", exact=True))
    person.click(page.get_by_role("link", name="lemon 1.png"))
    made = page.locator("section.panel", has=page.get_by_role("heading", name="Made from this image"))
    expect(made.get_by_role("link", name="best.pt")).to_have_count(2)
    expect(made).to_contain_text("V1 to V2, 2 versions")
    assert person.clicks <= 2
    page.goto(f"/images/{trainings.images[3]}")
    expect(page.get_by_text("Its dataset no longer has this image.")).to_be_visible()
    expect(page.get_by_role("img", name="lemon 3.png in V1")).to_be_visible()
    expect(made.get_by_role("link", name="best.pt")).to_have_count(1)
    errors = open_page.errors
    assert [error for error in errors if "404" not in error] == []
    errors.clear()  # the image of the dataset itself was not found


def test_cards_of_the_map_are_compared(open_page, trainings, expect):
    """Ctrl and a click, Shift and Space, or taps after *Select* choose runs and models; the address holds them."""
    page = open_page(f"/project/{trainings.project}", viewport={"width": 1600, "height": 1000})
    bar, status = page.get_by_role("group", name="Compare"), page.locator("p.visually-hidden[role=status]").last
    runs = [page.locator(f"article[data-key='task:{run}']") for run in (trainings.first_run, trainings.second_run)]
    page.locator(f"article[data-key='project:{trainings.project}']").click(modifiers=["ControlOrMeta"])
    expect(status).to_contain_text("only these are compared")
    expect(bar).to_be_hidden()
    runs[0].click(modifiers=["ControlOrMeta"])
    expect(bar).to_contain_text("1 selected")
    runs[1].focus()
    page.keyboard.press("Shift+Space")
    expect(status).to_have_text(f"Train YOLO {trainings.second_run} selected to compare: 2 of at most 8.")
    expect(bar.get_by_role("link", name="Compare")).to_have_attribute(
        "href", f"/runs/compare?runs={trainings.first_run},{trainings.second_run}"
    )
    expect(page.get_by_role("article", name="Train YOLO, Run, finished")).to_have_count(2)
    expect(page.get_by_role("article", name="selected to compare")).to_have_count(2)
    page.reload()
    expect(bar).to_contain_text("2 selected")
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    page.get_by_role("button", name="Select", exact=True).click()
    for weights in (trainings.first_weights, trainings.second_weights):
        page.locator(f"article[data-key='file:{weights}']").click()
    bar.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("heading", name="2 runs compared")).to_be_visible()


def test_a_note_is_written_on_a_card_and_found(open_page, trainings, expect):
    """It is text, whatever it holds; the last one is shown, older ones on request; a search leads to its card."""
    page = open_page(f"/file/{trainings.second_weights}?card=file%3A{trainings.second_weights}")
    notes = panel(page).locator(".card-notes")
    for text in ("Overfits\n<b>after</b> epoch 30", "Mended"):
        notes.get_by_label("New note").fill(text)
        notes.get_by_role("button", name="Add note").click()
        expect(notes.get_by_role("listitem").first).to_contain_text(text)
    page.goto("/search?q=overfits")
    page.get_by_role("link", name="Overfits").click()
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("best.pt")
    expect(notes.get_by_role("listitem")).to_have_count(1)
    expect(notes.get_by_role("listitem")).to_contain_text("Mended")
    notes.get_by_role("button", name="Show older notes").click()
    expect(notes.get_by_role("listitem").last).to_contain_text("<b>after</b> epoch 30")


def test_a_view_is_saved_copied_and_removed(open_page, trainings, expect, violations):
    """Its address holds filters, selection and camera."""
    page = open_page(
        f"/project/{trainings.project}?kind=task&card=task%3A{trainings.second_run}&compare=task%3A{trainings.second_run}",
        bypass_csp=True,
    )
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    menu = page.locator("details.views")
    menu.locator("summary").click()
    menu.get_by_role("button", name="Copy link").click()
    expect(menu.get_by_role("button", name="Link copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert all(part in link for part in ("kind=task", f"card=task%3A{trainings.second_run}", "at="))
    menu.get_by_label("Name of this view").fill("Runs alone")
    menu.get_by_label("For the whole team").check()
    menu.get_by_role("button", name="Save").click()
    saved = menu.get_by_role("link", name="Runs alone")
    expect(saved).to_be_visible()
    assert violations(page) == [], "of the menu, the notes, and the bar of cards to compare"
    panel(page).get_by_role("button", name="Close").click()
    menu.locator("summary").click()
    saved.click()
    expect(panel(page)).to_be_visible()
    assert page.url == link
    menu.locator("summary").click()
    menu.get_by_role("button", name="Remove the view Runs alone").click()
    expect(menu.get_by_text("None yet.")).to_be_visible()

"""Graphs that are being loaded while a person goes on: the last choice wins."""

from __future__ import annotations

import re

import pytest

from tests.server.ui.assertions import card, panel, position, query_of, wait_until_still


@pytest.fixture
def hold_first_graph():
    """A function that never answers the next request for a graph, and passes on those after it."""

    def hold(page):
        held = []
        page.route("**/autoflow.scene", lambda route: route.continue_() if held else held.append(route))

    return hold


def test_the_last_of_two_choices_is_shown(open_graph, expect, hold_first_graph):
    """The first request is cancelled without an error."""
    page = open_graph("/workspace/1")
    page.get_by_text("Filter", exact=True).click()
    hold_first_graph(page)
    with page.expect_request("**/autoflow.scene"):
        page.get_by_role("checkbox", name="Evaluate").check()
    page.get_by_role("checkbox", name="Train").check()
    expect(card(page, "Import")).to_have_count(0)
    assert sorted(query_of(page)["app"]) == ["Evaluate", "Train"]


def test_a_choice_goes_before_a_refresh(open_graph, expect, hold_first_graph):
    """A choice made while changes are being loaded is shown, and the server is not reported as lost."""
    page = open_graph("/workspace/1")
    page.get_by_text("Filter", exact=True).click()
    hold_first_graph(page)
    page.route("**/autoflow.changes", lambda route: route.fulfill(json={"changes": -1}))
    with page.expect_request("**/autoflow.scene"):
        pass  # the page loads what has changed
    page.get_by_role("checkbox", name="Train").check()
    expect(card(page, "Import")).to_have_count(0)
    assert page.get_by_text("The server cannot be reached").is_hidden()


def test_the_back_button_restores_the_camera(open_graph, expect):
    """The cards are where they were, however long the previous graph takes to load."""
    page = open_graph("/task/6")
    card(page, "Deploy").click()
    panel(page).get_by_role("button", name="Downstream", exact=True).click()
    expect(card(page, "best.pt")).to_have_count(0)
    wait_until_still(page)
    where = position(page, "Folder /alarms")
    page.get_by_role("button", name="Show the whole graph").click()
    expect(card(page, "best.pt")).to_have_count(1)
    held = []
    page.route("**/autoflow.scene", lambda route: held.append(route))
    with page.expect_request("**/autoflow.scene"):
        page.go_back()
    wait_until_still(page)
    held[0].continue_()
    expect(card(page, "best.pt")).to_have_count(0)
    assert position(page, "Folder /alarms") == pytest.approx(where, abs=2)


def test_groups_fold_to_one_card_each(open_graph, expect, lineage, filled, violations):
    """From the menu, by a click and by a key; the address keeps the choice; a card in a folded group is found."""
    if not lineage.filled.call("projects.list", workspaceId=1)["entities"][1:]:
        other = filled.project("Limes")
        for number in range(2):
            lineage.run("Sort", reads=[("project", other)], writes=[("folder", f"/sorted/{number}")])
            lineage.run("Pack", reads=[("folder", f"/sorted/{number}")], writes=[("project", lineage.project)])
    page = open_graph("/workspace/1", bypass_csp=True)
    page.locator("summary", has_text="Groups").click()
    page.get_by_role("button", name="Fold all").click()
    expect(page.locator("article.node")).to_have_count(2)
    expect(card(page, "Limes")).to_contain_text("Show all 7")
    expect(card(page, "Limes")).to_contain_text("4 runs, 2 folders")
    assert query_of(page)["groups"] == ["all"]
    assert violations(page) == []
    page.keyboard.press("Escape")
    card(page, "Limes").get_by_role("button", name="Show all 7").click()
    expect(card(page, "Pack")).to_have_count(2)
    expect(card(page, "Lemons")).to_contain_text("Show all")
    assert query_of(page)["unfold"] == ["group:project:2"]
    card(page, "Pack").first.focus()
    page.keyboard.press("g")
    expect(page.locator("article.node.selected")).to_contain_text("Limes")
    page.keyboard.press("/")
    page.keyboard.type("alarm")
    expect(page.get_by_role("option").first).to_contain_text("/alarms")
    page.keyboard.press("Enter")
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("Folder /alarms")
    expect(panel(page).get_by_role("button", name="Fold Lemons")).to_be_visible()
    wait_until_still(page)
    box, stage = page.locator("article.selected").bounding_box(), page.locator(".stage").bounding_box()
    assert abs(box["x"] + box["width"] / 2 - stage["x"] - stage["width"] / 2) < 30  # the middle beside the panel
    page.get_by_role("button", name="Table").click()
    expect(page.get_by_role("row", name="Limes 7 cards")).to_be_visible()


def test_the_graph_is_replayed(open_graph, expect, violations):
    """The slider shows the cards of a time where they stand now; the address, the counts and the table follow."""
    page = open_graph("/workspace/1?groups=no", bypass_csp=True)
    before = position(page, "Import")
    page.get_by_role("button", name="Replay").click()
    slider = page.get_by_role("slider", name="Time")
    expect(slider).to_be_focused()
    page.keyboard.press("Home")
    folders = page.locator("article.node.folder")
    expect(page.locator("article.node")).to_have_count(folders.count())
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^As of Sep \d+, 2001, .*: \d+ of \d+ cards$"))
    page.keyboard.press("ArrowRight")
    expect(card(page, "Import")).to_have_count(1)
    expect(card(page, "Lemons")).to_have_count(1)
    expect(card(page, "best.pt")).to_have_count(0)
    assert position(page, "Import") == before
    assert query_of(page)["time"][0].startswith("2025-06-1")
    assert violations(page) == []
    page.reload()
    page.get_by_role("button", name="Table").click()
    expect(page.locator("tbody th", has_text="Import")).to_have_count(1)
    expect(page.locator("tbody th", has_text="best.pt")).to_have_count(0)
    page.get_by_role("button", name="Show now").click()
    expect(page.locator("tbody th", has_text="best.pt")).to_have_count(1)
    assert "time" not in query_of(page)
    page.get_by_role("button", name="Replay").click()
    page.get_by_role("button", name="Play", exact=True).click()
    page.get_by_role("button", name="Pause").click()
    expect(slider).not_to_have_attribute("aria-valuetext", re.compile("^Now"))

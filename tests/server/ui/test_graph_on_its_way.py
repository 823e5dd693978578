"""A graph that is on its way while somebody goes on: what was chosen last is what is shown."""

from __future__ import annotations

import pytest

from tests.server.ui.looks import asked, card, panel, place, rest


@pytest.fixture
def first_held():
    """A function that leaves the next scene a page asks for on its way for ever; those after it come."""

    def hold(page):
        held = []
        page.route("**/autoflow.scene", lambda route: route.continue_() if held else held.append(route))

    return hold


def test_a_choice_while_another_is_on_its_way_is_the_one_shown(see, expect, first_held):
    """Of two choices in a row the second is shown; nothing is said to be wrong with the first."""
    page = see("/workspace/1")
    page.get_by_text("Filter", exact=True).click()
    first_held(page)
    with page.expect_request("**/autoflow.scene"):
        page.get_by_role("checkbox", name="Evaluate").check()
    page.get_by_role("checkbox", name="Train").check()
    expect(card(page, "Import")).to_have_count(0)
    assert sorted(asked(page)["app"]) == ["Evaluate", "Train"]


def test_a_choice_goes_before_what_has_changed(see, expect, first_held):
    """A choice made while changes are being asked for is shown, and no server is said to be lost."""
    page = see("/workspace/1")
    page.get_by_text("Filter", exact=True).click()
    first_held(page)
    page.route("**/autoflow.changes", lambda route: route.fulfill(json={"changes": -1}))
    with page.expect_request("**/autoflow.scene"):
        pass  # the page asks for what has changed
    page.get_by_role("checkbox", name="Train").check()
    expect(card(page, "Import")).to_have_count(0)
    assert page.get_by_text("The server cannot be reached").is_hidden()


def test_the_way_back_is_shown_as_it_was_left(see, expect):
    """However long the graph before takes to come: its cards are where they were, in the camera they were seen with."""
    page = see("/task/6")
    card(page, "Deploy").click()
    panel(page).get_by_role("button", name="Only downstream").click()
    expect(card(page, "best.pt")).to_have_count(0)
    rest(page)
    where = place(page, "Folder /alarms")
    page.get_by_role("button", name="Show the whole graph").click()
    expect(card(page, "best.pt")).to_have_count(1)
    held = []
    page.route("**/autoflow.scene", lambda route: held.append(route))
    with page.expect_request("**/autoflow.scene"):
        page.go_back()
    rest(page)
    held[0].continue_()
    expect(card(page, "best.pt")).to_have_count(0)
    assert place(page, "Folder /alarms") == pytest.approx(where, abs=2)

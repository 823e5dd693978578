"""The start page and the search, as a person uses them."""

from __future__ import annotations

import re

import pytest


def test_the_start_page_leads_to_everything(open_page, demo_project, expect):
    """It shows workspaces, projects with pictures and counts, and runs with their status, inputs and outputs."""
    page = open_page("/")
    expect(page.get_by_role("link", name="Workspace", exact=True)).to_have_attribute("href", "/workspace/1")
    card = page.locator("li.project", has_text="Lemon orchard")
    expect(card).to_contain_text("6 images · 2 datasets · 2 versions")
    expect(card.locator("img")).to_have_count(4)
    row = page.get_by_role("row", name="Train YOLO")
    expect(row).to_contain_text("Finished")
    assert [cell.inner_text() for cell in row.locator("td.number").all()] == ["1", "2"]
    expect(page.get_by_role("row", name="Evaluate")).to_contain_text("Failed")
    card.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Lemon orchard")).to_be_visible()


def test_the_start_page_updates_itself(open_page, demo_project, expect):
    """A run that starts while the page is open appears."""
    page = open_page("/")
    expect(page.get_by_role("row", name="Train YOLO")).to_be_visible()
    demo_project.run("later", "Recorded meanwhile")
    expect(page.get_by_role("row", name="Recorded meanwhile")).to_be_visible()


def test_lists_load_more(open_page, demo_project, expect):
    """A button loads the next page of a list."""
    page = open_page("/search")
    page.route("**/autoflow.overview.start", lambda route: route.continue_(post_data='{"limit": 2}'))
    page.goto("/")
    runs = page.locator("section", has=page.get_by_role("heading", name="Recent runs"))
    expect(runs.get_by_role("row")).to_have_count(3)
    expect(runs.get_by_role("row", name="Import images")).to_have_count(0)
    runs.get_by_role("button", name="Show more").click()
    expect(runs.get_by_role("row", name="Import images")).to_be_visible()
    expect(runs.get_by_role("button", name="Show more")).to_be_hidden()


def test_the_search_shows_results_while_typing(open_page, demo_project, expect):
    """Results are grouped by kind with matches highlighted; kinds can be filtered; the address can be shared."""
    page = open_page("/search")
    page.get_by_role("searchbox", name="Search everything").last.fill("lemon")
    results = page.locator("#results")
    expect(results.get_by_role("heading", name="Projects")).to_be_visible()
    expect(results.get_by_role("heading", name="Images")).to_be_visible()
    expect(results.locator("mark").first).to_have_text("Lemon")
    page.get_by_label("Images", exact=True).check()
    expect(results.get_by_role("heading", name="Projects")).to_have_count(0)
    assert page.url.endswith("/search?q=lemon&kind=image")
    page.reload()
    expect(results.get_by_role("link", name="lemon 0.png")).to_be_visible()


def test_the_search_works_by_keyboard(open_page, demo_project, expect):
    """From the header of any page: type, Enter, arrow down, Enter."""
    page = open_page("/")
    page.locator("#find").focus()
    page.keyboard.type("train yolo")
    page.keyboard.press("Enter")
    link = page.locator("#results").get_by_role("link", name="Train YOLO")
    expect(link.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(link.first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#query")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/apps/sessions/"))


@pytest.mark.parametrize(("text", "heading"), [("", "What are you looking for?"), ("nowhere at all", "No matches")])
def test_a_search_without_results_says_so(open_page, demo_project, expect, text, heading):
    """So does a search that is still empty."""
    page = open_page(f"/search?q={text}")
    expect(page.get_by_role("heading", name=heading)).to_be_visible()

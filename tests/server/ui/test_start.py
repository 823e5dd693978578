"""The start page and the search, by what a person sees and does."""

from __future__ import annotations

import re

import pytest


def test_the_start_page_leads_to_everything(looking, orchard, expect):
    """Workspaces, projects with pictures and counts, runs with status and how much each read and wrote."""
    page = looking("/")
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


def test_the_start_page_shows_what_is_recorded_meanwhile(looking, orchard, expect):
    """A run that begins while one looks appears by itself."""
    page = looking("/")
    expect(page.get_by_role("row", name="Train YOLO")).to_be_visible()
    orchard.run("later", "Recorded meanwhile")
    expect(page.get_by_role("row", name="Recorded meanwhile")).to_be_visible()


def test_lists_go_on(looking, orchard, expect):
    """What does not fit at first comes at the push of a button."""
    page = looking("/search")
    page.route("**/autoflow.overview.start", lambda route: route.continue_(post_data='{"limit": 2}'))
    page.goto("/")
    runs = page.locator("section", has=page.get_by_role("heading", name="Recent runs"))
    expect(runs.get_by_role("row")).to_have_count(3)
    expect(runs.get_by_role("row", name="Import images")).to_have_count(0)
    runs.get_by_role("button", name="Show more").click()
    expect(runs.get_by_role("row", name="Import images")).to_be_visible()
    expect(runs.get_by_role("button", name="Show more")).to_be_hidden()


def test_what_is_looked_for_is_found_while_it_is_written(looking, orchard, expect):
    """Results by kind, with what was written marked; the address can be shared; kinds narrow it down."""
    page = looking("/search")
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


def test_the_search_is_used_by_keys_alone(looking, orchard, expect):
    """From the header of any page: write, Enter, go down with the arrow, Enter."""
    page = looking("/")
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


@pytest.mark.parametrize(
    ("words", "said"), [("", "What are you looking for?"), ("nowhere at all", "Nothing is called so")]
)
def test_a_search_that_finds_nothing_says_so(looking, orchard, expect, words, said):
    """Before anything is written, and when no name holds it."""
    page = looking(f"/search?q={words}")
    expect(page.get_by_role("heading", name=said)).to_be_visible()

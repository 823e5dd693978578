"""What people add to the map: notes on cards, and views that they saved."""

from __future__ import annotations

from tests.server.ui.assertions import panel


def test_a_note_is_written_on_a_card_and_found(open_page, lineage, expect, violations):
    """It is text, whatever it holds; the last one is shown, older ones on request; a search leads to its card."""
    page = open_page(f"/file/{lineage.weights}?card=file%3A{lineage.weights}", bypass_csp=True)
    notes = panel(page).locator(".card-notes")
    for text in ("Overfits\n<b>after</b> epoch 30", "Mended"):
        notes.get_by_label("New note").fill(text)
        notes.get_by_role("button", name="Add note").click()
        expect(notes.get_by_role("listitem").first).to_contain_text(text)
    assert violations(page) == []
    page.reload()
    expect(notes.get_by_role("listitem")).to_have_count(1)
    expect(notes.get_by_role("listitem")).to_contain_text("Mended")
    notes.get_by_role("button", name="Show older notes").click()
    expect(notes.get_by_role("listitem").last).to_contain_text("<b>after</b> epoch 30")
    page.goto("/search?q=overfits")
    page.get_by_role("link", name="Overfits").click()
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("best.pt")


def test_a_view_is_saved_copied_and_removed(open_page, lineage, expect, violations):
    """Its address holds filters, selection and camera."""
    page = open_page(f"/project/{lineage.project}?kind=task&card=task%3A2", bypass_csp=True)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    menu = page.locator("details.views")
    menu.locator("summary").click()
    menu.get_by_role("button", name="Copy link").click()
    expect(menu.get_by_role("button", name="Link copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert all(part in link for part in ("kind=task", "card=task%3A2", "at="))
    menu.get_by_label("Name of this view").fill("Runs alone")
    menu.get_by_label("For the whole team").check()
    menu.get_by_role("button", name="Save").click()
    saved = menu.get_by_role("link", name="Runs alone")
    expect(saved).to_be_visible()
    assert violations(page) == []
    page.goto(f"/project/{lineage.project}")
    menu.locator("summary").click()
    saved.click()
    expect(panel(page)).to_be_visible()
    assert page.url == link
    menu.locator("summary").click()
    menu.get_by_role("button", name="Remove the view Runs alone").click()
    expect(menu.get_by_text("None yet.")).to_be_visible()

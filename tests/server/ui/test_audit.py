"""The audit log on the page, as an admin uses it."""

from __future__ import annotations

from tests.server.ui.demo_project import wait_for

PAGE = 50  # entries that are loaded at once


def test_the_log_is_filtered_and_paged(open_page, demo_project, violations, expect):
    """From the start page; filters are in the address, a person of an entry is one, and reasons are texts."""
    call = demo_project.filled.call
    file = demo_project.filled.file("/models/audited.pt")["id"]
    call("autoflow.models.register", name="audited", ref=f"file:{file}")
    for number in range(PAGE + 2):
        version = {} if number % 2 else {"version": 1}
        call("autoflow.models.alias", name="audited", alias="champion", reason=f"<b>{number}</b>", **version)
    call("webhooks.add", teamId=1, url="https://example.com/", action="run.failed")
    page = open_page("/", bypass_csp=True)
    page.get_by_role("link", name="Audit log").click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(PAGE)
    expect(rows.first).to_contain_text("webhook.create")
    page.get_by_role("button", name="Show more").click()
    expect(rows.nth(PAGE)).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Action").select_option("Aliases of models")
    expect(rows.first).to_contain_text("1 removed")
    expect(rows.first).to_contain_text(f"<b>{PAGE + 1}</b>")
    page.get_by_label("Entity").fill("model:audited")
    page.get_by_label("Person").fill("nobody")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No entries")).to_be_visible()
    assert page.url.endswith("/audit?action=alias.&entity=model%3Aaudited&who=nobody")
    page.goto(page.url.replace("&who=nobody", ""))
    rows.first.get_by_role("link", name="admin").click()
    expect(rows).to_have_count(PAGE)
    expect(page.get_by_label("Person")).to_have_value("admin")
    page.set_viewport_size({"width": 390, "height": 844})
    wait_for(page, "document.documentElement.scrollWidth <= innerWidth")
    link = rows.first.get_by_role("link", name="model:audited@champion")
    assert link.get_attribute("href").startswith("/file?path=model")


def test_the_log_is_for_admins(open_page, demo_project, expect):
    """Nobody else sees the link, and the page says why it shows nothing."""
    page = open_page("/search")
    page.route(
        "**/autoflow.overview.start", lambda route: route.fulfill(json={**route.fetch().json(), "isAdmin": False})
    )
    page.goto("/")
    expect(page.get_by_role("heading", name="Workspaces")).to_be_visible()
    expect(page.get_by_role("link", name="Audit log")).to_have_count(0)
    refusal = {"error": "FORBIDDEN", "details": {"message": "the audit log is for the admins of a team"}}
    page.route("**/autoflow.audit.list", lambda route: route.fulfill(status=403, json=refusal))
    page.goto("/audit")
    expect(page.get_by_role("alert")).to_have_text("The audit log is for the admins of a team")
    open_page.errors.clear()  # the browser logs the 403 itself

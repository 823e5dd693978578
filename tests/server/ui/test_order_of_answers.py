"""Answers that arrive late, in another order or not at all, and changes in between: the page shows the last state."""

from __future__ import annotations

import pytest

from tests.server.ui.assertions import card, panel
from tests.server.ui.demo_lineage import START_TIME
from tests.server.ui.test_versions import entry

PAUSE = 500  # milliseconds in which something that must not happen would happen


@pytest.fixture
def hold():
    """A function that holds the answers of a method, or only the first one, until its result is called."""

    def hold(page, method, only_first=False):
        taken, held, released = [], [], []

        def respond(route):
            if released or (only_first and taken):
                return route.continue_()
            taken.append(route)
            response = route.fetch()
            if released:
                return route.fulfill(response=response)
            return held.append((route, response))

        page.route(f"**/{method}", respond)

        def release():
            page.wait_for_timeout(PAUSE)  # the answer is read before the page goes on
            released.append(True)
            for route, response in held:
                route.fulfill(response=response)
            page.wait_for_timeout(PAUSE)

        return release

    return hold


@pytest.fixture
def early_run(lineage):
    """A function that records a run before all others, so that every card gets another position in the graph."""

    def early_run(name):
        send, record = lineage.filled.send, lineage.filled.record
        send({**record("run", run=f"early {name}", name=name), "at": START_TIME})
        lineage.filled.edge("input", "project", lineage.project, run=f"early {name}")

    return early_run


def test_a_page_polls_once_at_a_time(open_page, demo_project, expect, hold):
    """A line is shown once, also if the page is hidden and shown while the line is being loaded."""
    task = demo_project.run("poll", "Polled")
    filled = demo_project.filled
    page = open_page(f"/apps/sessions/{task}")
    expect(page.get_by_text("No lines yet")).to_be_visible()  # the log is loaded after the rest of the page
    release = hold(page, "autoflow.overview.log")
    with page.expect_request("**/autoflow.overview.log"):
        filled.send(filled.record("log", run="poll", lines="only once"))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(PAUSE)
    release()
    expect(page.get_by_role("log")).to_have_text("only once\n")


def test_an_output_that_comes_with_a_line_is_shown(open_page, demo_project, expect):
    """A run's page shows what a change recorded beside the log."""
    task = demo_project.run("both", "Logs and writes")
    filled = demo_project.filled
    page = open_page(f"/apps/sessions/{task}")
    entity = {"type": "folder", "id": "/both", "origin": ""}
    edge = filled.record("edge", run="both", direction="output", entity=entity)
    filled.send(filled.record("log", run="both", lines="written"), edge)
    expect(page.get_by_role("log")).to_contain_text("written")
    expect(page.get_by_role("link", name="/both")).to_be_visible(timeout=9_000)


def test_a_burst_of_lines_is_shown_to_its_end(open_page, demo_project, expect):
    """More lines than one answer has come between two polls."""
    task = demo_project.run("burst", "Writes much")
    filled = demo_project.filled
    page = open_page(f"/apps/sessions/{task}")
    filled.send(*(filled.record("log", run="burst", lines=f"line {n:03d}") for n in range(250)))
    expect(page.get_by_role("log")).to_contain_text("line 249", timeout=12_000)


def test_the_last_two_versions_chosen_are_compared(open_page, demo_project, expect, hold):
    """An older answer that arrives later is dropped."""
    first, second = demo_project.first, demo_project.second
    page = open_page(f"/projects/{demo_project.project}/versions/compare?from={second}&to={second}")
    release = hold(page, "autoflow.versions.diff", only_first=True)
    with page.expect_request("**/autoflow.versions.diff"):
        page.get_by_role("combobox", name="From").select_option(str(first))
    page.get_by_role("combobox", name="From").select_option(str(second))
    expect(page.get_by_role("heading", name="The same version twice")).to_be_visible()
    release()
    expect(page.get_by_role("heading", name="The same version twice")).to_be_visible()


def test_a_restore_stays_in_sight(open_page, demo_project, expect, hold):
    """Its progress is shown also after the timeline was loaded again."""
    filled = demo_project.filled
    project = filled.project("restored slowly")
    dataset = filled.dataset(project)
    demo_project.image(dataset, 1)
    filled.snapshot(project)
    demo_project.image(dataset, 2)
    page = open_page(f"/projects/{project}/versions")
    release = hold(page, "autoflow.versions.restore")
    entry(page, 1).get_by_role("button", name="Restore as a new project").click()
    page.get_by_role("button", name="Create version").click()
    expect(entry(page, 2)).to_be_visible()
    expect(entry(page, 1).get_by_role("button", name="Restore as a new project")).to_be_disabled()
    release()
    expect(entry(page, 1).locator(".progress a")).to_be_visible(timeout=9_000)


def test_a_deleted_version_stays_away(open_page, demo_project, expect, hold):
    """A list that was read before the deletion and arrives after it is dropped."""
    filled = demo_project.filled
    project = filled.project("deleted quickly")
    dataset = filled.dataset(project)
    for number in range(3):
        demo_project.image(dataset, number)
        filled.snapshot(project)
    page = open_page(f"/projects/{project}/versions")
    release = hold(page, "autoflow.overview.versions", only_first=True)
    for number in (1, 2):
        page.get_by_role("button", name=f"Delete version {number}").click()
        with page.expect_request("**/autoflow.overview.versions"):
            page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(entry(page, 2)).to_have_count(0)
    release()
    expect(entry(page, 2)).to_have_count(0)
    expect(entry(page, 1)).to_have_count(0)


def test_images_that_go_away_leave_no_empty_cells(open_page, demo_project, expect):
    """There are fewer images when they are loaded than when they were counted."""

    def count_more(route):
        response = route.fetch()
        route.fulfill(response=response, json={**response.json(), "total": 40})

    page = open_page("/search")
    page.route("**/autoflow.overview.images", count_more, times=1)
    page.goto(f"/projects/{demo_project.project}")
    expect(page.get_by_role("link", name="lemon 0.png")).to_be_visible()
    expect(page.locator(".grid li")).to_have_count(6, timeout=9_000)
    expect(page.get_by_text("6 images", exact=True)).to_be_visible()


def test_the_start_page_is_not_replaced_under_a_person(open_page, demo_project, expect, hold):
    """A person begins to work with the page while a change is being loaded: it is shown later."""
    page = open_page("/")
    release = hold(page, "autoflow.overview.start")
    with page.expect_request("**/autoflow.overview.start"):
        demo_project.run("later", "Shown later")
    link = page.get_by_role("link", name="Train YOLO", exact=True)
    link.focus()
    release()
    expect(link).to_be_focused()
    link.blur()
    page.evaluate("scrollTo(0, 0)")  # the focus has scrolled the page
    expect(page.get_by_role("link", name="Shown later", exact=True)).to_be_visible()


def test_an_answer_that_breaks_off_is_reported(open_page, demo_project, expect):
    """The page says that the connection was lost, and tries again when asked to."""
    for number in range(13):
        demo_project.run(f"many {number}", f"Many {number}")
    page = open_page("/")
    page.route("**/autoflow.overview.runs", lambda route: route.fulfill(body='{"runs": ['), times=1)
    runs = page.get_by_role("region", name="Recent runs")
    runs.get_by_role("button", name="Show more").click()
    runs.get_by_role("button", name="The connection was lost").click(timeout=9_000)
    expect(runs.get_by_role("link", name="Import images", exact=True)).to_be_visible()


def test_a_search_that_fails_can_be_repeated(open_page, demo_project, expect):
    """The error is shown instead of the results, and typing on searches again."""
    page = open_page("/search")
    refusal = {"error": "BUSY", "details": {"message": "The server is busy."}}
    page.route("**/autoflow.search", lambda route: route.fulfill(json=refusal, status=503), times=1)
    page.get_by_label("Search everything").last.fill("orchar")
    expect(page.get_by_role("alert")).to_contain_text("The server is busy")
    page.get_by_label("Search everything").last.fill("orchard", timeout=9_000)
    expect(page.get_by_role("link", name="Lemon orchard")).to_be_visible()
    open_page.errors.clear()


def test_a_hit_leads_to_its_card_after_a_change(open_graph, expect, early_run):
    """The hits of a search name their cards, wherever a change has moved them in the graph."""
    page = open_graph("/workspace/1")
    page.get_by_role("combobox", name="Find in the graph").fill("Deploy")
    expect(page.get_by_role("option", name="Deploy").first).to_be_visible()
    early_run("Before the search")
    expect(card(page, "Before the search")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(panel(page).get_by_role("heading", name="Deploy", level=2)).to_be_visible(timeout=9_000)


def test_a_choice_that_fails_is_reported(open_graph, expect):
    """The graph stays as it is with the error above it, until a choice succeeds."""
    page = open_graph("/workspace/1")
    page.get_by_text("Filter", exact=True).click()
    page.route("**/autoflow.scene", lambda route: route.fulfill(body='{"changes": 1,'), times=1)
    page.get_by_role("checkbox", name="Evaluate").check()
    expect(page.get_by_role("alert")).to_contain_text("The connection was lost")
    expect(card(page, "Import")).to_have_count(1)
    page.get_by_role("checkbox", name="Train YOLO").check()
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(card(page, "Import")).to_have_count(0)


def test_a_table_stays_sorted_after_a_change(open_graph, expect, early_run):
    """New cards come into the order that a person has chosen."""
    page = open_graph("/workspace/1?view=table")
    header = page.get_by_role("columnheader", name="Name")
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    early_run("A new row")
    expect(page.get_by_role("button", name="A new row")).to_be_visible()
    expect(header).to_have_attribute("aria-sort", "ascending", timeout=9_000)

"""Every page is accessible, fits a phone, shows errors, and never executes recorded texts."""

from __future__ import annotations

import pytest

from tests.server.ui.demo_project import wait_for

NARROW = {"width": 390, "height": 844}
PAGES = [
    *("start", "project", "dataset", "image", "versions", "compare", "file", "table", "folder", "run", "failed"),
    *("job", "search", "nothing"),
]
HOSTILE = "<img src=x onerror=window.hurt=1>\"'><script>window.hurt=1</script>"


def network_idle(page):
    page.wait_for_load_state("networkidle")
    return page


@pytest.fixture
def opened(open_page, demo_project):
    """A function that opens a page of the demo project by its name."""

    def open_(name, **options):
        page = network_idle(open_page(demo_project.pages()[name], **options))
        if name == "nothing":
            open_page.errors.clear()  # the browser logs the 404 itself
        return page

    return open_


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_on_any_screen(opened, violations, name):
    """In both themes and at 390 pixels axe reports nothing and the page does not scroll sideways; each page has one
    first-level heading, a title and breadcrumbs.
    """
    page = opened(name, color_scheme="light", bypass_csp=True)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []
    page.set_viewport_size(NARROW)
    wait_for(page, "innerWidth === 390 && document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
    assert page.locator("h1").count() == 1
    if name != "nothing":
        assert page.title().endswith("· autoflow")
        assert page.locator("#crumbs li").count() >= 1


def test_an_unknown_id_shows_an_error_page(opened, expect):
    """It shows the server's message, with a link to the start page."""
    page = opened("nothing")
    expect(page.get_by_role("alert")).to_contain_text("Project 99999 is unknown")
    page.get_by_role("link", name="To the start").click()
    expect(page.get_by_role("heading", name="Start", exact=True)).to_be_visible()


def test_an_unreachable_server_can_be_retried(open_page, demo_project, expect):
    """A page that cannot be loaded says why, and has a button to try again; a page that was loaded stays, under a line
    that says so.
    """
    page = open_page("/search")
    page.route("**/public/api/v3/**", lambda route: route.abort())
    page.goto(demo_project.pages()["project"])
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached")
    page.unroute("**/public/api/v3/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Lemon orchard")).to_be_visible()
    page.goto(demo_project.pages()["compare"])
    expect(page.locator(".changed-item")).to_have_count(3)
    page.route("**/public/api/v3/**", lambda route: route.abort())
    page.get_by_role("button", name="Swap").click()
    expect(page.get_by_text("This page shows what was last loaded")).to_be_visible()
    page.unroute("**/public/api/v3/**")
    page.get_by_role("button", name="Try now").click()
    expect(page.get_by_text("This page shows what was last loaded")).to_be_hidden()
    open_page.errors.clear()  # the browser logs failed requests itself


@pytest.fixture(scope="module")
def hostile(demo_project):
    """The pages of entities whose every text would execute or break the layout if it were inserted as markup."""
    filled = demo_project.filled
    project = filled.project(HOSTILE, description=HOSTILE)
    classes = [{"title": HOSTILE, "shape": "rectangle", "color": "red;}</style><script>window.hurt=1</script>"}]
    meta = {"classes": classes, "tags": [{"name": HOSTILE, "value_type": "any_string"}]}
    filled.call("projects.meta.update", id=project, meta=meta)
    dataset = filled.dataset(project, HOSTILE)
    content = filled.content(filled.picture())
    images = [{"title": HOSTILE, "hash": content}, {"title": "l" * 400, "link": "javascript:window.hurt=1"}]
    image, link = (row["id"] for row in filled.call("images.bulk.add", datasetId=dataset, images=images))
    tag = {"name": HOSTILE, "value": HOSTILE}
    box = {"classTitle": HOSTILE, "geometryType": HOSTILE, "points": {"exterior": [[0, 0], ["x", None]]}, "tags": [tag]}
    mask = {"classTitle": HOSTILE, "geometryType": "bitmap", "bitmap": {"data": "no base64 <", "origin": [0, 0]}}
    body = {"imageId": image, "annotation": {"objects": [box, mask], "tags": [tag]}}
    filled.call("annotations.bulk.add", datasetId=dataset, annotations=[body])
    filled.snapshot(project, title=HOSTILE, description=HOSTILE)
    filled.call("images.bulk.remove", imageIds=[link])
    file = filled.file("/" + HOSTILE.replace("/", "") + ".html", HOSTILE.encode())["id"]
    run = demo_project.run(
        "hostile", HOSTILE, facts={"command": [HOSTILE], "parameters": {HOSTILE: HOSTILE}, "commit": 5}
    )
    filled.edge("output", "file", file, run="hostile")
    filled.edge("output", "folder", "/" + HOSTILE, run="hostile")
    filled.edge("input", "project", 7, run="hostile", entity_origin="http://other", name=HOSTILE)
    filled.send(filled.record("log", run="hostile", lines=HOSTILE))
    filled.send(filled.record("finish", run="hostile", state="failed", error=HOSTILE))
    job = filled.call("jobs.add", name=HOSTILE, datasetId=dataset, userIds=[1], readme=HOSTILE)[0]["id"]
    return [
        "/",
        f"/projects/{project}",
        f"/images/{image}",
        f"/projects/{project}/versions",
        f"/files/{file}",
        f"/apps/sessions/{run}",
        f"/labeling/jobs/{job}",
        "/search?q=onerror",
    ]


@pytest.mark.parametrize("number", range(8))
def test_hostile_texts_are_shown_as_text(open_page, hostile, number):
    """Nothing executes, no link leaves the server, and the page does not scroll sideways."""
    page = network_idle(open_page(hostile[number], viewport=NARROW))
    assert HOSTILE[:20] in page.inner_text("#main")
    assert page.evaluate("window.hurt") is None
    assert page.locator("#main [onerror], #main script").count() == 0
    assert page.locator('#main a[href^="javascript"]').count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]

"""What holds for every page of a thing: it is usable by all, on any screen, and nothing that is recorded runs in it."""

from __future__ import annotations

import pytest

from tests.server.ui.orchard import until

NARROW = {"width": 390, "height": 844}
PAGES = [
    *("start", "project", "dataset", "image", "versions", "compare", "file", "table", "folder", "run", "failed"),
    *("job", "search", "nothing"),
]
HOSTILE = "<img src=x onerror=window.hurt=1>\"'><script>window.hurt=1</script>"


def settled(page):
    page.wait_for_load_state("networkidle")
    return page


@pytest.fixture
def opened(looking, orchard):
    """A function that opens a page of the orchard by name."""

    def open_(name, **options):
        page = settled(looking(orchard.pages()[name], **options))
        if name == "nothing":
            looking.wrong.clear()  # the browser's own word of a 404
        return page

    return open_


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_for_everybody(opened, violations, name):
    """In light, in dark and on a screen of 390 pixels axe finds nothing, and nothing is wider than the screen; there
    is one first heading, a window's title and a way back.
    """
    page = opened(name, color_scheme="light", bypass_csp=True)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []
    page.set_viewport_size(NARROW)
    until(page, "innerWidth === 390 && document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []
    assert page.locator("h1").count() == 1
    if name != "nothing":
        assert page.title().endswith("· autoflow")
        assert page.locator("#crumbs li").count() >= 1


def test_what_is_not_there_says_so_and_leads_on(opened, expect):
    """An unknown number is told in the server's words, with a way to the start."""
    page = opened("nothing")
    expect(page.get_by_role("alert")).to_contain_text("Project 99999 is unknown")
    page.get_by_role("link", name="To the start").click()
    expect(page.get_by_role("heading", name="Start", exact=True)).to_be_visible()


def test_a_server_that_is_gone_is_said_to_be(looking, orchard, expect):
    """A page whose question fails says so, and can be tried again."""
    page = looking("/search")
    page.route("**/public/api/v3/**", lambda route: route.abort())
    page.goto(orchard.pages()["project"])
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached")
    page.unroute("**/public/api/v3/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Lemon orchard")).to_be_visible()
    looking.wrong.clear()  # the browser's own word of requests that failed


@pytest.fixture(scope="module")
def hostile(orchard):
    """Things whose every text would run or break out if it were markup; their pages."""
    filled = orchard.filled
    project = filled.project(HOSTILE, description=HOSTILE)
    classes = [{"title": HOSTILE, "shape": "rectangle", "color": "red;}</style><script>window.hurt=1</script>"}]
    meta = {"classes": classes, "tags": [{"name": HOSTILE, "value_type": "any_string"}]}
    filled.call("projects.meta.update", id=project, meta=meta)
    dataset = filled.dataset(project, HOSTILE)
    content = filled.content(filled.picture())
    images = [{"title": HOSTILE, "hash": content}, {"title": "l" * 400, "link": "javascript:window.hurt=1"}]
    image, link = (one["id"] for one in filled.call("images.bulk.add", datasetId=dataset, images=images))
    tag = {"name": HOSTILE, "value": HOSTILE}
    box = {"classTitle": HOSTILE, "geometryType": HOSTILE, "points": {"exterior": [[0, 0], ["x", None]]}, "tags": [tag]}
    mask = {"classTitle": HOSTILE, "geometryType": "bitmap", "bitmap": {"data": "no base64 <", "origin": [0, 0]}}
    body = {"imageId": image, "annotation": {"objects": [box, mask], "tags": [tag]}}
    filled.call("annotations.bulk.add", datasetId=dataset, annotations=[body])
    filled.snapshot(project, title=HOSTILE, description=HOSTILE)
    filled.call("images.bulk.remove", imageIds=[link])
    file = filled.file("/" + HOSTILE.replace("/", "") + ".html", HOSTILE.encode())["id"]
    run = orchard.run("hostile", HOSTILE, facts={"command": [HOSTILE], "parameters": {HOSTILE: HOSTILE}, "commit": 5})
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


@pytest.mark.parametrize("place", range(8))
def test_hostile_texts_are_texts(looking, hostile, place):
    """They are shown as they are written: nothing runs, nothing leaves the page, nothing is pushed off it."""
    page = settled(looking(hostile[place], viewport=NARROW))
    assert HOSTILE[:20] in page.inner_text("#main")
    assert page.evaluate("window.hurt") is None
    assert page.locator("#main [onerror], #main script").count() == 0
    assert page.locator('#main a[href^="javascript"]').count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]

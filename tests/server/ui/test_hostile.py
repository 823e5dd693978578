"""Hostile titles, links, icons and colours in records never execute and never break the layout of the graph."""

from __future__ import annotations

import re

import pytest

from tests.server.ui.demo_lineage import DemoLineage, node, relation

SCRIPT = "<img src=x onerror=window.hurt=1>\"'><script>window.hurt=1</script>"
URLS = [
    "javascript:window.hurt=1",
    "//evil.example/x",
    "/\\evil.example",
    "/\t/evil.example",
    "https://evil.example",
    "data:text/html,<script>window.hurt=1</script>",
    " /x",
]
LONG = "Unbrechbar" * 60
ODD = "\u202eright to left\u202c \u0000\u0007 \U0001f600 e\u0301\u0301\u0301 \u200d"


@pytest.fixture(scope="module")
def hostile(filled):
    """Runs and files whose every text is an attack."""
    lineage = DemoLineage(filled)
    lineage.hostile = filled.project(SCRIPT)
    for number, url in enumerate(URLS):
        file = filled.file(f"/{number} {SCRIPT.replace('/', '|')}")["id"]
        icon = {"icon": f"zmdi-x {SCRIPT}", "color": "red;background:url(//evil)", "backgroundColor": "expression(1)"}
        settings = relation(title=f"<h4>{SCRIPT}</h4>", description=f"<small>{SCRIPT}</small>", icon=icon)
        settings["customRelationSettings"]["mainLink"] = {"url": url, "title": SCRIPT}
        lineage.run(
            SCRIPT,
            reads=[("project", lineage.hostile)],
            writes=[("file", file, settings)],
            settings=node(title=SCRIPT, mainLink={"url": url, "title": SCRIPT})["customNodeSettings"],
        )
    lineage.run(LONG, reads=[("project", lineage.hostile)], writes=[("folder", "/" + LONG), ("folder", "/odd/" + ODD)])
    return lineage


@pytest.mark.parametrize(
    "query", ["clusters=no", "clusters=no&view=table", "clusters=no&card=task:21", "card=project:2"]
)
def test_nothing_executes_and_the_layout_holds(open_page, hostile, expect, query):
    """Attacks are shown as text, no link leaves the server, and no card outgrows its size."""
    page = open_page(f"/project/{hostile.hostile}?{query}")
    page.wait_for_load_state("networkidle")
    page.get_by_text("Filter", exact=True).click()
    page.wait_for_timeout(200)
    assert page.evaluate("window.hurt") is None
    assert page.locator("main script, main img[src=x]").count() == 0
    links = page.locator("main a").evaluate_all("links => links.map((link) => new URL(link.href).origin)")
    assert set(links) <= {hostile_origin(page)}
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440
    for box in page.locator("article").evaluate_all(
        "cards => cards.map((card) => [card.offsetWidth, card.scrollWidth, card.offsetHeight])"
    ):
        assert box[0] == 312
        assert box[1] <= 312
        assert box[2] in (82, 284)
    assert "onerror" in page.locator("body").inner_text()


def hostile_origin(page):
    return re.match(r"https?://[^/]+", page.url)[0]


def test_exported_html_executes_nothing(open_page, hostile, tmp_path):
    """The exported file is opened from disk."""
    page = open_page(f"/project/{hostile.hostile}")
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="HTML", exact=True).click()
    saved = tmp_path / "saved.html"
    download.value.save_as(saved)
    page.goto(saved.as_uri())
    page.wait_for_timeout(200)
    assert page.evaluate("window.hurt") is None
    assert "onerror" in page.locator("body").inner_text()


def test_a_hostile_address_executes_nothing(open_page, hostile):
    """Any query of the address is either refused or shown as text."""
    odd = f"?card={SCRIPT}&focus=both~{SCRIPT}&at=NaN,1,x&kind={SCRIPT}&expand=up~x&open={SCRIPT}&depth=-1&since=x"
    page = open_page(f"/project/{hostile.hostile}{odd.replace('<', '%3C').replace('>', '%3E')}")
    assert page.evaluate("window.hurt") is None
    open_page.errors.clear()

"""The graph as one file that opens from disk."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import datetime, timezone
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.graph.graph import Arrow, Card, Graph, Link
from autoflow.graph.render.html import render_html
from autoflow.graph.render.theme import STATES

pytestmark = pytest.mark.core

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)


class Page(HTMLParser):
    """Elements with their attributes and the text directly inside them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements:
            self.texts.setdefault(self.elements[-1][0], []).append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_the_page_has_picture_legend_tables_and_time(demo: Graph) -> None:
    """The tables hold everything in the picture: a row for each card and arrow, with captions and headers."""
    text = render_html(demo, written=NOW)
    page = Page(text)
    assert page.of("html") == [{"lang": "en"}]
    assert page.texts["caption"] == ["Cards", "Arrows"]
    assert len(page.of("tr")) == len(demo.cards) + len(demo.arrows) + 2
    assert sum(head == {"scope": "row"} for head in page.of("th")) == len(demo.cards) + len(demo.arrows)
    assert {"datetime": "2026-11-23T12:00:00+00:00"} in page.of("time")
    assert "model weight" in text.split('class="legend"')[1].split("</ul>")[0]


def test_nothing_is_fetched(demo: Graph) -> None:
    """No element of the page loads another file, and the policy forbids it."""
    page = Page(render_html(demo))
    assert not page.of("link")
    assert not page.of("img")
    assert all("src" not in attributes for _, attributes in page.elements)
    (policy,) = (meta["content"] or "" for meta in page.of("meta") if meta.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy


def test_the_policy_allows_the_pages_own_styles_and_script_only(demo: Graph) -> None:
    """The hashes are those of the style sheets and the script in the file; no style attribute is used."""
    text = render_html(demo)
    blocks = re.findall(r"<(style|script)>(.*?)</\1>", text, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(block.encode()).digest()).decode() for _, block in blocks]
    assert re.findall(r"sha256-([A-Za-z0-9+/=]+)", text.split("</head>")[0]) == hashes
    assert len(hashes) == 3
    assert all("style" not in attributes for _, attributes in Page(text).elements)


def test_without_a_server_links_are_text(demo: Graph) -> None:
    """A page opened from disk has no dead links; with a base url they lead to the server."""
    assert not Page(render_html(demo)).of("a")
    assert "Open Folder: <code>/files/11/true</code>" in render_html(demo)
    linked = {anchor["href"] for anchor in Page(render_html(demo, base_url="https://flow.example")).of("a")}
    assert "https://flow.example/files/11/true" in linked


def test_buttons_are_hidden_until_the_script_runs(demo: Graph) -> None:
    """The picture scrolls without it."""
    page = Page(render_html(demo))
    assert {"class": "tools", "hidden": None} in page.of("div")
    assert any(part.get("class") == "sheet" and part.get("tabindex") == "0" for part in page.of("div"))


@given(st.text(max_size=30).filter(lambda words: words not in STATES))
def test_hostile_texts_stay_texts(words: str) -> None:
    """Whatever a card says, the page has the same elements as with harmless words."""

    def shape(text: str) -> list[str]:
        card = Card(
            "f", "folder", text, text, f"x{text}", origin=text and "x" + text, description=f"x{text}", state=text
        )
        graph = Graph((card, Card("g", "file", 1, "n", f"y{text}")), (Arrow("f", "g", "input"),), title=text)
        return [tag for tag, _ in Page(render_html(graph, written=NOW)).elements]

    assert shape(words) == shape("harmless" if words else "")


def test_markup_and_unsafe_links_have_no_effect() -> None:
    """Markup ends neither the title nor the tables, and an unsafe url is not a link."""
    bad = "</title></style></script><script>alert(1)</script>"
    card = Card("f", "file", 1, bad, bad, description=bad, link=Link("javascript:alert(1)", bad))
    text = render_html(Graph((card,), title=bad), base_url="https://flow.example")
    assert text.count("<script>") == 1
    assert "javascript:alert" not in re.sub(r"<title>.*?</title>", "", text, flags=re.DOTALL)
    assert not Page(text).of("a")

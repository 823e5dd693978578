"""The graph as a picture that stands alone."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.graph.graph import Arrow, Card, Graph, Icon, Link
from autoflow.graph.layout import compute_layout
from autoflow.graph.render.icons import NAMED_DRAWINGS, icon_of
from autoflow.graph.render.svg import render_svg
from autoflow.graph.render.svg_card import link_url, text_width, truncate
from autoflow.graph.render.theme import DARK, LIGHT, STATES
from autoflow.model.entity_types import ENTITY_TYPES

pytestmark = pytest.mark.core

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "style", "rect", "path", "g", "text", "tspan", "a", "image"}


def make_card(**options: object) -> Card:
    return Card(**{"key": "file:9", "type": "file", "id": 9, "name": "name", "title": "title", **options})  # type: ignore[arg-type]


def drawn(card: Card, **options: object) -> ElementTree.Element:
    return ElementTree.fromstring(render_svg(Graph((card,)), **options))  # type: ignore[arg-type]


def words(picture: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in picture.iter(f"{SVG}text")]


def luminance(color: str) -> float:
    parts = [int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def test_every_card_and_arrow_of_the_demo_is_drawn(demo: Graph) -> None:
    """A card each, a line and a head for each arrow, and only the entry card outlined."""
    picture = ElementTree.fromstring(render_svg(demo))
    classes = [element.get("class", "").split() for element in picture.iter()]
    assert sum("card" in names for names in classes) == len(demo.cards)
    assert sum("way" in names for names in classes) == len(demo.arrows)
    assert sum("head" in names for names in classes) == len(demo.arrows)
    assert sum("entered" in names for names in classes) == 1
    shown = words(picture)
    assert {"V1", "V2", "Project Archive: digits.tar", "\u25cf failed", "22 Nov 2026, 11:10"} <= set(shown)


def test_an_arrow_of_a_cycle_is_dashed() -> None:
    """The line of a back arrow is marked, and its head points left."""
    cards = (make_card(key="a", at="2026-01-01"), make_card(key="b", at="2026-01-02"))
    picture = render_svg(Graph(cards, (Arrow("a", "b", "input"), Arrow("b", "a", "output"))))
    assert picture.count('class="way back"') == 1
    assert 'class="head" d="M312 61L321 ' in picture


def test_icons_and_colors_of_a_card() -> None:
    """A known icon is drawn in its colors; an unknown one falls back to the type's drawing, in those colors."""
    assert icon_of(make_card(icon=Icon("zmdi-archive", "#ff4c9e", "#ffe3ed"))) == Icon("archive", "#ff4c9e", "#ffe3ed")
    assert icon_of(make_card(icon=Icon("unheard-of", "#f0f", "#ffe3ed80"))) == Icon("file", "#f0f", "#ffe3ed80")


@pytest.mark.parametrize("color", ["red", "#12", "#fff;}", "url(#x)", "#12345678a", "#fff\n", '#fff" onload="x'])
def test_colors_that_are_not_hexadecimal_are_left_out(color: str) -> None:
    """Only hexadecimal colors reach the picture."""
    card = make_card(icon=Icon("archive", color, color))
    assert icon_of(card).color == icon_of(replace(card, icon=None)).color
    painted = {element.get(name) for element in drawn(card).iter() for name in ("fill", "stroke")} - {None}
    assert painted == {icon_of(card).color, icon_of(card).background}


def test_every_drawing_is_a_path() -> None:
    """The drawings of entity types and of named icons hold SVG path commands alone."""
    drawings = [row.drawing for row in ENTITY_TYPES.values()] + [*NAMED_DRAWINGS.values()]
    assert all(re.fullmatch(r"[MmLlHhVvCcAaSszZ0-9., -]+", path) for path in drawings)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_texts_have_enough_contrast(theme: dict[str, str]) -> None:
    """WCAG AA: 4.5 to 1 for every text, 3 to 1 for the arrows and the entry's outline."""
    for name in ("title", "muted", "link", *STATES):
        assert contrast(theme[name], theme["card"]) >= 4.5, name
        assert contrast(theme[name], theme["canvas"]) >= 4.5, name
    assert contrast(theme["on-badge"], theme["badge"]) >= 4.5
    assert contrast(theme["title"], theme["shade"]) >= 4.5
    assert contrast(theme["arrow"], theme["canvas"]) >= 3
    assert contrast(theme["accent"], theme["canvas"]) >= 3


@pytest.mark.parametrize(
    "url",
    ["//evil.example", "/\\evil.example", "javascript:alert(1)", "https://evil.example/", "x", "", "/a b", "/a\n"],
)
def test_only_paths_become_links(url: str) -> None:
    """A url that is not a path on the server is not a link, and its title is not shown as one."""
    card = make_card(link=Link(url, "Click"))
    assert link_url(card, "https://here.example") is None
    assert "Click" not in words(drawn(card, base_url=""))


def test_links_lead_to_the_cards_own_server() -> None:
    """The server's cards need its base url; the link of another server's card leads there."""
    card = make_card(link=Link("/files/9/true", "Open"))
    assert link_url(card, None) is None
    assert link_url(card, "") == "/files/9/true"
    assert link_url(card, "https://here.example/flow/") == "https://here.example/flow/files/9/true"
    assert link_url(card, "javascript:alert(1)//") is None
    foreign = replace(card, origin="https://there.example")
    assert link_url(foreign, None) == "https://there.example/files/9/true"
    assert link_url(replace(card, origin="javascript:"), None) is None


def test_previews_are_embedded_only_as_data() -> None:
    """An embedded picture is shown; any other url is replaced by a sketch."""
    data = "data:image/png;base64,AAAA"
    card = make_card(type="project", preview=data)
    assert [image.get("href") for image in drawn(card).iter(f"{SVG}image")] == [data]
    for other in ("/previews/1.png", "https://x.example/a.png", "data:image/svg+xml;base64,AAAA", data + '"'):
        assert not list(drawn(replace(card, preview=other)).iter(f"{SVG}image"))


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_hostile_texts_stay_texts(title: str, link: str, origin: str) -> None:
    """Whatever the words, the picture is well-formed and has none but our own elements and attributes."""
    card = make_card(
        title=title, name=link, description=title, link=Link("/" + link, title), origin=origin, badge=link, state=title
    )
    picture = ElementTree.fromstring(render_svg(Graph((card,), title=title), base_url=""))
    for element in picture.iter():
        assert element.tag.removeprefix(SVG) in ALLOWED
        assert not [name for name in element.attrib if name.lower().startswith("on")]
        assert re.match(r"https?://|/(?![/\\])", element.get("href", "/"))


def test_markup_in_a_title_is_text() -> None:
    """A script in a title is escaped."""
    assert "<script>" not in render_svg(
        Graph((make_card(title="<script>alert(1)</script>"),), title="</title><script>x</script>")
    )


@given(st.text(max_size=80))
def test_titles_are_truncated_to_their_space(title: str) -> None:
    """A text that fits is not cut."""
    cut = truncate(title, 200, 15)
    assert cut.endswith("\u2026") or text_width(cut, 15) <= 200
    assert text_width(cut.removesuffix("\u2026"), 15) <= 200


def test_the_more_badge_counts_omitted_neighbours() -> None:
    """The card at a border shows the count."""
    assert "+3 more" in words(drawn(make_card(more=3)))


def test_css_rules_are_below_one_class(demo: Graph) -> None:
    """The style sheet of a picture in a notebook affects nothing else."""
    style = ElementTree.fromstring(render_svg(demo)).find(f"{SVG}style")
    assert style is not None
    assert style.text
    selectors = re.findall(r"([^{}]+)\{", style.text.replace("@media (prefers-color-scheme:dark){", ""))
    parts = [part for selector in selectors for part in selector.split(",")]
    assert all(part.startswith(".autoflow-graph") for part in parts)


def test_the_picture_is_deterministic(demo: Graph) -> None:
    """With a layout that was computed before, too."""
    assert (
        render_svg(demo) == render_svg(Graph.from_json(demo.to_json())) == render_svg(demo, layout=compute_layout(demo))
    )

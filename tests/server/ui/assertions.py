"""Queries about the workflow page: its cards and their positions, the panel, the camera, the address."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit


def query_of(page):
    """Return the query of the address."""
    return parse_qs(urlsplit(page.url).query)


def card(page, title):
    return page.locator("article.node", has=page.locator(".name", has_text=re.compile(f"^{re.escape(title)}$")))


def panel(page):
    return page.get_by_role("complementary", name="Selected card")


def scale_of(page):
    """Return the scale in percent, as the zoom buttons show it."""
    return int(page.locator(".scale span").first.inner_text().rstrip("%"))


def wait_until_still(page):
    """Wait until animated moves have ended, everything is drawn, and the address holds the camera."""
    page.evaluate(
        """async () => {
            const pause = (time) => new Promise((done) => setTimeout(done, time));
            await pause(400);
            await new Promise(requestAnimationFrame); await new Promise(requestAnimationFrame);
            await pause(200);
        }"""
    )


def position(page, title):
    """Return the position of a card on the screen, once it no longer moves."""
    box = None
    while (current := card(page, title).first.bounding_box()) != box:
        box = current
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        page.wait_for_timeout(60)
    return round(box["x"]), round(box["y"])

"""A graph as a person looks at it: its cards and where they are, the panel beside it, the camera, the address."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit


def asked(page):
    """What the address asks for."""
    return parse_qs(urlsplit(page.url).query)


def card(page, title):
    return page.locator("article.node", has=page.locator(".name", has_text=re.compile(f"^{re.escape(title)}$")))


def panel(page):
    return page.get_by_role("complementary", name="Selected card")


def scale(page):
    return int(page.locator(".scale span").first.inner_text().rstrip("%"))


def rest(page):
    """Let the page come to rest, by its own clock: flights end, what moved is drawn, and the address says where."""
    page.evaluate(
        """async () => {
            const pause = (time) => new Promise((done) => setTimeout(done, time));
            await pause(400);
            await new Promise(requestAnimationFrame); await new Promise(requestAnimationFrame);
            await pause(200);
        }"""
    )


def place(page, title):
    """Where a card is on the screen, once it rests."""
    box = None
    while (now := card(page, title).first.bounding_box()) != box:
        box = now
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        page.wait_for_timeout(60)
    return round(box["x"]), round(box["y"])

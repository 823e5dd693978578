"""Touch gestures on the graph, sent as real touch events."""

from __future__ import annotations

import pytest

from tests.server.ui.assertions import card, panel, position, query_of, scale_of

PHONE = {"width": 390, "height": 844}


class Hand:
    """Sends touch events of numbered fingers."""

    def __init__(self, page):
        self._page = page
        self._session = page.context.new_cdp_session(page)
        self._down = {}

    def _send(self, kind, fingers):
        points = [{"id": finger, "x": x, "y": y} for finger, (x, y) in fingers.items()]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def down(self, **fingers):
        self._down.update({int(name[1:]): point for name, point in fingers.items()})
        self._send("touchStart", self._down)

    def move(self, *, steps=8, **fingers):
        """Move some fingers in small steps."""
        begun = dict(self._down)
        for step in range(1, steps + 1):
            for name, (x, y) in fingers.items():
                from_x, from_y = begun[int(name[1:])]
                part = step / steps
                self._down[int(name[1:])] = (from_x + (x - from_x) * part, from_y + (y - from_y) * part)
            self._send("touchMove", self._down)

    def up(self, *fingers):
        """Lift some fingers, or all."""
        lifted = {finger: self._down.pop(finger) for finger in fingers or list(self._down)}
        self._send("touchEnd", lifted if self._down else {})


@pytest.fixture
def phone(open_page, lineage):
    """The project's graph on a phone, and a hand to touch it."""
    page = open_page(f"/project/{lineage.project}", viewport=PHONE, has_touch=True, is_mobile=True)
    position(page, "Lemons")
    return page, Hand(page)


def middle(page, title):
    """Return the middle of a card on the screen, once it no longer moves."""
    position(page, title)
    box = card(page, title).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_spreading_two_fingers_zooms_in(phone):
    """The point between the fingers stays there, the scale grows with their distance; nothing is selected."""
    page, hand = phone
    x, y = middle(page, "Lemons")
    before, width = scale_of(page), card(page, "Lemons").bounding_box()["width"]
    hand.down(f0=(x - 40, y), f1=(x + 40, y))
    hand.move(f0=(x - 60, y), f1=(x + 60, y))
    hand.up()
    assert middle(page, "Lemons") == pytest.approx((x, y), abs=2)
    assert card(page, "Lemons").bounding_box()["width"] == pytest.approx(1.5 * width, rel=0.02)
    assert scale_of(page) == pytest.approx(1.5 * before, rel=0.02)
    assert panel(page).is_hidden()
    assert page.evaluate("visualViewport.scale") == 1  # the browser did not zoom the page itself


def test_pinching_zooms_out_and_pans(phone):
    """The graph moves with the point between the fingers."""
    page, hand = phone
    x, y = middle(page, "Lemons")
    before = scale_of(page)
    hand.down(f0=(x, y - 100), f1=(x, y + 100))
    hand.move(f0=(x + 30, y - 60 + 20), f1=(x + 30, y + 60 + 20))
    hand.up()
    assert scale_of(page) == pytest.approx(0.6 * before, abs=1)
    assert middle(page, "Lemons") == pytest.approx((x + 30, y + 20), abs=3)


def test_one_finger_pans_before_and_after_a_pinch(phone):
    """When the second finger is lifted, the first pans on without a jump."""
    page, hand = phone
    x, y = middle(page, "Lemons")
    hand.down(f0=(x, y))
    hand.move(f0=(x + 50, y - 70))
    assert middle(page, "Lemons") == pytest.approx((x + 50, y - 70), abs=2)
    hand.down(f1=(x + 50, y + 130))
    hand.move(f1=(x + 50, y + 180))
    hand.up(1)
    before = middle(page, "Lemons")
    hand.move(f0=(x, y))
    hand.up()
    assert middle(page, "Lemons") == pytest.approx((before[0] - 50, before[1] + 70), abs=2)
    assert panel(page).is_hidden()


def test_a_tap_selects_a_card(phone, expect):
    """A touch that does not move is a click."""
    page, _ = phone
    page.touchscreen.tap(*middle(page, "Lemons"))
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("Lemons")
    assert query_of(page)["card"] == ["project:1"]

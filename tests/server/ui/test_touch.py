"""The graph under fingers: real touches, as the browser gets them from a screen."""

from __future__ import annotations

import pytest

from tests.server.ui.looks import asked, card, panel, place, scale

PHONE = {"width": 390, "height": 844}


class Hand:
    """Fingers on a page's screen, by number."""

    def __init__(self, page):
        self._page = page
        self._session = page.context.new_cdp_session(page)
        self._down = {}

    def _tell(self, kind, fingers):
        points = [{"id": finger, "x": x, "y": y} for finger, (x, y) in fingers.items()]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def down(self, **fingers):
        self._down.update({int(name[1:]): point for name, point in fingers.items()})
        self._tell("touchStart", self._down)

    def move(self, *, steps=8, **fingers):
        """Move some to where they are to be, in steps as a hand would."""
        begun = dict(self._down)
        for step in range(1, steps + 1):
            for name, (x, y) in fingers.items():
                from_x, from_y = begun[int(name[1:])]
                part = step / steps
                self._down[int(name[1:])] = (from_x + (x - from_x) * part, from_y + (y - from_y) * part)
            self._tell("touchMove", self._down)

    def up(self, *fingers):
        """Lift some, or all."""
        lifted = {finger: self._down.pop(finger) for finger in fingers or list(self._down)}
        self._tell("touchEnd", lifted if self._down else {})


@pytest.fixture
def phone(looking, meadow):
    """The project's graph on a phone, and a hand."""
    page = looking(f"/project/{meadow.project}", viewport=PHONE, has_touch=True, is_mobile=True)
    place(page, "Lemons")
    return page, Hand(page)


def middle(page, title):
    """The middle of a card on the screen, once it rests."""
    place(page, title)
    box = card(page, title).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_two_fingers_apart_enlarge_what_is_between_them(phone):
    """What was under the middle of the fingers stays there, the scale grows as they part; nothing is selected."""
    page, hand = phone
    x, y = middle(page, "Lemons")
    before, width = scale(page), card(page, "Lemons").bounding_box()["width"]
    hand.down(f0=(x - 40, y), f1=(x + 40, y))
    hand.move(f0=(x - 60, y), f1=(x + 60, y))
    hand.up()
    assert middle(page, "Lemons") == pytest.approx((x, y), abs=2)
    assert card(page, "Lemons").bounding_box()["width"] == pytest.approx(1.5 * width, rel=0.02)
    assert scale(page) == pytest.approx(1.5 * before, rel=0.02)
    assert panel(page).is_hidden()
    assert page.evaluate("visualViewport.scale") == 1  # the page itself is not enlarged


def test_two_fingers_together_make_it_smaller_and_take_it_along(phone):
    """Fingers that close and wander move the graph with their middle."""
    page, hand = phone
    x, y = middle(page, "Lemons")
    before = scale(page)
    hand.down(f0=(x, y - 100), f1=(x, y + 100))
    hand.move(f0=(x + 30, y - 60 + 20), f1=(x + 30, y + 60 + 20))
    hand.up()
    assert scale(page) == pytest.approx(0.6 * before, abs=1)
    assert middle(page, "Lemons") == pytest.approx((x + 30, y + 20), abs=3)


def test_one_finger_moves_the_graph_and_goes_on_after_a_pinch(phone):
    """A finger drags; when a second one came and went, the first drags on without a leap."""
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
    """A touch that does not move is a click; one on its link follows it."""
    page, _ = phone
    page.touchscreen.tap(*middle(page, "Lemons"))
    expect(panel(page).get_by_role("heading", level=2)).to_have_text("Lemons")
    assert asked(page)["card"] == ["project:1"]

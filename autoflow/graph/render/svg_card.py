"""The face of one card in SVG: picture or icon tile, title, link, date, badge, state.

Every text is escaped and cut to its room; a link is one only if it is a path on a server that is known.
"""

from __future__ import annotations

import re
from datetime import timezone, tzinfo
from html import escape
from typing import NamedTuple

from autoflow.graph.graph import Card
from autoflow.graph.layout import Box
from autoflow.graph.layout.geometry import CARD_HEIGHT
from autoflow.graph.render.icons import icon_of, icon_path
from autoflow.graph.render.labels import (
    card_caption,
    format_time,
    is_server_url,
    printable,
    run_status,
    type_and_id,
    type_label,
)
from autoflow.graph.render.theme import STATES

LOCAL_PATH = re.compile(r"/(?![/\\])[^\s\x00-\x1f\x7f]*")
DATA_URL = re.compile(r"data:image/(?:png|jpeg|webp|gif);base64,[A-Za-z0-9+/=]+")
TILE = 54
MARGIN = 14
CALENDAR = "M.6 2h9.8v8.4H.6zM.6 4.8h9.8M3 .4v2.4M8 .4v2.4"

# Advance widths of a sans-serif face in thousandths of its size, a little more than most faces need.
_ADVANCE = {
    **dict.fromkeys("ijl'|.,:;! I", 310),
    **dict.fromkeys('frt()[]{}-/\\"*`', 410),
    **dict.fromkeys("mwMW@%", 930),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ&#+=<>~", 720),
}


class CardContext(NamedTuple):
    """What a face needs to know beyond its card.

    Args:
        base_url: where the server answers; empty for the page's own server, None for no links.
        zone: where the reader's clock stands.
        entry: key of the card to outline.
    """

    base_url: str | None = None
    zone: tzinfo = timezone.utc
    entry: str | None = None


def truncate(text: str, room: float, size: float) -> str:
    """Cut a text with an ellipsis to about `room` pixels at a type size of `size`."""
    text = printable(" ".join(text.split()))
    used, kept = 0.0, 0
    for number, sign in enumerate(text):
        used += size * _advance(sign) / 1000
        if used + size * 0.9 <= room:
            kept = number + 1
    return text if used <= room else text[:kept].rstrip() + "\u2026"


def text_width(text: str, size: float) -> float:
    """Estimate the width of a text in pixels."""
    return sum(map(_advance, text)) * size / 1000


def _advance(sign: str) -> int:
    return _ADVANCE.get(sign, 590 if ord(sign) < 0x1100 else 1050)


def link_url(card: Card, base_url: str | None) -> str | None:
    """Give the address a card's link leads to, or None.

    A card of another server leads there; others need the server's own address.
    """
    base = card.origin or base_url
    if card.link is None or base is None or not LOCAL_PATH.fullmatch(card.link.url):
        return None
    return base.rstrip("/") + card.link.url if not base or is_server_url(base) else None


def tooltip(card: Card, look: CardContext) -> str:
    """Give the words of a card's tooltip: everything the face has no room for."""
    words = [card_caption(card), type_and_id(card), card.origin]
    words += [card.description or "", format_time(card.at, look.zone)]
    words += [run_status(card.state, card.seen, card.unattributed)]
    words += [f"{card.link.title}: {card.link.url}" if card.link else ""]
    words += [f"{card.more} more not shown" if card.more else ""]
    return "\n".join(escape(printable(" ".join(word.split()))) for word in words if word.strip())


def render_card(card: Card, box: Box, look: CardContext) -> str:
    """Draw one card at its box."""
    tall = box.height > CARD_HEIGHT
    left = MARGIN if tall else MARGIN + TILE + 12
    top = box.height - CARD_HEIGHT + 2 if tall else 0
    badge = _badge(card, box)
    right = box.width - MARGIN
    room = right - left - (0 if tall or not card.badge else text_width(card.badge, 12) + 20)
    second = _second(card, right - left, look)
    lines = [f'<text class="name">{escape(truncate(card.title, room, 16.2))}</text>']
    lines += [second] if second else []
    lines += [_third(card, right - left, look)]
    rows = (30, 50, 69) if len(lines) == 3 else (36, 58)
    # A row in a frame of its own is cut at the card's edge, should the reader's face be wider than the estimate.
    frame = f'width="{right - left + 8}" height="24" viewBox="0 -16 {right - left + 8} 24"'
    written = "".join(
        f'<svg x="{left}" y="{top + y - 16}" {frame}>{line}</svg>' for line, y in zip(lines, rows, strict=True)
    )
    picture = _picture(card, box) if tall else _tile(card)
    entered = " entered" if card.key == look.entry else ""
    return (
        f'<g class="card{entered}" transform="translate({box.x} {box.y})"><title>{tooltip(card, look)}</title>'
        f"{_stack(box) if card.members else ''}"
        f'<rect class="box" width="{box.width}" height="{box.height}" rx="10"/>'
        f"{picture}{written}{badge}{_more(card, box)}</g>"
    )


def _stack(box: Box) -> str:
    """Draw the edges of cards that lie below one."""
    return "".join(
        f'<rect class="box" x="{inset}" y="{down}" width="{box.width - 2 * inset}" height="{box.height}" rx="10"/>'
        for inset, down in ((12, 9), (6, 5))
    )


def _icon(card: Card, x: float, y: float, scale: float) -> str:
    icon = icon_of(card)
    place = f"translate({x} {y}) scale({scale:.3f})"
    return f'<path class="icon" stroke="{icon.color}" transform="{place}" d="{icon_path(card)}"/>'


def _tile(card: Card) -> str:
    tile = f'<rect x="{MARGIN}" y="{MARGIN}" width="{TILE}" height="{TILE}" rx="8" fill="{icon_of(card).background}"/>'
    return tile + _icon(card, MARGIN + 14, MARGIN + 14, 26 / 24)


def _picture(card: Card, box: Box) -> str:
    """Draw the preview where it came along as data, else a sketch of what is meant."""
    width, height = box.width - 2 * 8, box.height - CARD_HEIGHT
    place = f'x="8" y="8" width="{width}" height="{height}"'
    if card.preview and DATA_URL.fullmatch(card.preview):
        return f'<image {place} href="{card.preview}" preserveAspectRatio="xMidYMid slice"/>'
    across, down = width / 2 + 8 - 36, height / 2 + 8 - 36
    sketch = f'<path class="sketch" transform="translate({across} {down}) scale(3)" d="{icon_path(card)}"/>'
    return f'<rect class="shade" {place} rx="6"/>{sketch}'


def _second(card: Card, room: float, look: CardContext) -> str:
    """Draw the row of the link, followed by the description or the server the card belongs to."""
    link = truncate(card.link.title, room, 13) if card.link and LOCAL_PATH.fullmatch(card.link.url) else ""
    about = card.description or (card.origin.partition("://")[2] if card.origin else "")
    used = text_width(link, 13) + 14 if link else 0
    rest = truncate(about, room - used, 13) if about and room - used > 40 else ""
    address = link_url(card, look.base_url)
    shown = f'<tspan class="link">{escape(link)}</tspan>' if address else f"<tspan>{escape(link)}</tspan>"
    if address:
        shown = f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{shown}</a>'
    parts = [shown] if link else []
    parts += [f"<tspan>{escape(rest)}</tspan>"] if rest else []
    between = "<tspan> \u00b7 </tspan>"
    return f"<text>{between.join(parts)}</text>" if parts else ""


def _third(card: Card, room: float, look: CardContext) -> str:
    """Draw the row of the date and, of a run, its state; of data without a date, the kind."""
    date = format_time(card.at, look.zone)
    drawn = ""
    if date:
        drawn += (
            f'<path class="glyph" transform="translate(0 -10)" d="{CALENDAR}"/><text class="date" x="17">{date}</text>'
        )
    if card.state in STATES:
        words = f"{card.state}, unattributed" if card.unattributed else card.state
        drawn += f'<text class="state {card.state}" x="{room}">\u25cf {words}</text>'
    return drawn or f'<text class="date">{type_label(card)}</text>'


def _badge(card: Card, box: Box) -> str:
    if not card.badge:
        return ""
    words = truncate(card.badge, 60, 12)
    width = max(26.0, text_width(words, 12) + 14)
    x, y = box.width - MARGIN - width + 4, 12
    return (
        f'<rect class="badge" x="{x:.1f}" y="{y}" width="{width:.1f}" height="24" rx="12"/>'
        f'<text class="on-badge" x="{x + width / 2:.1f}" y="{y + 16}">{escape(words)}</text>'
    )


def _more(card: Card, box: Box) -> str:
    if not card.more:
        return ""
    words = f"+{card.more} more"
    width = text_width(words, 11) + 16
    x, y = box.width - width - 16, box.height - 9
    return (
        f'<rect class="more" x="{x:.1f}" y="{y}" width="{width:.1f}" height="18" rx="9"/>'
        f'<text class="on-more" x="{x + width / 2:.1f}" y="{y + 13}">{words}</text>'
    )

"""Words on cards, the same in every form: kinds, versions, times, and texts made harmless for a terminal."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timezone, tzinfo

from autoflow.graph.graph import Card, Graph
from autoflow.model.entity_types import ENTITY_TYPES

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ADDRESS = re.compile(r"https?://[^/?#\s\\\"'<>@]+(?:/[^?#\s\\\"'<>]*)?")


def type_label(card: Card) -> str:
    """Return what texts call the card's type, as ``model weight``."""
    return ENTITY_TYPES[card.type].label


def card_title(card: Card) -> str:
    """Give the card's title on one line; with its name where a customised title says something else of data."""
    title = " ".join(card.title.split())
    name = " ".join(card.name.split())
    return title if not name or name in title or card.type == "task" else f"{title} ({name})"


def card_caption(card: Card) -> str:
    """Give the title with the version's number, unless it says that already."""
    title = card_title(card)
    return f"{title} {card.badge}" if card.badge and card.badge not in title else title


def type_and_id(card: Card) -> str:
    """Give kind and number, as ``run 5``; of a cluster how many cards it stands for."""
    return f"{len(card.members)} cards" if card.members else f"{type_label(card)} {card.id}"


def omitted_count(card: Card) -> list[str]:
    """Return ``+3 more`` where neighbours of the card were left out of the graph, else nothing."""
    return [f"+{card.more} more"] if card.more else []


def card_reference(card: Card) -> str:
    """Return the card's name for the command line, as ``version:12`` or ``file:9``; of a cluster, its count."""
    if card.members:
        return type_and_id(card)
    own = f"{ENTITY_TYPES[card.type].reference}:{card.id}"
    return f"{own}@{card.origin.partition('://')[2] or card.origin}" if card.origin else own


def count_runs_and_data(graph: Graph) -> tuple[int, int]:
    """Count the runs and the data cards, those in clusters too."""
    counts = [0, 0]
    for card in graph.cards:
        counts[card.type != "task"] += len(card.members) or 1
    return counts[0], counts[1]


def parse_time(at: str | None, zone: tzinfo = timezone.utc) -> datetime | None:
    """Read an ISO 8601 time (UTC where it names no zone) into `zone`; None when there is none or it is not one."""
    if not at:
        return None
    try:
        read = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", at.strip()))
        return (read if read.tzinfo else read.replace(tzinfo=timezone.utc)).astimezone(zone)
    except (ValueError, OverflowError):
        return None


def format_time(at: str | None, zone: tzinfo = timezone.utc) -> str:
    """Show a time as ``24 Aug 2026, 11:15``; empty when unknown."""
    read = parse_time(at, zone)
    return f"{read.day} {MONTHS[read.month - 1]} {read.year}, {read:%H:%M}" if read else ""


def format_age(at: str | None, now: datetime | None = None) -> str:
    """Show how long ago a time was, as ``3 min ago``; empty when unknown."""
    read = parse_time(at)
    if read is None:
        return ""
    seconds = ((now or datetime.now(timezone.utc)) - read).total_seconds()
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def run_status(state: str | None, seen: str | None, unattributed: bool) -> str:
    """Show how a run stands: its state, when a running one was last heard of, and whether it is attributed."""
    words = [state or ""]
    words += [f"last sign of life {format_age(seen)}"] if seen and state == "running" else []
    words += ["unattributed"] if unattributed else []
    return ", ".join(word for word in words if word)


def is_server_url(url: str) -> bool:
    """Whether a server's address is one a link may begin with: http or https, a host, perhaps a path."""
    return _ADDRESS.fullmatch(url) is not None


def printable(text: str) -> str:
    """Show control and format characters escaped, so that no name can move a cursor, ring or turn text round."""
    return "".join(
        sign if unicodedata.category(sign)[0] != "C" and sign not in "\u2028\u2029" else _escaped(sign) for sign in text
    )


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")


def display_width(text: str) -> int:
    """Number of terminal columns a printable text takes up."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )

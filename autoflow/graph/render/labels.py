"""Texts on cards that all formats share: titles, references, times, and names made safe for a terminal."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timezone, tzinfo

from autoflow.graph.graph import Card, Graph
from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES
from autoflow.model.local_file import local_file

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SERVER_URL = re.compile(r"https?://[^/?#\s\\\"'<>@]+(?:/[^?#\s\\\"'<>]*)?")


def type_label(card: Card) -> str:
    """Return what texts call the card's type, as ``model weight``."""
    return ENTITY_TYPES[card.type].label


def card_title(card: Card) -> str:
    """Return the title on one line, followed by the name of data whose customised title does not contain it."""
    title = " ".join(card.title.split())
    name = " ".join(card.name.split())
    return title if not name or name in title or card.type == "task" else f"{title} ({name})"


def card_caption(card: Card) -> str:
    """Return the title with the badge, unless the title contains it."""
    title = card_title(card)
    return f"{title} {card.badge}" if card.badge and card.badge not in title else title


def type_and_id(card: Card) -> str:
    """Return type and id, as ``run 5``; of a cluster the number of its cards."""
    return f"{len(card.members)} cards" if card.members else f"{type_label(card)} {card.id}"


def omitted_count(card: Card) -> list[str]:
    """Return ``+3 more`` if the graph leaves out neighbours of the card, else nothing."""
    return [f"+{card.more} more"] if card.more else []


def card_reference(card: Card) -> str:
    """Return the card's reference for the command line, as ``version:12``; of a cluster the number of its cards."""
    if card.members:
        return type_and_id(card)
    if (file := local_file(EntityRef(card.origin, card.type, card.id))) is not None:
        return f"{file.path}@{file.host}"
    reference = f"{ENTITY_TYPES[card.type].reference}:{card.id}"
    return f"{reference}@{card.origin.partition('://')[2] or card.origin}" if card.origin else reference


def count_runs_and_data(graph: Graph) -> tuple[int, int]:
    """Return the number of runs and of data cards, counting the members of clusters."""
    counts = [0, 0]
    for card in graph.cards:
        counts[card.type != "task"] += len(card.members) or 1
    return counts[0], counts[1]


def count_text(count: int, noun: str) -> str:
    """Return a count with its noun, as ``1 run`` or ``3 runs``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def parse_time(at: str | None, zone: tzinfo = timezone.utc) -> datetime | None:
    """Parse an ISO 8601 time (UTC if it has no zone) into `zone`; None if it is missing or malformed."""
    if not at:
        return None
    try:
        time = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", at.strip()))
        return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).astimezone(zone)
    except (ValueError, OverflowError):
        return None


def format_time(at: str | None, zone: tzinfo = timezone.utc) -> str:
    """Return a time as ``24 Aug 2026, 11:15``; empty when unknown."""
    time = parse_time(at, zone)
    return f"{time.day} {MONTHS[time.month - 1]} {time.year}, {time:%H:%M}" if time else ""


def format_age(at: str | None, now: datetime | None = None) -> str:
    """Return the age of a time, as ``3 min ago``; empty when unknown."""
    time = parse_time(at)
    if time is None:
        return ""
    seconds = ((now or datetime.now(timezone.utc)) - time).total_seconds()
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def run_status(state: str | None, last_seen: str | None, unattributed: bool) -> str:
    """Return a run's state, the age of a running one's last record, and whether it is unattributed."""
    parts = [state or ""]
    parts += [f"last activity {format_age(last_seen)}"] if last_seen and state == "running" else []
    parts += ["unattributed"] if unattributed else []
    return ", ".join(part for part in parts if part)


def is_server_url(url: str) -> bool:
    """Return whether a url is http or https with a host and at most a path, so that a link may begin with it."""
    return _SERVER_URL.fullmatch(url) is not None


def printable(text: str) -> str:
    """Escape control and format characters, so that no name moves a cursor, rings a bell or reverses text."""
    return "".join(
        character
        if unicodedata.category(character)[0] != "C" and character not in "\u2028\u2029"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def display_width(text: str) -> int:
    """Return the number of terminal columns that a printable text takes."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )

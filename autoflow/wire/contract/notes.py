"""Notes that people write on cards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from autoflow.wire import methods
from autoflow.wire.contract.method import Constraint, Id, Method, Positive

MAX_NOTE = 4000  # characters
NoteText = Annotated[str, Constraint(max_length=MAX_NOTE)]


@dataclass(frozen=True, kw_only=True)
class AddNoteRequest:
    """Write a note on a card; notes are neither changed nor removed.

    Args:
        ref: reference of the entity, as file:9, version:4, /models/best.pt or model:lemons@champion.
        card: key of the card, in place of a reference.
        text: the note.
        team_id: team of a path or a model; the caller's first without it.
    """

    text: NoteText
    ref: str | None = None
    card: str | None = None
    team_id: Id | None = None


@dataclass(frozen=True, kw_only=True)
class ListNotesRequest:
    """Return the notes on a card, the latest first.

    Args:
        ref: reference of the entity.
        card: key of the card, in place of a reference.
        team_id: team of a path or a model; the caller's first without it.
        before: notes older than the one with this number, to page.
        limit: most notes.
    """

    ref: str | None = None
    card: str | None = None
    team_id: Id | None = None
    before: Id | None = None
    limit: Positive | None = None


class Note(TypedDict):
    """A note on a card.

    Args:
        card: key of the card.
        createdBy: login of the author.
    """

    id: Id
    card: str
    text: str
    createdBy: str | None
    createdAt: str


class NotesResponse(TypedDict):
    """Notes on a card.

    Args:
        next: before of the next request; null after the last part.
    """

    notes: list[Note]
    next: Id | None


NOTES_ADD = Method(methods.NOTES_ADD, AddNoteRequest, Note, (404,))
NOTES_LIST = Method(methods.NOTES_LIST, ListNotesRequest, NotesResponse, (404,))

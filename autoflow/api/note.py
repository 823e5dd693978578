"""`api.note`: notes that people write on cards."""

from __future__ import annotations

from collections.abc import Iterator

from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire.contract.notes import NOTES_ADD, NOTES_LIST, AddNoteRequest, ListNotesRequest, Note


class NoteApi:
    """Notes on the cards of one server, which are neither changed nor removed. Our server only."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def add(self, ref: str, text: str, *, team_id: int | None = None) -> Note:
        """Write a note on the card of an entity.

        Args:
            ref: a reference, as ``file:9``, ``version:12``, ``/models/best.pt`` or ``model:lemons@champion``.
            text: the note, up to 4,000 characters.
            team_id: team of a path or a model. Default: the first team.

        Raises:
            ServerError: the server does not know the entity, or is a Supervisely instance.
        """
        return call(self._transport, NOTES_ADD, AddNoteRequest(ref=ref, text=text, team_id=team_id))

    def get_list(self, ref: str, *, team_id: int | None = None) -> Iterator[Note]:
        """Return the notes on a card, the latest first; pages are requested as they are needed.

        Args:
            ref, team_id: see `add`.
        """
        before: int | None = None
        while True:
            request = ListNotesRequest(ref=ref, team_id=team_id, before=before)
            response = call(self._transport, NOTES_LIST, request)
            yield from response["notes"]
            before = response["next"]
            if before is None:
                return

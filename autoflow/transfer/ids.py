"""The ids that rows of a store have on the server it is copied to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire.contract import store_transfers as contract

_AT_ONCE = 1000


class TargetIds:
    """Looks up and stores the ids of copies.

    Args:
        target: the server that the store is copied to.
        store: random id of the store.
    """

    def __init__(self, target: Transport, store: str) -> None:
        self._target = target
        self._store = store
        self.team: int | None = None

    def find(self, kind: contract.CopyType, ids: Sequence[int]) -> dict[int, tuple[int, str]]:
        """Return the ids of copies with what was stored of each, by the ids in the store; unknown ones are absent."""
        known: dict[int, tuple[int, str]] = {}
        for start in range(0, len(ids), _AT_ONCE) or (0,):
            part = list(ids[start : start + _AT_ONCE])
            request = contract.TransferKnownRequest(store=self._store, type=kind, ids=part)
            response = call(self._target, contract.TRANSFER_KNOWN, request)
            self.team = response["team"]
            known.update((int(source), (number, state)) for source, (number, state) in response["copies"].items())
        return known

    def link(self, kind: Literal["file", "task"], copies: Sequence[tuple[int, int, str]]) -> None:
        """Store the ids of copies: each with the id in the store, and what is stored of it."""
        for start in range(0, len(copies), _AT_ONCE):
            part = [
                contract.LinkedCopy(source=source, id=number, state=state)
                for source, number, state in copies[start : start + _AT_ONCE]
            ]
            request = contract.TransferLinkRequest(store=self._store, type=kind, copies=part)
            call(self._target, contract.TRANSFER_LINK, request)

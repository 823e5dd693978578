"""``api.erase``: erase images, runs and projects for good, with a dry run first and a signed report afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autoflow.api.local_files import is_local_path, sha256_of_file
from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire.contract import erasure as contract


class EraseApi:
    """Erasures of one server; for admins of a team."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def plan(self, refs: str | Sequence[str], *, team_id: int | None = None) -> contract.ErasePlanResponse:
        """Return what an erasure would remove, and what was made from it; nothing is changed.

        Args:
            refs: ``image:3``, ``dataset:4/a.png``, a sha256, a local file as ``./a.png``, ``file:9``, ``task:5``,
                ``project:7``, or several of these.
            team_id: the team. Default: that of the first reference with a number, else the first team.

        Raises:
            OSError: a local file cannot be read.
            ServerError: a reference is not valid or not known, or the caller is no admin of the team.
        """
        request = contract.ErasePlanRequest(refs=_references(refs), team_id=team_id)
        return call(self._transport, contract.ERASE_PLAN, request)

    def run(self, refs: str | Sequence[str] = (), *, team_id: int | None = None, reason: str = "") -> dict[str, Any]:
        """Erase content for good, and return the signed report; see `plan`.

        If this is interrupted, the next call completes it; without references that is all it does, and the result is
        empty.

        Args:
            refs, team_id: as in `plan`.
            reason: why, for the audit log.

        Raises:
            OSError, ServerError: as `plan`; 503 if something cannot be erased now.
        """
        return self._complete(contract.EraseRunRequest(refs=_references(refs), team_id=team_id, reason=reason))

    def _complete(self, request: contract.EraseRunRequest) -> dict[str, Any]:
        response = call(self._transport, contract.ERASE_RUN, request)
        return self._continue(response, request.team_id)

    def _continue(self, response: contract.EraseRunResponse, team_id: int | None) -> dict[str, Any]:
        while not response["done"]:
            request = contract.EraseRunRequest(id=response["id"], team_id=team_id)
            response = call(self._transport, contract.ERASE_RUN, request)
        return response["report"] or {}

    def list(self, team_id: int | None = None) -> list[contract.ErasureEntry]:
        """Return the erasures of a team with their reports, the latest first.

        Args:
            team_id: the team. Default: the first team.
        """
        return call(self._transport, contract.ERASE_LIST, contract.EraseListRequest(team_id=team_id))["erasures"]

    def retention(self, team_id: int | None = None) -> contract.RetentionResponse:
        """Return the rules of retention of a team, and what they would remove now."""
        return call(self._transport, contract.RETENTION, contract.RetentionRequest(team_id=team_id))

    def set_retention(
        self, *, logs: int | None = None, versions: int | None = None, team_id: int | None = None
    ) -> contract.RetentionResponse:
        """Change rules of retention; nothing is removed until `apply_retention`.

        Args:
            logs: days that logs of finished runs are kept; 0 for ever.
            versions: days that versions are kept that nothing needs; 0 for ever.
            team_id: the team. Default: the first team.
        """
        request = contract.RetentionSetRequest(team_id=team_id, logs=logs, versions=versions)
        return call(self._transport, contract.RETENTION_SET, request)

    def apply_retention(self, team_id: int | None = None) -> dict[str, Any]:
        """Remove what the rules of a team do not keep; return the signed report, empty if there was nothing."""
        response = call(self._transport, contract.RETENTION_APPLY, contract.RetentionApplyRequest(team_id=team_id))
        return self._continue(response, team_id)


def _references(refs: str | Sequence[str]) -> list[str]:
    listed = [refs] if isinstance(refs, str) else refs
    return [sha256_of_file(ref) if is_local_path(ref) else ref for ref in listed]

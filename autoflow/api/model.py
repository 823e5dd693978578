"""`api.model`: models, their versions by number, and the aliases that move between them."""

from __future__ import annotations

from typing import Any

from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire.contract import models as contract

PAGE = 500


class ModelApi:
    """Models of one server of ours."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def register(self, name: str, file: Any, *, team_id: int | None = None) -> contract.ModelVersion:
        """Make a file the next version of a model; a file that is one of its versions already stays that.

        Args:
            name: name of the model, which the first version creates.
            file: id, FileInfo, path in Team Files, or reference as ``file:9``.
            team_id: team of the model and of the path. Default: the first team.

        Raises:
            ServerError: there is no such file, or the server is a Supervisely instance.
        """
        number = getattr(file, "id", file)
        ref = f"file:{number}" if isinstance(number, int) else str(number)
        request = contract.RegisterModelRequest(name=name, ref=ref, team_id=team_id)
        return call(self._transport, contract.MODELS_REGISTER, request)

    def get(self, ref: str, *, team_id: int | None = None) -> contract.ModelVersion:
        """Return the version of a model that a reference names.

        Args:
            ref: ``model:lemons@champion``, ``model:lemons@3``, ``model:lemons`` for the latest, or
                ``model:lemons@champion on 2026-06-01``; the word before the colon may be left out.
            team_id: team of the model. Default: the first team that has it.

        Raises:
            ServerError: there is no such version.
        """
        reference = ref if ref.startswith("model:") else f"model:{ref}"
        request = contract.ResolveModelRequest(ref=reference, team_id=team_id)
        return call(self._transport, contract.MODELS_RESOLVE, request)

    def get_list(self, *, team_id: int | None = None, query: str | None = None) -> list[contract.ModelSummary]:
        """Return models, those with the newest versions first.

        Args:
            team_id: of this team alone.
            query: part of the name.
        """
        models: list[contract.ModelSummary] = []
        offset: int | None = 0
        while offset is not None:
            request = contract.ListModelsRequest(team_id=team_id, q=query, limit=PAGE, offset=offset)
            response = call(self._transport, contract.MODELS_LIST, request)
            models += response["models"]
            offset = response["next"]
        return models

    def versions(self, name: str, *, team_id: int | None = None) -> list[contract.ModelVersion]:
        """Return the versions of a model, the latest first."""
        versions: list[contract.ModelVersion] = []
        before: int | None = None
        while True:
            request = contract.ShowModelRequest(name=name, team_id=team_id, before=before, limit=PAGE)
            response = call(self._transport, contract.MODELS_SHOW, request)
            versions += response["versions"]
            before = response["next"]
            if before is None:
                return versions

    def set_alias(
        self, name: str, alias: str, version: int, *, reason: str = "", team_id: int | None = None
    ) -> contract.SetAliasResponse:
        """Let an alias name a version, which moves it if it named another.

        Args:
            name: name of the model.
            alias: as ``champion``.
            version: number of the version.
            reason: why, for the audit log.
            team_id: team of the model. Default: the first team that has it.
        """
        request = contract.SetAliasRequest(name=name, alias=alias, version=version, reason=reason, team_id=team_id)
        return call(self._transport, contract.MODELS_ALIAS, request)

    def remove_alias(
        self, name: str, alias: str, *, reason: str = "", team_id: int | None = None
    ) -> contract.SetAliasResponse:
        """Remove an alias; the version that it named stays."""
        request = contract.SetAliasRequest(name=name, alias=alias, reason=reason, team_id=team_id)
        return call(self._transport, contract.MODELS_ALIAS, request)

    def history(self, name: str, alias: str | None = None, *, team_id: int | None = None) -> list[contract.AliasMove]:
        """Return the moves of a model's aliases, or of a single one, the latest first."""
        moves: list[contract.AliasMove] = []
        before: int | None = None
        while True:
            request = contract.AliasHistoryRequest(name=name, alias=alias, team_id=team_id, before=before, limit=PAGE)
            response = call(self._transport, contract.MODELS_HISTORY, request)
            moves += response["moves"]
            before = response["next"]
            if before is None:
                return moves

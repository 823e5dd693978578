"""`api.webhook`: addresses that get a team's events, with the method names of the SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire.contract.webhooks import WEBHOOK_DELIVERIES, WebhookDeliveriesRequest, WebhookDelivery


class WebhookInfo(NamedTuple):
    """A webhook.

    Args:
        id: its number.
        action: the event: ``run.failed``, ``version.created``, ``alias.moved``, ``item.erased`` or
            ``labeling_job.completed``.
        url: where the event is sent.
        team_id: whose events are sent.
        meta: options, as ``retriesCount`` and ``retriesDelay``.
        secret: key of the requests' signatures, which only `WebhookApi.create` returns; empty otherwise.
    """

    id: int
    action: str
    url: str
    team_id: int
    meta: Mapping[str, Any]
    secret: str = ""


class WebhookApi:
    """Webhooks of the teams of one server, for their admins."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        team_id: int,
        url: str,
        action: str,
        retries_count: int = 20,
        retries_delay: int = 10,
        headers: Mapping[str, str] | None = None,
        reject_unauthorized: bool = True,
    ) -> WebhookInfo:
        """Create a webhook; its secret is returned this once.

        Args:
            team_id: whose events are sent.
            url: an http or https address; not one inside, unless the server allows those.
            action: the event.
            retries_count: attempts after the first; at least ten hours with the delay of 10 s.
            retries_delay: seconds until the second attempt, which double at each, up to an hour.
            headers: further headers of the requests.
            reject_unauthorized: whether the certificate of an https address is verified.

        Raises:
            NotAllowed: the user is no admin of the team, or the token has not the scope admin.
        """
        meta = {
            "retriesCount": retries_count,
            "retriesDelay": retries_delay,
            "headers": dict(headers or {}),
            "rejectUnauthorized": reject_unauthorized,
        }
        body = {"teamId": team_id, "url": url, "action": action, "meta": meta}
        return _info(self._transport.call("webhooks.add", body))

    def get_list(self, team_id: int) -> list[WebhookInfo]:
        """Return the webhooks of a team."""
        response = self._transport.call("webhooks.list", {"teamId": team_id, "per_page": 1000})
        return [_info(entry) for entry in response["entities"]]

    def get_info_by_id(self, webhook_id: int) -> WebhookInfo:
        """Return a webhook."""
        return _info(self._transport.call("webhooks.info", {"id": webhook_id}))

    def remove(self, webhook_id: int) -> None:
        """Remove a webhook; events that wait for it are not delivered."""
        self._transport.call("webhooks.bulk.remove", {"ids": [webhook_id]})

    def test(self, team_id: int, webhook_id: int, payload: Mapping[str, Any] | None = None) -> None:
        """Add an event for a webhook, which is delivered as others are."""
        self._transport.call("webhooks.test", {"teamId": team_id, "id": webhook_id, "payload": dict(payload or {})})

    def deliveries(self, webhook_id: int, limit: int = 50) -> list[WebhookDelivery]:
        """Return the latest events of a webhook, with their states and errors. Our server only."""
        return call(self._transport, WEBHOOK_DELIVERIES, WebhookDeliveriesRequest(id=webhook_id, limit=limit))[
            "deliveries"
        ]


def _info(entry: Mapping[str, Any]) -> WebhookInfo:
    return WebhookInfo(
        entry["id"], entry["action"], entry["url"], entry["teamId"], entry["meta"], entry.get("secret", "")
    )

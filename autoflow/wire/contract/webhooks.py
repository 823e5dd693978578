"""The deliveries of webhooks, which Supervisely's wire does not list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict

from autoflow.wire import methods
from autoflow.wire.contract.method import Count, Id, Method, Positive


@dataclass(frozen=True, kw_only=True)
class WebhookDeliveriesRequest:
    """Return the deliveries of a webhook, the latest first; for admins of its team.

    Args:
        id: number of the webhook.
        before: deliveries older than the one with this number, to page.
        limit: most entries.
    """

    id: Id
    before: Id | None = None
    limit: Positive | None = None


class WebhookDelivery(TypedDict):
    """An event on its way to a webhook.

    Args:
        event: id of the event, the same in the request's body and in its header X-Autoflow-Delivery.
        state: waiting also while it is tried again; failed after the last attempt.
        error: why the last attempt failed; null if it did not.
        nextAt: time of the next attempt; null for none.
    """

    id: Id
    event: str
    action: str
    state: Literal["waiting", "delivered", "failed"]
    attempts: Count
    error: str | None
    nextAt: str | None
    createdAt: str
    updatedAt: str


class WebhookDeliveriesResponse(TypedDict):
    """Deliveries of a webhook.

    Args:
        next: before of the next request; null after the last part.
    """

    deliveries: list[WebhookDelivery]
    next: Id | None


WEBHOOK_DELIVERIES = Method(methods.WEBHOOK_DELIVERIES, WebhookDeliveriesRequest, WebhookDeliveriesResponse, (404,))

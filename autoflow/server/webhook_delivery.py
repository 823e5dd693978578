"""Delivers the events of webhooks from their outbox, in threads of a server over HTTP.

A delivery that fails is tried again after the webhook's delay, doubled at each attempt up to an hour, with full jitter
added, until its retries are used up. Several servers on one store share the work; a killed one's is taken over.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import RowMapping

from autoflow.errors import ServerBusy
from autoflow.server import webhook_request
from autoflow.server.db import json_codec, webhooks
from autoflow.server.db.engine import Store
from autoflow.server.db.scopes import Scope

logger = logging.getLogger("autoflow")

POLL_INTERVAL = 1.0  # seconds
WORKERS = 4  # a receiver that does not respond holds one for `webhook_request.TIMEOUT`
LONGEST_DELAY = 3600.0  # seconds
REMOVE_INTERVAL, RETENTION = 3600.0, 30 * 24 * 3600.0  # seconds
RETRIES, DELAY = 20, 10  # of a webhook that says neither
_NO_SCOPES: tuple[Scope, ...] = ()


class WebhookDelivery:
    """The deliveries of one server.

    Args:
        store: the server's store.
        allow_private: whether addresses inside are allowed.
    """

    def __init__(self, store: Store, *, allow_private: bool) -> None:
        self._store = store
        self._allow_private = allow_private
        self._stopping = threading.Event()
        self._free = threading.Semaphore(WORKERS)
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="autoflow-webhook")
        self._thread = threading.Thread(target=self._run, name="autoflow-webhooks", daemon=True)

    def start(self) -> None:
        """Start the threads."""
        self._thread.start()

    def stop(self) -> None:
        """Have the threads end after their present attempts, of which none takes longer than a few seconds."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5.0)
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        remove_at = time.monotonic() + REMOVE_INTERVAL
        while not self._stopping.wait(POLL_INTERVAL):
            try:
                self._submit_due()
                if time.monotonic() >= remove_at:
                    remove_at = time.monotonic() + REMOVE_INTERVAL
                    with self._store.write(scope=_NO_SCOPES, count_change=False) as conn:
                        webhooks.remove_old_deliveries(conn, RETENTION)
            except ServerBusy:
                continue  # the store has logged it
            except Exception:
                logger.exception("autoflow: delivering webhooks failed; it is tried again")

    def _submit_due(self) -> None:
        """Submit deliveries that are due, as many as workers are free."""
        with self._store.read() as conn:
            if not webhooks.has_due(conn):
                return
        while not self._stopping.is_set():
            if not self._free.acquire(timeout=POLL_INTERVAL):
                continue
            delivery = None
            try:
                with self._store.write(scope=_NO_SCOPES, count_change=False) as conn:
                    delivery = webhooks.claim(conn)
            finally:
                if delivery is None:
                    self._free.release()
            if delivery is None:
                return
            self._workers.submit(self._attempt, delivery)

    def _attempt(self, delivery: RowMapping) -> None:
        """Deliver once, and store the outcome; a server that cannot store it leaves it to be sent again."""
        try:
            error, retry_in = attempt(delivery, allow_private=self._allow_private)
            with contextlib.suppress(ServerBusy), self._store.write(scope=_NO_SCOPES, count_change=False) as conn:
                webhooks.settle(conn, delivery, error, retry_in)
        except Exception:
            logger.exception("autoflow: an attempt to deliver a webhook failed; it is tried again")
        finally:
            self._free.release()


def attempt(delivery: RowMapping, *, allow_private: bool) -> tuple[str | None, float | None]:
    """Send a delivery; return why that failed, None if it did not, and the seconds until the next attempt, if any."""
    meta: dict[str, Any] = json_codec.load(delivery["meta"])
    headers = {str(name): str(value) for name, value in (meta.get("headers") or {}).items()}
    headers |= {"X-Autoflow-Event": delivery["action"], "X-Autoflow-Delivery": delivery["event"]}
    try:
        webhook_request.send(
            delivery["url"],
            delivery["payload"].encode(),
            headers,
            delivery["secret"],
            allow_private=allow_private,
            verify=meta.get("rejectUnauthorized") is not False,
        )
    except webhook_request.DeliveryFailed as error:
        return str(error)[:500], _delay(delivery["attempts"], meta)
    return None, None


def _delay(attempts: int, meta: dict[str, Any]) -> float | None:
    if attempts > meta.get("retriesCount", RETRIES):
        return None
    step: float = min(LONGEST_DELAY, meta.get("retriesDelay", DELAY) * 2.0 ** min(attempts - 1, 16))
    return step + random.uniform(0, step)

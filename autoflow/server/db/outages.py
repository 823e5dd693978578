"""Log lines when a store becomes unavailable, and when it is available again."""

from __future__ import annotations

import logging
import time

from autoflow.errors import StoreUnavailable

logger = logging.getLogger("autoflow")

REPEAT = 300.0  # seconds after which a continuing outage is logged again


class Outages:
    """The outages of one store: start and end are logged once each, however many calls fail in between.

    Args:
        address: the store's address without its password, for the log.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._since: float | None = None
        self._logged_at = 0.0
        self._reason = ""

    def failed(self, error: Exception) -> None:
        """Log that the store is unavailable, unless that was logged recently."""
        now = time.monotonic()
        reason = error.reason if isinstance(error, StoreUnavailable) else "away"
        if self._since is not None and reason == self._reason and now < self._logged_at + REPEAT:
            return
        self._since = now if self._since is None else self._since
        self._logged_at, self._reason = now, reason
        logger.error("autoflow: the store cannot be used, records wait: %s (%s)", error, self._address)

    def succeeded(self) -> None:
        """Log that an outage is over."""
        since, self._since = self._since, None
        if since is not None:
            seconds = time.monotonic() - since
            logger.warning("autoflow: the store %s can be used again, after %.0f s", self._address, seconds)

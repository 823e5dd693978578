"""The restricted token that a reproduced command gets instead of the user's token."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

from autoflow.api.protocols import DataApi
from autoflow.errors import ServerError, ServerRefused
from autoflow.guard import logger
from autoflow.runtime.delivery import deliver_folder
from autoflow.transport.typed import call
from autoflow.wire.contract import admin

_UNSUPPORTED = {404, 405}  # statuses of a server that lacks the method


class Credentials(NamedTuple):
    """Credentials of a reproduced command.

    Args:
        token: restricted to the reproduction, and revoked after it.
        home: an ``AUTOFLOW_HOME`` of its own. In the user's it would take over pending records of other processes,
            and its token would be rejected for them.
    """

    token: str
    home: str

    def environment(self) -> dict[str, str]:
        """Return the environment variables for the command; they contain the token and are never printed."""
        return {"AUTOFLOW_TOKEN": self.token, "AUTOFLOW_HOME": self.home}


@contextlib.contextmanager
def restricted_credentials(api: DataApi, ref: str) -> Iterator[Credentials | None]:
    """Yield a token for the reproduction of a task and revoke it afterwards; None if the server needs no token.

    Args:
        api: the server.
        ref: the task, as ``task:5``.

    Raises:
        ServerError: the server refused, or did not respond.
    """
    try:
        issued = call(api.transport, admin.REPRODUCTION_ISSUE, admin.IssueTokenRequest(task=int(ref.partition(":")[2])))
    except ServerRefused as error:
        if error.status not in _UNSUPPORTED:
            raise
        issued = {"id": None, "token": None, "expiresAt": None}  # an older server
    token, token_id = issued["token"], issued["id"]
    if token is None or token_id is None:
        yield None
        return
    with contextlib.ExitStack() as stack:  # in reverse order: deliver, then revoke
        stack.callback(_revoke, api, token_id, issued["expiresAt"])
        credentials = Credentials(token, tempfile.mkdtemp(prefix="autoflow-home-"))
        stack.callback(_remove_home, api, credentials)
        yield credentials


def _revoke(api: DataApi, token_id: int, expires_at: str | None) -> None:
    try:
        call(api.transport, admin.REPRODUCTION_REVOKE, admin.RevokeTokenRequest(id=token_id))
    except ServerError as error:
        logger.warning(
            "autoflow: token %d of the reproduction was not revoked (%s); it expires at %s. To revoke it now run "
            "`autoflow token revoke %d` on the server",
            *(token_id, error, expires_at, token_id),
        )


def _remove_home(api: DataApi, credentials: Credentials) -> None:
    """Deliver the command's pending records, and remove its home unless some are still pending."""
    home = credentials.home
    try:
        delivered = deliver_folder(home, api.records, credentials.token)
    except OSError as error:
        logger.warning("autoflow: records of the reproduced command in %s cannot be read: %s", home, error)
        return
    if delivered:
        shutil.rmtree(home, ignore_errors=True)
    else:
        logger.warning(
            "autoflow: records of the reproduced command are pending in %s: to deliver them run "
            "`AUTOFLOW_HOME=%s autoflow outbox sync`",
            *(home, home),
        )

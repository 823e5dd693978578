"""The token that the command of a reproduction gets in place of the user's."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from autoflow.errors import ServerError, ServerRefused
from autoflow.guard import logger
from autoflow.runtime.delivery import deliver_folder
from autoflow.wire import methods

if TYPE_CHECKING:
    from autoflow.api.client import Api

_UNSUPPORTED = {404, 405}  # statuses of a server that has no such method


class Credentials(NamedTuple):
    """What a reproduced command records with.

    Args:
        token: restricted to the reproduction, and revoked at its end.
        home: the command's own ``AUTOFLOW_HOME``. In the user's it would take over records that other processes left,
            and its token would be refused for them.
    """

    token: str
    home: str

    def variables(self) -> dict[str, str]:
        """Return the variables of the command's environment; never shown, as they hold the token."""
        return {"AUTOFLOW_TOKEN": self.token, "AUTOFLOW_HOME": self.home}


@contextlib.contextmanager
def restricted(api: Api, ref: str) -> Iterator[Credentials | None]:
    """Get a token for the reproduction of a task and revoke it at the end; None from a server that needs no token.

    Args:
        api: the server.
        ref: the task, as ``task:5``.

    Raises:
        ServerError: the server refuses, or does not answer.
    """
    try:
        issued = api.transport.call(methods.REPRODUCTION_ISSUE, {"task": int(ref.partition(":")[2])})
    except ServerRefused as error:
        if error.status not in _UNSUPPORTED:
            raise
        issued = {"token": None}  # an older server
    if issued["token"] is None:
        yield None
        return
    with contextlib.ExitStack() as stack:  # unwound from the last to the first: delivered, then revoked
        stack.callback(_revoke, api, issued["id"], issued["expiresAt"])
        credentials = Credentials(issued["token"], tempfile.mkdtemp(prefix="autoflow-home-"))
        stack.callback(_remove_home, api, credentials)
        yield credentials


def _revoke(api: Api, number: int, expires_at: str) -> None:
    try:
        api.transport.call(methods.REPRODUCTION_REVOKE, {"id": number})
    except ServerError as error:
        logger.warning(
            "autoflow: token %d of the reproduction was not revoked (%s); it expires at %s, "
            "`autoflow token revoke %d` on the server revokes it now",
            *(number, error, expires_at, number),
        )


def _remove_home(api: Api, credentials: Credentials) -> None:
    """Deliver what the command left in its home, and remove the home unless records still wait there."""
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
            "autoflow: records of the reproduced command wait in %s: `autoflow outbox sync` with AUTOFLOW_HOME=%s "
            "delivers them",
            *(home, home),
        )

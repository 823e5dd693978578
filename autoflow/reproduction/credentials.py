"""The restricted token that a reproduced command gets instead of the user's token."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from autoflow.api.protocols import DataApi
from autoflow.errors import ServerError, ServerRefused
from autoflow.guard import logger
from autoflow.reproduction.comparison import FILES
from autoflow.reproduction.inputs import RestoredInputs
from autoflow.reproduction.recorded_run import RecordedRun
from autoflow.runtime import destination
from autoflow.runtime.delivery import deliver_folder
from autoflow.transport.embedded import ORIGIN as EMBEDDED
from autoflow.transport.typed import call
from autoflow.wire.contract import admin

_UNSUPPORTED = {404, 405}  # statuses of a server that lacks the method


class Credentials(NamedTuple):
    """Credentials of a reproduced command.

    Args:
        token: restricted to the reproduction, and revoked after it.
        home: an ``AUTOFLOW_HOME`` of its own. In the user's it would take over pending records of other processes,
            and its token would be rejected for them.
        id: number of the token.
        store: folder of the embedded server, which is not in that home; None for a server over HTTP.
    """

    token: str
    home: str
    id: int
    store: str | None = None

    def variables(self) -> dict[str, str]:
        """Return the environment variables for the command, without its token."""
        store = {"AUTOFLOW_STORE": self.store} if self.store is not None else {}
        return {"AUTOFLOW_HOME": self.home, **store}

    def environment(self) -> dict[str, str]:
        """Return the environment variables for the command; they contain the token and are never printed."""
        return {"AUTOFLOW_TOKEN": self.token, **self.variables()}


@contextlib.contextmanager
def restricted_credentials(api: DataApi, ref: str) -> Iterator[Credentials | None]:
    """Yield a token for the reproduction of a task and revoke it afterwards; None if the server issues none.

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
        store = destination.embedded_folder() if api.records.origin == EMBEDDED else None
        credentials = Credentials(token, tempfile.mkdtemp(prefix="autoflow-home-"), token_id, store)
        stack.callback(_remove_home, api, credentials)
        yield credentials


def set_view(
    api: DataApi,
    credentials: Credentials,
    run: RecordedRun,
    restored: RestoredInputs,
    replaced: Mapping[str, int],
    *,
    publish: bool,
) -> str | None:
    """Let the command see the restored data in place of the recorded; return the folder of what it writes.

    Returns:
        The folder, empty if it writes to the recorded paths; None from an older server, which cannot do so.

    Raises:
        ServerError: the server refused, or did not respond.
    """
    projects: dict[int, admin.RestoredNumber] = {}
    for project in restored.projects:
        recorded = project.version.get("projectId")
        if recorded is not None:
            name = project.version.get("projectName", project.name)
            number = admin.RestoredNumber(recorded=recorded, restored=project.project, name=name)
            projects.setdefault(recorded, number)
    datasets = [
        admin.RestoredNumber(recorded=int(replacement.old), restored=int(replacement.new), name=replacement.old)
        for replacement in restored.replacements
        if replacement.kind == "dataset"
    ]
    files = {
        path: int(entity["id"])
        for entity in run.inputs
        if entity["type"] in FILES and not entity["origin"] and (path := entity.get("path"))
    }
    files.update(replaced)
    request = admin.ReproductionViewRequest(
        id=credentials.id,
        projects=list(projects.values()),
        datasets=datasets,
        files=[admin.RecordedFile(id=number, path=path) for path, number in files.items()],
        publish=publish,
    )
    try:
        return call(api.transport, admin.REPRODUCTION_VIEW, request)["namespace"]
    except ServerRefused as error:
        if error.status not in _UNSUPPORTED or "view" not in str(error):
            raise
        return None


def discard(api: DataApi, credentials: Credentials) -> None:
    """Remove the projects that were restored or created with a token, and the files in the reproduction's folder."""
    try:
        call(api.transport, admin.REPRODUCTION_DISCARD, admin.DiscardReproductionRequest(id=credentials.id))
    except ServerError as error:
        logger.warning("autoflow: the data of the reproduction was not removed: %s", error)


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

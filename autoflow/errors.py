"""The errors that autoflow raises.

::

    AutoflowError
    + DecorationError              a decorator was used wrongly: raised at import, never at run time
      - UnknownKindError           (ValueError)
      - UnknownParameterError      (ValueError) a path or template names no parameter of the function
      - CardError                  (ValueError) incomplete icon, url without url_title, url not starting with one slash
      - TargetError                (TypeError)  the thing decorated cannot be decorated
    + PathError                    (LookupError) a path names nothing in a call: kept in `run.failures`, never raised
    + ServerError                  a call to a server failed
      - ServerUnreachable          no response: the request may or may not have been applied
      - ServerBusy                 408, 429, 5xx: a retry may succeed, after `retry_after` seconds
        · StoreUnavailable         503: the server's database or blobs are damaged, lost or another store's
      - ServerRefused              the server refused, and a retry will fail too; has `status`, `details` and
                                   `concerns_all`
                                   (both are `foreign` when the response is not in the API's format)
        · NotAllowed               401 and 403: the token is at fault, not the request
    + FolderError                  (ValueError) a folder cannot become a project, or a version a folder
    + TransferError                (ValueError) a version or a store cannot be copied to another server
    + BackupError                  (ValueError) a backup cannot be made, read or restored
    + NotReproducible              a recorded run cannot be run again here
    + VersionNotSaved              `@versioned(required=True)` could not save a version
    + ServerExtraMissing           the server is needed and `autoflow-lineage[server]` is not installed
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class AutoflowError(Exception):
    """Base class of autoflow's errors."""


class DecorationError(AutoflowError):
    """A decorator was used wrongly; the message names what would be right."""


class UnknownKindError(DecorationError, ValueError):
    """The kind is not one that this direction knows."""


class UnknownParameterError(DecorationError, ValueError):
    """A path or a template names something that is no parameter of the function."""


class CardError(DecorationError, ValueError):
    """Card options that could never make a card."""


class TargetError(DecorationError, TypeError):
    """The decorated object would never be called through the decorator."""


class PathError(AutoflowError, LookupError):
    """A path such as ``result.typo`` names what the call's value does not have; kept in `run.failures`."""


class ServerError(AutoflowError):
    """A call to a server failed."""


class ServerUnreachable(ServerError):
    """There was no response from the server."""


class ServerBusy(ServerError):
    """The server is busy or failed; `retry_after` is its Retry-After in seconds, if it sent one.

    `foreign`: the response is not in the API's format: a proxy, a portal or another server sent it.
    """

    def __init__(self, message: str, *, status: int, retry_after: float | None = None, foreign: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.foreign = foreign


class StoreUnavailable(ServerBusy):
    """The store is damaged, lost, or not the one that was here; records wait until somebody has looked at it.

    Args:
        reason: one word of `autoflow.server.db.identity`, such as ``damaged``.
        message: what is wrong with which store, and the command that looks at it.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, status=503, retry_after=5.0)
        self.reason = reason


class ServerRefused(ServerError):
    """The server refused the request; a retry without a change will fail too.

    `foreign`: the response is not in the API's format: a proxy, a portal or another server sent it.
    """

    def __init__(self, message: str, *, status: int, details: Any = None, foreign: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.details = details
        self.foreign = foreign

    @property
    def concerns_all(self) -> bool:
        """Whether every request would be refused so: the token, the address or the server is wrong, not the request.

        A response that is not in the API's format comes from something else at the address, and a 404 that names the
        method comes from a server that does not have it.
        """
        if self.foreign:
            return True
        if self.status in {404, 405}:
            return self.details is None or (isinstance(self.details, Mapping) and "method" in self.details)
        return not 400 <= self.status < 500 or self.status in {401, 403, 407, 426}


class NotAllowed(ServerRefused):
    """The server does not accept the token (401), or does not permit this (403)."""


class FolderError(AutoflowError, ValueError):
    """A folder cannot become a project, or a version a folder; the message names the file and what can be done."""


class BackupError(AutoflowError, ValueError):
    """A backup cannot be made, read or restored; the message names the file or folder and what can be done."""


class TransferError(AutoflowError, ValueError):
    """A version or a store cannot be copied to another server."""


class NotReproducible(AutoflowError):
    """A recorded run cannot be run again here; the message says why and what would help."""


class VersionNotSaved(AutoflowError):
    """A version was required before going on, and could not be saved."""


class ServerExtraMissing(AutoflowError, ImportError):
    """The embedded server or the server needs ``pip install "autoflow-lineage[server]"``."""

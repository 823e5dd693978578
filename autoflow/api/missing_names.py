"""The error for a name of the SDK that autoflow does not have: ``import autoflow as sly`` never fails quietly."""

from __future__ import annotations

import logging

logger = logging.getLogger("autoflow")
_logged: set[str] = set()


def missing_name(owner: str, name: str, used_as: str) -> AttributeError:
    """Return the error of a missing attribute; a public one is also logged once as a warning.

    Apps catch every exception around their workflow calls and log it at debug level, so the error alone would be
    lost together with the record.

    Args:
        owner: the object without the attribute, as a user names it.
        name: the attribute.
        used_as: how an app writes it after ``import autoflow as sly``.
    """
    message = f"{owner} has no attribute {name!r}"
    if not name.startswith("_"):
        message += f": autoflow has only the SDK's names for workflows; for {used_as} also `import supervisely`"
        if message not in _logged:
            _logged.add(message)
            logger.warning("autoflow: %s", message)
    return AttributeError(message)

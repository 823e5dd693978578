"""The names of icons that the page can draw; unknown ones are warned of at decoration."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from autoflow.guard import logger
from autoflow.model.card import ICON_PREFIX
from autoflow.model.suggestion import did_you_mean

_SHEET = Path(__file__).parents[1] / "server" / "ui" / "assets" / "icons" / "zmdi.css"
_NAME = re.compile(r"^\.zmdi-([a-z0-9-]+):before", re.MULTILINE)


@functools.cache
def _known() -> frozenset[str]:
    """Return the names without their prefix; none where the package was built without icons."""
    try:
        return frozenset(_NAME.findall(_SHEET.read_text(encoding="utf-8")))
    except OSError:
        return frozenset()


@functools.lru_cache(1000)  # an app may make names from data
def warn_of_unknown_icon(icon: str) -> None:
    """Log a warning, once, about a name that is not in the set; templates are not checked."""
    name = icon.removeprefix(ICON_PREFIX)
    if "{" in name or not _known() or name in _known():
        return
    hint = did_you_mean(name, _known())
    logger.warning("autoflow: icon %r is no name of the zmdi icons, the card shows that of its kind%s", icon, hint)

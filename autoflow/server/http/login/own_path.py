"""The address that a browser goes to after the sign-in, which must not be another site's."""

from __future__ import annotations

import re

_OWN_PATH = re.compile(r"/(?![/\\])[^\\\s\x00-\x1f\x7f]{0,2000}")


def own_path(text: str | None) -> str:
    """Return a path of this server as it is; the start page's for anything else, such as another host's address."""
    is_own = text is not None and _OWN_PATH.fullmatch(text) and not text.startswith(("/login", "/logout"))
    return text if is_own and text is not None else "/"

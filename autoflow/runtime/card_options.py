"""A card's options: checked and read at decoration, filled in at the call.

`CardOptions` holds one card (the data's or the app's). The whole may come from a callable. What is constant is
encoded once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from autoflow.errors import CardError, UnknownParameterError
from autoflow.model.card import PROPERTIES, WorkflowSettings
from autoflow.model.template import Template
from autoflow.outbox.record_encoder import encode, encode_member, encode_members, encode_object
from autoflow.runtime.call import Call, ResultPending, one_argument, run_of
from autoflow.runtime.templating import Filler, Names, filler, template

ICON = ("icon", "icon_color", "icon_bg_color")
ONE_SLASH = re.compile(r"/(?!/)")


def check_icon(given: Mapping[str, Any]) -> None:
    """See that an icon has all three of its properties.

    Raises:
        CardError: only some are there.
    """
    there = [name for name in ICON if given.get(name)]
    if there and len(there) < len(ICON):
        missing = ", ".join(name for name in ICON if name not in there)
        raise CardError(f"an icon needs icon, icon_color and icon_bg_color; {missing} missing")


class CardOptions:
    """The options of one card.

    Args:
        base: a WorkflowSettings, or a callable that gives one or None.
        single: options by property, each winning over the base's.
        names: what templates may name.

    Raises:
        CardError, UnknownParameterError: as the checks here and in `texts` say.
    """

    def __init__(self, base: Any, single: Mapping[str, Any], names: Names) -> None:
        if base is not None and not isinstance(base, WorkflowSettings) and not callable(base):
            raise CardError(f"a card is a WorkflowSettings or a callable that gives one, not a {type(base).__name__}")
        self._names = names
        self._base: Callable[[Call], Any] | None = None
        if callable(base):
            self._base = one_argument("card", base)
        given = {name: value for name in PROPERTIES if (value := single.get(name)) is not None}
        if isinstance(base, WorkflowSettings):
            given = {**_set_in(base), **given}
        if self._base is None:
            check_icon(given)
            if bool(given.get("url")) != bool(given.get("url_title")):
                raise CardError("a link needs both url and url_title")
        self._texts = {name: self._filler(name, value) for name, value in given.items()}
        fixed = {name: text.constant for name, text in self._texts.items() if text.constant is not None}
        self._fixed = [encode_members(fixed)] if fixed else []
        self._moving = [(name, text) for name, text in self._texts.items() if text.constant is None]
        # the card as it stands in every record, empty when there is none; None when it differs from call to call
        self.constant: bytes | None = None
        if self._base is None and not self._moving:
            self.constant = encode(fixed) if self._texts or base is not None else b""

    def _filler(self, name: str, value: Any) -> Filler:
        if callable(value):
            return filler(one_argument(name, value), self._names)
        try:
            read = template(value, self._names)
            if name == "url":
                _check_url(read)
        except (CardError, UnknownParameterError) as error:
            raise type(error)(f"{name}: {error}") from None
        return filler(read, self._names)

    def fill(self, call: Call) -> bytes:
        """The card as JSON for the record, empty when there is none. A text that fails costs itself, not the edge.

        Raises:
            ResultPending: a text needs the result, and there is none yet.
        """
        if self.constant is not None:
            return self.constant
        members, moving = list(self._fixed), self._moving
        if self._base is not None:
            given = _set_in(tried(call, self._base, call))
            own = {name: tried(call, self._filler, name, value) for name, value in given.items()}
            merged = {**own, **self._texts}
            members, moving = [], [(name, text) for name, text in merged.items() if text is not None]
        for name, text in moving:
            if (filled := tried(call, text.fill, call)) is not None:
                members.append(encode_member(name, filled))
        return encode_object(members) if members else b""


def tried(call: Call, work: Callable[..., Any], *arguments: Any) -> Any:
    """What a part of a card comes to; None when that fails.

    Raises:
        ResultPending: it needs the result, and there is none yet.
    """
    try:
        return work(*arguments)
    except ResultPending:
        raise
    except Exception as error:
        if not run_of(call).guard.swallows(error):
            raise
    return None


def _set_in(settings: Any) -> dict[str, Any]:
    """The properties that are set in a WorkflowSettings."""
    return {name: value for name in PROPERTIES if (value := getattr(settings, name, None)) is not None}


def _check_url(read: Template) -> None:
    """See that what is constant at the start of a url starts it with one slash."""
    for parts in read.alternatives:
        first = parts[0] if parts else ""
        if isinstance(first, str) and not ONE_SLASH.match(first):
            raise CardError(f"a url starts with exactly one '/' and is relative to the server, not {first!r}")

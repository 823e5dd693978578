"""`CardOptions`: the options of one card, checked and compiled at decoration, rendered at the call.

The whole card may come from a callable. What is constant is encoded once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from autoflow.errors import CardError, UnknownParameterError
from autoflow.model.card import SETTING_NAMES, WorkflowSettings
from autoflow.model.template import Template
from autoflow.outbox.record_encoder import encode, encode_member, encode_members, encode_object
from autoflow.runtime.call import Call, ResultPending, check_callable, recorder_of
from autoflow.runtime.icon_names import warn_of_unknown_icon
from autoflow.runtime.templating import Names, TextRenderer, compile_text, parse_template

ICON = ("icon", "icon_color", "icon_bg_color")
_ONE_SLASH = re.compile(r"/(?!/)")


def check_icon(properties: Mapping[str, Any]) -> None:
    """Check that an icon has all three of its properties, or none; log a warning if its name is not known.

    Raises:
        CardError: some are missing.
    """
    missing = [name for name in ICON if not properties.get(name)]
    if missing and len(missing) < len(ICON):
        raise CardError(f"an icon needs icon, icon_color and icon_bg_color; {', '.join(missing)} missing")
    icon = properties.get("icon")
    if isinstance(icon, str):
        warn_of_unknown_icon(icon)


class CardOptions:
    """The options of one card: the data's or the app's.

    Args:
        base: a WorkflowSettings, or a callable that returns one or None.
        overrides: single properties, each overriding the base's.
        names: what templates may name.

    Attributes:
        constant: the card as JSON when it is the same for every call, empty when there is none; else None.

    Raises:
        CardError, UnknownParameterError: see the checks here and in `templating`.
    """

    def __init__(self, base: Any, overrides: Mapping[str, Any], names: Names) -> None:
        if base is not None and not isinstance(base, WorkflowSettings) and not callable(base):
            raise CardError(f"a card is a WorkflowSettings or a callable that returns one, not a {type(base).__name__}")
        self._names = names
        self._base: Callable[[Call], Any] | None = None
        if callable(base):
            self._base = check_callable("card", base)
        properties = {name: value for name in SETTING_NAMES if (value := overrides.get(name)) is not None}
        if isinstance(base, WorkflowSettings):
            properties = {**_set_properties(base), **properties}
        if self._base is None:
            check_icon(properties)
            if bool(properties.get("url")) != bool(properties.get("url_title")):
                raise CardError("a link needs both url and url_title")
        self._texts = {name: self._compile(name, value) for name, value in properties.items()}
        fixed = {name: text.constant for name, text in self._texts.items() if text.constant is not None}
        self._fixed = [encode_members(fixed)] if fixed else []
        self._dynamic = [(name, text) for name, text in self._texts.items() if text.constant is None]
        self.constant: bytes | None = None
        if self._base is None and not self._dynamic:
            self.constant = encode(fixed) if self._texts or base is not None else b""

    def _compile(self, name: str, value: Any) -> TextRenderer:
        if callable(value):
            return compile_text(check_callable(name, value), self._names)
        try:
            template = parse_template(value, self._names)
            if name == "url":
                _check_url(template)
        except (CardError, UnknownParameterError) as error:
            raise type(error)(f"{name}: {error}") from None
        return compile_text(template, self._names)

    def fill(self, call: Call) -> bytes:
        """Return the card as JSON, empty when there is none; a text that fails is left out of it.

        Raises:
            ResultPending: a text needs the result, and the function has not returned yet.
        """
        if self.constant is not None:
            return self.constant
        members, dynamic = list(self._fixed), self._dynamic
        if self._base is not None:
            properties = _set_properties(attempt(call, self._base, call))
            compiled = {name: attempt(call, self._compile, name, value) for name, value in properties.items()}
            texts = {**compiled, **self._texts}
            members, dynamic = [], [(name, text) for name, text in texts.items() if text is not None]
        for name, text in dynamic:
            if (rendered := attempt(call, text.render, call)) is not None:
                members.append(encode_member(name, rendered))
        return encode_object(members) if members else b""


def attempt(call: Call, work: Callable[..., Any], *arguments: Any) -> Any:
    """Return the result of one part of a card, None when it fails: the rest of the edge is recorded without it.

    Raises:
        ResultPending: it needs the result, and the function has not returned yet.
    """
    try:
        return work(*arguments)
    except ResultPending:
        raise
    except Exception as error:
        if not recorder_of(call).guard.swallows(error):
            raise
    return None


def _set_properties(settings: Any) -> dict[str, Any]:
    """Return the properties that are set in a WorkflowSettings."""
    return {name: value for name in SETTING_NAMES if (value := getattr(settings, name, None)) is not None}


def _check_url(template: Template) -> None:
    """Check that the constant beginning of a url starts with exactly one slash.

    Raises:
        CardError: it does not.
    """
    for parts in template.alternatives:
        first = parts[0] if parts else ""
        if isinstance(first, str) and not _ONE_SLASH.match(first):
            raise CardError(f"a url starts with exactly one '/' and is relative to the server, not {first!r}")

"""Author-written texts of cards: constants, templates or callables; parsed at decoration, rendered at the call.

Rendered straight to the JSON of the record (`model.text`), because most calls fill few fields. Values of the call are
masked; the author's own words are not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from json.encoder import encode_basestring_ascii as quote
from typing import Any, NamedTuple

from autoflow.errors import CardError, UnknownParameterError
from autoflow.model.path import Path, PathStep
from autoflow.model.template import MAX_TEXT_LENGTH, FirstKnown, Placeholder, Template, parse
from autoflow.model.text import PendingField, format_value
from autoflow.outbox.record_encoder import encode
from autoflow.runtime import masking
from autoflow.runtime.call import RESERVED, Call, check_callable, getter

_TASK_FIELDS = {"task_id", "team_id", "app_id"}
_VALUE_FIELDS: dict[tuple[PathStep, ...], str] = {
    ("id",): "value.id",
    ("name",): "value.name",
    ("team_id",): "value.team_id",
}

LONGEST_RENDERED = 64 << 10  # more fits into no record, and would be left out in the end

Names = frozenset[str] | None  # the parameters a path may start at; None: any


def check_root(path: Path, names: Names) -> None:
    """Check that a path starts at a parameter or a reserved word.

    Raises:
        UnknownParameterError: it does not; the message lists what would be right.
    """
    if names is not None and path.root not in names and path.root not in RESERVED:
        raise UnknownParameterError(
            f"{str(path)!r} starts at {path.root!r}, which is not a parameter; "
            f"write one of {', '.join(sorted(names)) or '(the function has none)'}, or {', '.join(RESERVED)}"
        )


def parse_template(value: Any, names: Names) -> Template:
    """Parse an author's text.

    Raises:
        CardError, UnknownParameterError: it is malformed, or a field starts at no parameter.
    """
    try:
        template = parse(value if isinstance(value, str | FirstKnown) else str(value))
    except ValueError as error:
        raise CardError(str(error)) from None
    for field in template.fields():
        check_root(field.path, names)
    return template


class TextRenderer(NamedTuple):
    """A compiled text of a card.

    Attributes:
        constant: the text itself when it is the same for every call.
        render: return the text as JSON; None leaves it out of the card.
    """

    constant: str | None
    render: Callable[[Call], bytes | None]


def compile_text(value: Any, names: Names) -> TextRenderer:
    """Compile a text of a card.

    Args:
        value: a callable, a parsed template, or a text to parse.
        names: what templates may name.

    Raises:
        CardError, UnknownParameterError: as `parse_template`.
    """
    if callable(value):
        return TextRenderer(None, lambda call: None if (text := value(call)) is None else _masked_json(str(text)))
    template = value if isinstance(value, Template) else parse_template(value, names)
    if (constant := template.constant) is not None:
        encoded = quote(constant).encode()
        return TextRenderer(constant, lambda call: encoded)
    if len(template.alternatives) == 1:
        return TextRenderer(None, _compile_single(template.alternatives[0]))

    def render(call: Call) -> bytes | None:
        text = template.fill(lambda path: _masked(_field_getter(path)(call)))
        return None if text is None else encode(text.to_json())

    return TextRenderer(None, render)


def _compile_single(parts: tuple[str | Placeholder, ...]) -> Callable[[Call], bytes | None]:
    """Compile a template with one alternative, the common case; what is the same in each call is computed here."""
    compiled: list[tuple[str, Callable[[Call], Any] | None, str, str, str]] = []
    for part in parts:
        if isinstance(part, str):
            compiled.append((part, None, "", "", ""))
        else:
            pending = PendingField(str(part.path), part.conversion, part.spec)
            encoded = encode(pending._asdict()).decode()
            compiled.append(("", _field_getter(part.path), part.conversion, part.spec, encoded))

    def render(call: Call) -> bytes | None:
        words: list[str] = []
        pieces: list[str] | None = None  # in JSON, once a field is left to the sender
        for word, get, conversion, spec, pending in compiled:
            if get is not None:
                value = get(call)
                if value is None:
                    return None
                if isinstance(value, PendingField):
                    pieces = [quote(known) for known in words] if pieces is None else pieces
                    pieces.append(pending)
                    continue
                word = masking.mask_fast(format_value(value, conversion, spec)[:MAX_TEXT_LENGTH])
            if pieces is None:
                words.append(word)
            else:
                pieces.append(quote(word))
        return (quote("".join(words)) if pieces is None else f"[[{','.join(pieces)}]]").encode()

    return render


def _masked_json(text: str) -> bytes:
    return quote(masking.mask_fast(text[:LONGEST_RENDERED])).encode()


def _masked(value: Any) -> Any:
    return masking.mask_fast(value) if type(value) is str else value


def _field_getter(path: Path) -> Callable[[Call], Any]:
    """Return a getter of a template field: it returns the value at a call, a `Pending` for the sender, or None."""
    if path.root in _TASK_FIELDS and not path.steps:
        pending = PendingField(path.root)
        return lambda call: pending if (known := getattr(call, path.root)) is None else known
    if path.root != "value" or not path.steps:
        return getter(path)
    follow = getter(path, report=path.steps not in _VALUE_FIELDS)  # what the sender can look up may be missing
    return lambda call: _value_field(path, call, follow(call))


def _value_field(path: Path, call: Call, attribute: Any) -> Any:
    """Return a field of the value: its own attribute, else what an id or a mapping implies, else a `Pending`."""
    if attribute is not None and not callable(attribute):
        return attribute
    field = _VALUE_FIELDS.get(path.steps)
    if field == "value.id" and isinstance(call.value, int):
        return call.value
    if field == "value.team_id" and isinstance(call.value, Mapping) and call.value.get("teamId") is not None:
        return call.value["teamId"]
    return None if field is None else PendingField(field)


def compile_version_text(value: Any, names: Names) -> Callable[[Call, Callable[[str], Any]], str | None]:
    """Compile a title or description of a version, which is rendered completely at the call.

    Args:
        value: None, a template or a callable.
        names: what templates may name.

    Returns:
        A function of the call and of a lookup (field name to value) for what the call does not know; it returns the
        text or None.
    """
    if value is None:
        return lambda call, lookup: None
    if callable(value):
        check_callable("title or description", value)
        return lambda call, lookup: None if (text := value(call)) is None else masking.mask_fast(str(text))
    template = parse_template(value, names)

    def render(call: Call, lookup: Callable[[str], Any]) -> str | None:
        text = template.fill(lambda path: _masked(_field_getter(path)(call)))
        return None if text is None else text.complete(lookup)

    return render

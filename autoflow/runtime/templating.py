"""Texts that an author gives: constants, templates or callables; read at decoration, filled in at the call.

A text is filled in as the JSON that stands in the record (`model.text`), for most calls fill in little. What a call
fills in is masked; what the author wrote is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NamedTuple

from autoflow.errors import CardError, UnknownParameterError
from autoflow.model.path import Path, Step
from autoflow.model.template import LONGEST_TEXT, Field, FirstKnown, Template, parse
from autoflow.model.text import Pending, show
from autoflow.outbox.record_encoder import encode
from autoflow.runtime import masking
from autoflow.runtime.call import RESERVED, Call, getter, one_argument

_OF_TASK = {"task_id", "team_id", "app_id"}
_OF_VALUE: dict[tuple[Step, ...], str] = {("id",): "value.id", ("name",): "value.name", ("team_id",): "value.team_id"}

TOO_LONG = 64 << 10  # for any record: what is cut there is left out in the end

Names = frozenset[str] | None  # the parameters a path may start at; None: any


def check_root(path: Path, names: Names) -> None:
    """See that a path starts at a parameter or a reserved word.

    Raises:
        UnknownParameterError: it does not; the message lists what would be right.
    """
    if names is not None and path.root not in names and path.root not in RESERVED:
        raise UnknownParameterError(
            f"{str(path)!r} starts at {path.root!r}, which is no parameter; "
            f"write one of {', '.join(sorted(names)) or '(the function has none)'}, or {', '.join(RESERVED)}"
        )


def template(value: Any, names: Names) -> Template:
    """Read a text of the author's.

    Raises:
        CardError, UnknownParameterError: it is malformed, or names what is no parameter.
    """
    try:
        read = parse(value if isinstance(value, str | FirstKnown) else str(value))
    except ValueError as error:
        raise CardError(str(error)) from None
    for field in read.fields():
        check_root(field.path, names)
    return read


class Filler(NamedTuple):
    """A text of a card: what it is if it never changes, and how it is filled in (as JSON; None leaves it out)."""

    constant: str | None
    fill: Callable[[Call], bytes | None]


def filler(value: Any, names: Names) -> Filler:
    """Compile a text of a card.

    Raises:
        CardError, UnknownParameterError: as `template`.
    """
    if callable(value):
        return Filler(None, lambda call: None if (found := value(call)) is None else _quoted(str(found)))
    read = value if isinstance(value, Template) else template(value, names)
    if (constant := read.constant) is not None:
        encoded = quoted(constant).encode()
        return Filler(constant, lambda call: encoded)
    if len(read.alternatives) == 1:
        return Filler(None, _single(read.alternatives[0]))

    def fill(call: Call) -> bytes | None:
        filled = read.fill(lambda path: _masked(_getter(path)(call)))
        return None if filled is None else encode(filled.to_json())

    return Filler(None, fill)


def _single(parts: tuple[str | Field, ...]) -> Callable[[Call], bytes | None]:
    """The usual template: one alternative; what is the same in each call is worked out here."""
    compiled: list[tuple[str, Callable[[Call], Any] | None, str, str, str]] = []
    for part in parts:
        if isinstance(part, str):
            compiled.append((part, None, "", "", ""))
        else:
            pending = Pending(str(part.path), part.conversion, part.spec)
            compiled.append(("", _getter(part.path), part.conversion, part.spec, encode(pending._asdict()).decode()))

    def fill(call: Call) -> bytes | None:
        words: list[str] = []
        pieces: list[str] | None = None  # in JSON, once a field is left to the sender
        for word, get, conversion, spec, later in compiled:
            if get is not None:
                value = get(call)
                if value is None:
                    return None
                if isinstance(value, Pending):
                    pieces = [quoted(known) for known in words] if pieces is None else pieces
                    pieces.append(later)
                    continue
                word = masking.mask_fast(show(value, conversion, spec)[:LONGEST_TEXT])
            if pieces is None:
                words.append(word)
            else:
                pieces.append(quoted(word))
        return (quoted("".join(words)) if pieces is None else f"[[{','.join(pieces)}]]").encode()

    return fill


def _quoted(text: str) -> bytes:
    return quoted(masking.mask_fast(text[:TOO_LONG])).encode()


def _masked(value: Any) -> Any:
    return masking.mask_fast(value) if type(value) is str else value


def _getter(path: Path) -> Callable[[Call], Any]:
    """What a template's field stands for at a call: its value, a `Pending` for the sender, or None."""
    if path.root in _OF_TASK and not path.steps:
        pending = Pending(path.root)
        return lambda call: pending if (known := getattr(call, path.root)) is None else known
    if path.root != "value" or not path.steps:
        return getter(path)
    follow = getter(path, report=path.steps not in _OF_VALUE)  # what the sender can look up may be missing
    return lambda call: _of_value(path, call, follow(call))


def _of_value(path: Path, call: Call, found: Any) -> Any:
    """A field of the value itself; what the value does not carry is left to the sender, if the server can tell it."""
    if found is not None and not callable(found):
        return found
    wanted = _OF_VALUE.get(path.steps)
    if wanted == "value.id" and isinstance(call.value, int):
        return call.value
    if wanted == "value.team_id" and isinstance(call.value, Mapping) and call.value.get("teamId") is not None:
        return call.value["teamId"]
    return None if wanted is None else Pending(wanted)


def text_source(value: Any, names: Names) -> Callable[[Call, Callable[[str], Any]], str | None]:
    """A text that is needed whole at the call, as a version's title is.

    Args:
        value: None, a template or a callable.
        names: what templates may name.

    Returns:
        A function of the call and of what is known besides it (by field name); it gives the text or None.
    """
    if value is None:
        return lambda call, known: None
    if callable(value):
        one_argument("title or description", value)
        return lambda call, known: None if (found := value(call)) is None else masking.mask_fast(str(found))
    read = template(value, names)

    def fill(call: Call, known: Callable[[str], Any]) -> str | None:
        filled = read.fill(lambda path: _masked(_getter(path)(call)))
        return None if filled is None else filled.complete(known)

    return fill

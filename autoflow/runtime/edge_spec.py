"""What to record, compiled from the options of a decorator or of `run.input` / `run.output`.

All checks are made here, at decoration, and say what would have been right. At the call a spec finds the entities
of a value and hands them to the run.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from autoflow.errors import CardError, DecorationError, UnknownKindError, UnknownParameterError
from autoflow.model.card import WorkflowMeta
from autoflow.model.entity import INPUT_KINDS, OUTPUT_KINDS, Direction, Kind
from autoflow.model.path import Path, parse
from autoflow.outbox.record_encoder import encode_member, encode_members, join
from autoflow.runtime.call import Call, ResultPending, getter, one_argument
from autoflow.runtime.card_options import CardOptions, tried
from autoflow.runtime.entity_resolution import (
    MANY,
    EntityRef,
    UnrecognizedValue,
    carries_identity,
    resolve_entity,
    warn_once,
)
from autoflow.runtime.templating import Names, check_root
from autoflow.wire.cards import valid_meta

if TYPE_CHECKING:
    from autoflow.runtime.run import Run

Source = Callable[[Call], Any]
CARD_OPTIONS = ("title", "description", "icon", "icon_color", "icon_bg_color", "url", "url_title")
OPTIONS = (
    "value",
    "model_weight",
    "version",
    "when",
    "task_id",
    "card",
    *CARD_OPTIONS,
    "node",
    "node_title",
    "meta",
)


def check_kind(direction: Direction, kind: Any) -> None:
    """See that a kind is one of the direction's.

    Raises:
        UnknownKindError: it is not.
    """
    known = INPUT_KINDS if direction == "input" else OUTPUT_KINDS
    if kind in known:
        return
    near = difflib.get_close_matches(str(kind), known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    if kind == "app":
        hint = "; an app session is an output only"
    raise UnknownKindError(f"{kind!r} is no kind of {direction}: write one of {', '.join(known)}{hint}")


def check_options(options: Mapping[str, Any]) -> None:
    """See that options are known by name.

    Raises:
        DecorationError: one is not.
    """
    for name in options:
        if name not in OPTIONS:
            near = difflib.get_close_matches(name, OPTIONS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; the options are {', '.join(OPTIONS)}"
            raise DecorationError(f"{name!r} is no option{hint}")


class EdgeSpec:
    """One input or output to record.

    Args:
        direction: input or output.
        kind: what an author names, see `model.entity.Kind`.
        options: by name, see `OPTIONS`; those absent or None are not given.
        names: the parameters that paths and templates may name; None for any.
        value: where the value is when the options do not say.
        guess_of: the function's name, if its result is only a guess, which counts for what carries its identity.

    Raises:
        DecorationError: something could never work; see `errors`.
    """

    def __init__(
        self,
        direction: Direction,
        kind: Kind,
        options: Mapping[str, Any],
        names: Names,
        value: Source | Path | None = None,
        *,
        guess_of: str | None = None,
    ) -> None:
        check_kind(direction, kind)
        check_options(options)
        given = {name: option for name, option in options.items() if option is not None}
        self.direction = direction
        self.kind: Kind = kind
        self._guess_of = guess_of
        self.path: Path | None = None  # where the value is, when that is a path
        if (wanted := given.get("value", value)) is None and kind != "app":
            raise DecorationError(f"where is the {kind}? give value=")
        self._value = self._value_source(wanted, names)
        self._when = _condition(given.get("when"), names)
        self._version = _version(given.get("version"), kind, names)
        self._task = _number(given.get("task_id"), names)
        if given.get("model_weight") and kind != "file":
            raise DecorationError(f"model_weight=True goes with kind 'file', not {kind!r}")
        self._card = CardOptions(given.get("card"), {name: given.get(name) for name in CARD_OPTIONS}, names)
        self._node = CardOptions(given.get("node"), {"title": given.get("node_title")}, names)
        self._meta: Any = _meta(given.get("meta"))
        head: dict[str, Any] = {"type": "edge", "direction": direction, "kind": kind}
        if given.get("model_weight"):
            head["model_weight"] = True
        self.head = encode_members(head)
        self.constant = self._constant()

    @property
    def uses_item(self) -> bool:
        """Whether the value is each item that a generator yields."""
        return self.path is not None and self.path.root == "item"

    @property
    def needs_result(self) -> bool:
        """Whether the value is found in the result: certain for a path, unknown before the call for a callable."""
        return self.path is not None and self.path.root == "result"

    def _value_source(self, value: Any, names: Names) -> Source:
        if value is None:
            return lambda call: None
        if isinstance(value, str):
            value = _path(value, names)
        if isinstance(value, Path):
            path = self.path = value
            return getter(path)
        if callable(value):
            return one_argument("value", value)
        raise DecorationError(f"value= is a path or a callable, not a {type(value).__name__}")

    def _constant(self) -> tuple[bytes, bytes] | None:
        """Card and node as they stand in the record, when they are the same for every call; else None."""
        if self._when or self._version or self._task or callable(self._meta):
            return None
        if self._card.constant is None or self._node.constant is None:
            return None
        return members(self._card.constant, self._meta), self._node.constant

    # -- at the call

    def find(self, call: Call) -> Any:
        """The value, before it is told apart.

        Raises:
            ResultPending: it is in the result, and there is none yet.
        """
        return self._value(call)

    def record_if_new(self, run: Run, value: Any) -> None:
        """Record the bare edge of a value, unless the run has an edge to the same entity already."""
        ident = resolve_entity(self.kind, value)
        if ident is not None and not run.has(self, ident):
            run.edge(self, ident, b"")

    def record(self, run: Run, call: Call) -> None:
        """Record the edges of one call; a bad item never costs its siblings.

        Raises:
            ResultPending: something needs the result, and there is none yet; what needs none is recorded.
        """
        value = self._value(call)
        if not isinstance(value, MANY):
            self._one(run, call, value)
            return
        pending = None
        for item in value:
            with run.guard:
                try:
                    self._one(run, call, item)
                except ResultPending as error:
                    pending = error
        if pending is not None:
            raise pending

    def _one(self, run: Run, call: Call, value: Any) -> None:
        call.value = value
        if self._guess_of is not None and not carries_identity(self.kind, value):
            warn_once(
                f"{self._guess_of}() gave a {type(value).__name__}, which does not say which {self.kind} was read: "
                f'say where it is with value=, as in value="result"'
            )
            return
        try:
            ident: EntityRef | None
            if self.kind == "app":
                ident = 0
            else:
                ident = value if type(value) is int and value > 0 else resolve_entity(self.kind, value)
        except UnrecognizedValue as error:
            warn_once(str(error))
            run.add_failure(error)
            return
        if ident is None:
            run.debug("%s %s: nothing to record", self.direction, self.kind)
            return
        if self.constant is not None:
            run.edge(self, ident, *self.constant)
            return
        if self._when is not None and not self._when(call):
            return
        run.edge(
            self,
            ident,
            members(self._card.fill(call), tried(call, self._meta_at, call)),
            self._node.fill(call),
            version=tried(call, self._version, call) if self._version is not None else None,
            task=self._task(call) if self._task is not None else None,
        )

    def _meta_at(self, call: Call) -> dict[str, Any] | None:
        """The meta of one call.

        Raises:
            CardError: a callable gave what is none.
        """
        return _wire_meta(self._meta(call)) if callable(self._meta) else self._meta


def members(card: bytes, meta: Mapping[str, Any] | None) -> bytes:
    """The members of an edge record that say how the data looks; empty when there are none."""
    return join(encode_member("card", card) if card else b"", encode_members({"meta": meta}) if meta else b"")


def _path(text: str, names: Names) -> Path:
    try:
        path = parse(text)
    except ValueError as error:
        raise UnknownParameterError(str(error)) from None
    check_root(path, names)
    return path


def _condition(when: Any, names: Names) -> Callable[[Call], Any] | None:
    """A path, a mapping of paths to required values, or a callable."""
    if when is None:
        return None
    if callable(when):
        return one_argument("when", when)
    if isinstance(when, str):
        return getter(_path(when, names))
    if isinstance(when, Mapping):
        required = [(getter(_path(text, names)), value) for text, value in when.items()]
        return lambda call: all(get(call) == value for get, value in required)
    raise DecorationError(f"when= is a path, a mapping of paths to values, or a callable, not a {type(when).__name__}")


def _version(version: Any, kind: Kind, names: Names) -> Callable[[Call], dict[str, int] | None] | None:
    """A version id, "#3" for a number, a path, or a callable; what these give may be a number, text or an object."""
    if version is None:
        return None
    if kind != "project":
        raise DecorationError(f"version= goes with kind 'project', not {kind!r}")
    if callable(version):
        one_argument("version", version)
        return lambda call: _version_form(version(call))
    if isinstance(version, str) and not version.startswith("#") and not version.isdecimal():
        find = getter(_path(version, names))
        return lambda call: _version_form(find(call))
    form = _version_form(version)
    if form is None:
        raise DecorationError(
            f'version={version!r} is no version: write an id, "#3" for a number, a path or a callable'
        )
    return lambda call: form


def _version_form(value: Any) -> dict[str, int] | None:
    if isinstance(value, str) and value.startswith("#") and value[1:].isdecimal():
        return {"number": int(value[1:])}
    try:
        found = resolve_entity("task", value)  # any kind that has only numbers
    except UnrecognizedValue:
        return None
    return {"id": found} if isinstance(found, int) else None


def _number(value: Any, names: Names) -> Callable[[Call], int | None] | None:
    """A task's number: itself, numeric text, a path, or a callable."""
    if value is None:
        return None
    if callable(value):
        one_argument("task_id", value)
        return lambda call: _as_number(value(call))
    if isinstance(value, str) and not value.isdecimal():
        path = _path(value, names)
        if path == Path("task_id"):
            path = Path("args", ("task_id",))  # the run's own number needs no saying: the parameter is meant
        find = getter(path)
        return lambda call: _as_number(find(call))
    number = _as_number(value)
    if number is None:
        raise DecorationError(f"task_id={value!r} is no task number")
    return lambda call: number


def _as_number(value: Any) -> int | None:
    try:
        found: EntityRef | None = resolve_entity("task", value)
    except UnrecognizedValue:
        return None
    return found if isinstance(found, int) else None


def _meta(meta: Any) -> Any:
    """A WorkflowMeta or its wire form, checked now; or a callable, checked when it has been asked."""
    return one_argument("meta", meta) if callable(meta) else _wire_meta(meta)


def _wire_meta(meta: Any) -> dict[str, Any] | None:
    """The wire form of a WorkflowMeta, or of what claims to be one.

    Raises:
        CardError: it is none.
    """
    wire = meta.as_dict if isinstance(meta, WorkflowMeta) else meta
    if wire is not None and not valid_meta(wire):
        raise CardError(
            "meta= must be a WorkflowMeta, or a dict with customRelationSettings and/or customNodeSettings holding "
            "title, description, icon {icon, color, backgroundColor} and mainLink {url, title} only"
        )
    return wire

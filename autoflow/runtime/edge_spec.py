"""`EdgeSpec`: one input or output, compiled from the options of a decorator or of `run.input` / `run.output`.

All options are checked here, at decoration; the errors say what would have been right. At the call a spec resolves the
entities of a value and passes them to the run's recorder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autoflow.errors import CardError, DecorationError, UnknownKindError, UnknownParameterError
from autoflow.model.card import WireMeta, WorkflowMeta
from autoflow.model.entity_types import Direction, Kind, kinds
from autoflow.model.model_name import check_model_name
from autoflow.model.path import Path, parse
from autoflow.model.suggestion import did_you_mean
from autoflow.outbox.record_encoder import encode_member, encode_members, join
from autoflow.runtime.call import Call, ResultPending, check_callable, getter
from autoflow.runtime.card_options import CardOptions, attempt
from autoflow.runtime.entity_resolution import (
    COLLECTIONS,
    EntityIdentifier,
    UnrecognizedValue,
    carries_identity,
    resolve_entity,
    warn_once,
)
from autoflow.runtime.recorder import Recorder
from autoflow.runtime.templating import Names, check_root
from autoflow.wire.cards import valid_meta

Selector = Callable[[Call], Any]
CARD_OPTIONS = ("title", "description", "icon", "icon_color", "icon_bg_color", "url", "url_title")
OPTIONS = (
    "value",
    "model_weight",
    "model",
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
    """Check that a kind is one of the direction's.

    Raises:
        UnknownKindError: it is not.
    """
    known = kinds(direction)
    if kind in known:
        return
    hint = "; an app session is an output only" if kind == "app" else did_you_mean(str(kind), known)
    raise UnknownKindError(f"{kind!r} is not a kind of {direction}: write one of {', '.join(known)}{hint}")


def check_options(options: Mapping[str, Any]) -> None:
    """Check the names of options.

    Raises:
        DecorationError: a name is unknown.
    """
    for name in options:
        if name not in OPTIONS:
            hint = did_you_mean(name, OPTIONS) or f"; the options are {', '.join(OPTIONS)}"
            raise DecorationError(f"{name!r} is not an option{hint}")


class EdgeSpec:
    """One input or output to record.

    Args:
        direction: input or output.
        kind: as the author names it, see `model.entity.Kind`.
        options: by name, see `OPTIONS`; None counts as absent.
        names: the parameters that paths and templates may name; None for any.
        default_value: the value's path or selector when the options have none.
        guessed_from: name of the function whose result is a guess at the value: only a value that carries its identity
            is recorded.

    Attributes:
        path: path of the value, None when it is selected by a callable.
        head: the members of the record that are the same for every edge, encoded.
        constant: appearance and node settings when they are the same for every call, else None.

    Raises:
        DecorationError: an option could never work; see `errors`.
    """

    def __init__(
        self,
        direction: Direction,
        kind: Kind,
        options: Mapping[str, Any],
        names: Names,
        default_value: Selector | Path | None = None,
        *,
        guessed_from: str | None = None,
    ) -> None:
        check_kind(direction, kind)
        check_options(options)
        options = {name: option for name, option in options.items() if option is not None}
        self.direction: Direction = direction
        self.kind: Kind = kind
        self._guessed_from = guessed_from
        self.path: Path | None = None
        value = options.get("value", default_value)
        if value is None and kind != "app":
            raise DecorationError(f"where is the {kind}? pass value=")
        self._value = self._compile_value(value, names)
        self._when = _compile_condition(options.get("when"), names)
        self._version = _compile_version(options.get("version"), kind, names)
        self._task = _compile_task(options.get("task_id"), names)
        if options.get("model_weight") and kind != "file":
            raise DecorationError(f"model_weight=True goes with kind 'file', not {kind!r}")
        self._card = CardOptions(options.get("card"), {name: options.get(name) for name in CARD_OPTIONS}, names)
        self._node = CardOptions(options.get("node"), {"title": options.get("node_title")}, names)
        self._meta: Any = _compile_meta(options.get("meta"))
        head: dict[str, Any] = {"type": "edge", "direction": direction, "kind": kind}
        if options.get("model_weight") or "model" in options:
            head["model_weight"] = True
        if "model" in options:
            head["model"] = _check_model(options["model"], direction, kind)
        self.head = encode_members(head)
        self.constant = self._constant()

    @property
    def uses_item(self) -> bool:
        """Whether the value is read from the items that a generator yields."""
        return self.path is not None and self.path.root == "item"

    @property
    def needs_result(self) -> bool:
        """Whether the value's path starts at the result; False for a callable, which is known only at the call."""
        return self.path is not None and self.path.root == "result"

    def _compile_value(self, value: Any, names: Names) -> Selector:
        if value is None:
            return lambda call: None
        if isinstance(value, str):
            value = _parse_path(value, names)
        if isinstance(value, Path):
            path = self.path = value
            return getter(path)
        if callable(value):
            return check_callable("value", value)
        raise DecorationError(f"value= is a path or a callable, not a {type(value).__name__}")

    def _constant(self) -> tuple[bytes, bytes] | None:
        """Return appearance and node settings when they are the same for every call, else None."""
        if self._when or self._version or self._task or callable(self._meta):
            return None
        if self._card.constant is None or self._node.constant is None:
            return None
        return appearance_of(self._card.constant, self._meta), self._node.constant

    # -- at the call

    def select(self, call: Call) -> Any:
        """Return the value, from which entities are resolved.

        Raises:
            ResultPending: it is in the result, and the function has not returned yet.
        """
        return self._value(call)

    def record_if_new(self, recorder: Recorder, value: Any) -> None:
        """Record an edge without a card, unless the run has an edge to the same entity."""
        entity = resolve_entity(self.kind, value)
        if entity is not None and not recorder.has_edge(self, entity):
            recorder.record_edge(self, entity, b"")

    def record(self, recorder: Recorder, call: Call) -> None:
        """Record the edges of one call; an item that fails does not keep the others from being recorded.

        Raises:
            ResultPending: an edge needs the result, and the function has not returned yet; the others are recorded.
        """
        value = self._value(call)
        if not isinstance(value, COLLECTIONS):
            self._record_value(recorder, call, value)
            return
        pending = None
        for item in value:
            with recorder.guard:
                try:
                    self._record_value(recorder, call, item)
                except ResultPending as error:
                    pending = error
        if pending is not None:
            raise pending

    def _record_value(self, recorder: Recorder, call: Call, value: Any) -> None:
        call.value = value
        if self._guessed_from is not None and not carries_identity(self.kind, value):
            warn_once(
                f"{self._guessed_from}() returned a {type(value).__name__}, which does not say which {self.kind} was "
                f'read: name it with value=, as in value="result"'
            )
            return
        try:
            entity: EntityIdentifier | None
            if self.kind == "app":
                entity = 0
            else:
                entity = value if type(value) is int and value > 0 else resolve_entity(self.kind, value)
        except UnrecognizedValue as error:
            warn_once(str(error))
            recorder.add_failure(error)
            return
        if entity is None:
            recorder.debug("%s %s: nothing to record", self.direction, self.kind)
            return
        if self.constant is not None:
            recorder.record_edge(self, entity, *self.constant)
            return
        if self._when is not None and not self._when(call):
            return
        recorder.record_edge(
            self,
            entity,
            appearance_of(self._card.fill(call), attempt(call, self._meta_of, call)),
            self._node.fill(call),
            version=attempt(call, self._version, call) if self._version is not None else None,
            task=self._task(call) if self._task is not None else None,
        )

    def _meta_of(self, call: Call) -> WireMeta | None:
        """Return the meta of one call.

        Raises:
            CardError: a callable returned something other than a meta.
        """
        return _wire_meta(self._meta(call)) if callable(self._meta) else self._meta


def appearance_of(card: bytes, meta: WireMeta | None) -> bytes:
    """Return the encoded members of an edge record that describe the data's card; empty when there are none."""
    return join(encode_member("card", card) if card else b"", encode_members({"meta": meta}) if meta else b"")


def _parse_path(text: str, names: Names) -> Path:
    try:
        path = parse(text)
    except ValueError as error:
        raise UnknownParameterError(str(error)) from None
    check_root(path, names)
    return path


def _compile_condition(when: Any, names: Names) -> Callable[[Call], Any] | None:
    """Compile ``when=``: a path, a mapping of paths to required values, or a callable."""
    if when is None:
        return None
    if callable(when):
        return check_callable("when", when)
    if isinstance(when, str):
        return getter(_parse_path(when, names))
    if isinstance(when, Mapping):
        required = [(getter(_parse_path(text, names)), value) for text, value in when.items()]
        return lambda call: all(get(call) == value for get, value in required)
    raise DecorationError(f"when= is a path, a mapping of paths to values, or a callable, not a {type(when).__name__}")


def _compile_version(version: Any, kind: Kind, names: Names) -> Callable[[Call], dict[str, int] | None] | None:
    """Compile ``version=``: an id, "#3" for a number, a path, or a callable; the latter two may give any of these."""
    if version is None:
        return None
    if kind != "project":
        raise DecorationError(f"version= goes with kind 'project', not {kind!r}")
    if callable(version):
        check_callable("version", version)
        return lambda call: _version_ref(version(call))
    if isinstance(version, str) and not version.startswith("#") and not version.isdecimal():
        select = getter(_parse_path(version, names))
        return lambda call: _version_ref(select(call))
    constant = _version_ref(version)
    if constant is None:
        raise DecorationError(
            f'version={version!r} is not a version: write an id, "#3" for a number, a path or a callable'
        )
    return lambda call: constant


def _version_ref(value: Any) -> dict[str, int] | None:
    """Return ``{"number": n}`` or ``{"id": n}``; None when a value means no version."""
    if isinstance(value, str) and value.startswith("#") and value[1:].isdecimal():
        return {"number": int(value[1:])}
    version_id = _id_of(value)
    return None if version_id is None else {"id": version_id}


def _compile_task(value: Any, names: Names) -> Callable[[Call], int | None] | None:
    """Compile ``task_id=``: a number, numeric text, a path, or a callable."""
    if value is None:
        return None
    if callable(value):
        check_callable("task_id", value)
        return lambda call: _id_of(value(call))
    if isinstance(value, str) and not value.isdecimal():
        path = _parse_path(value, names)
        if path == Path("task_id"):
            path = Path("args", ("task_id",))  # the run's own id is the default, so the parameter is meant
        select = getter(path)
        return lambda call: _id_of(select(call))
    task_id = _id_of(value)
    if task_id is None:
        raise DecorationError(f"task_id={value!r} is not a task id")
    return lambda call: task_id


def _id_of(value: Any) -> int | None:
    try:
        entity: EntityIdentifier | None = resolve_entity("task", value)  # a kind that has ids only
    except UnrecognizedValue:
        return None
    return entity if isinstance(entity, int) else None


def _check_model(model: Any, direction: Direction, kind: Kind) -> str:
    """Return the name of the model that a written file is a version of.

    Raises:
        DecorationError: it is not a name, or no file is written.
    """
    if direction != "output" or kind != "file":
        raise DecorationError(f"model= goes with an output of kind 'file', not an {direction} of kind {kind!r}")
    if not isinstance(model, str):
        raise DecorationError(f"model= is the name of a model, not a {type(model).__name__}")
    try:
        return check_model_name(model)
    except ValueError as error:
        raise DecorationError(f"model={error}") from None


def _compile_meta(meta: Any) -> Any:
    """Return a callable, checked again at each call; or the wire form of a WorkflowMeta."""
    return check_callable("meta", meta) if callable(meta) else _wire_meta(meta)


def _wire_meta(meta: Any) -> WireMeta | None:
    """Return the wire form of a WorkflowMeta, or of a mapping of that form.

    Raises:
        CardError: it has another form.
    """
    wire = meta.as_dict if isinstance(meta, WorkflowMeta) else meta
    if wire is not None and not valid_meta(wire):
        raise CardError(
            "meta= must be a WorkflowMeta, or a dict with customRelationSettings and/or customNodeSettings holding "
            "title, description, icon {icon, color, backgroundColor} and mainLink {url, title} only"
        )
    return wire

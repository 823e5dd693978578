"""The decorators: `workflow_input`, `workflow_output`, `versioned`.

An option such as ``title=`` becomes a field of a card in four steps. `_decorator` compiles the options to an
`EdgeSpec` (runtime/edge_spec.py). Its `CardOptions` compiles each text (runtime/card_options.py, templating.py). At a
call, `CallRecorder` (capture/plan.py) has the spec fill the card: `EdgeSpec.record`, `CardOptions.fill`. Then
`Recorder.record_edge` (runtime/recorder.py) writes the record. The tests are in tests/capture/test_options.py.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NoReturn, TypeVar, overload

from autoflow.capture import defaults
from autoflow.capture.binding import names
from autoflow.capture.body import yields
from autoflow.capture.plan import Plan, VersionSpec
from autoflow.capture.wrapper import undecorated, wrap
from autoflow.errors import DecorationError, TargetError
from autoflow.model.card import WorkflowMeta, WorkflowSettings
from autoflow.model.entity_types import Direction
from autoflow.runtime import integrations, run_snapshot
from autoflow.runtime.call import Call, recorder_of
from autoflow.runtime.card_options import attempt
from autoflow.runtime.edge_spec import EdgeSpec, check_kind, check_options
from autoflow.runtime.run_snapshot import SnapshotOptions
from autoflow.runtime.templating import compile_version_text

F = TypeVar("F", bound=Callable[..., Any])
Selector = Callable[[Call], Any]
Text = str | Selector | None
Card = WorkflowSettings | Selector | None
Meta = WorkflowMeta | Mapping[str, Any] | Selector | None


def workflow_input(
    kind: str,
    *,
    value: str | Selector | None = None,
    model_weight: bool = False,
    version: int | str | Selector | None = None,
    when: str | Mapping[str, Any] | Selector | None = None,
    task_id: int | str | Selector | None = None,
    card: Card = None,
    title: Text = None,
    description: Text = None,
    icon: Text = None,
    icon_color: Text = None,
    icon_bg_color: Text = None,
    url: Text = None,
    url_title: Text = None,
    node: Card = None,
    node_title: Text = None,
    meta: Meta = None,
    **unknown: NoReturn,
) -> Callable[[F], F]:
    """Record the data a function reads, before its body runs (after it, when the value comes from the result).

    Args:
        kind: project, dataset, file, folder, task or job.
        value: a path (``"project_id"``, ``"state.weightsPath"``, ``"result[*].id"``, ``"item"``) or a callable of the
            call; default the first parameter named after the kind, else the result if it carries its identity (an
            object or a mapping with an id, or a list of such).
        model_weight: the file is model weights.
        version: of a project: a version's id, ``"#3"`` for a number, a path or a callable.
        when: record only if this holds: a path, a mapping of paths to values, or a callable; evaluated per item.
        task_id: another task than the run's: a number, a path or a callable.
        card: a WorkflowSettings for the data's card, or a callable that returns one or None.
        title, description, icon, icon_color, icon_bg_color, url, url_title: single properties of that card, each
            overriding `card`'s: templates over the parameters, `result`, `value`, `task_id`, `team_id`, `app_id`,
            or callables; None leaves the text out.
        node: a WorkflowSettings for the run's own card, or a callable.
        node_title: its title.
        meta: WorkflowMeta, its wire form, or a callable; overrides all others.

    Raises:
        DecorationError: at decoration, when an option could never work; the message says what would be right.
    """
    return _decorator("input", kind, _set_options(locals()), unknown)


def workflow_output(
    kind: str,
    *,
    value: str | Selector | None = None,
    model_weight: bool = False,
    model: str | None = None,
    version: int | str | Selector | None = None,
    when: str | Mapping[str, Any] | Selector | None = None,
    task_id: int | str | Selector | None = None,
    card: Card = None,
    title: Text = None,
    description: Text = None,
    icon: Text = None,
    icon_color: Text = None,
    icon_bg_color: Text = None,
    url: Text = None,
    url_title: Text = None,
    node: Card = None,
    node_title: Text = None,
    meta: Meta = None,
    **unknown: NoReturn,
) -> Callable[[F], F]:
    """Record the data a function wrote, after it returned; nothing when it raised.

    Args:
        kind: project, dataset, file, folder, task, job, or app (the run's own session, without a value).
        value: as for `workflow_input`; default the result, or, when the function returns no value (its annotation
            or its code says so), the first parameter named after the kind.
        model: name of a model: the file is its next version (``model:lemons@3``), on our server.
        others: as for `workflow_input`.

    Raises:
        DecorationError: at decoration, when an option could never work; the message says what would be right.
    """
    return _decorator("output", kind, _set_options(locals()), unknown)


@overload
def versioned(function: F, /) -> F: ...
@overload
def versioned(
    *,
    value: str | Selector | None = None,
    title: Text = None,
    description: Text = None,
    types: Iterable[str] = ("images",),
    after: bool = False,
    required: bool = False,
    wait: float = 10.0,
) -> Callable[[F], F]: ...
def versioned(
    function: Any = None,
    /,
    *,
    value: str | Selector | None = None,
    title: Text = None,
    description: Text = None,
    types: Iterable[str] = ("images",),
    after: bool = False,
    required: bool = False,
    wait: float = 10.0,
) -> Any:
    """Save a version of a project before the body runs, and record it as an input of the run.

    Unchanged data gives the existing version. When none can be saved, the edge points at the project's current version,
    else at the plain project, and the reason is in `run.failures`.

    Args:
        function: the function, when used without parentheses.
        value: path or selector of the project, as for a project input.
        title, description: of the version: templates or callables.
        types: the project types that are saved; others are recorded as they are.
        after: save after the body returned, and record the version as an output.
        required: raise `VersionNotSaved` when no version could be saved.
        wait: limit in seconds on our server; on an instance the SDK takes as long as it takes.

    Raises:
        DecorationError: at decoration, when an option could never work.
    """
    types = tuple(types)

    def decorate(target: Any) -> Any:
        with _located("@versioned", target):
            target = _decoratable(target)
            parameters = names(undecorated(target))
            direction: Direction = "output" if after else "input"
            path = defaults.version_path(undecorated(target), direction) if value is None else None
            edge = EdgeSpec(direction, "project", {"value": value}, parameters, path)
            if edge.needs_result and not after:
                raise DecorationError(
                    "there is no result before the body: name the project with value=, or save after it with after=True"
                )
            texts = compile_version_text(title, parameters), compile_version_text(description, parameters)

        def options_of(call: Call) -> SnapshotOptions:
            lookup = partial(run_snapshot.lookup_field, recorder_of(call), seconds=wait)
            rendered = [attempt(call, text, call, lookup) for text in texts]
            return SnapshotOptions(rendered[0], rendered[1], types, required, wait)

        spec = VersionSpec(edge.select, options_of, edge, after, required)
        return wrap(target, Plan(undecorated(target), versions=(spec,), declarations=(declaration,)))

    declaration = partial(
        versioned,
        value=value,
        title=title,
        description=description,
        types=types,
        after=after,
        required=required,
        wait=wait,
    )
    return decorate if function is None else decorate(function)


def _set_options(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the options that are set among a decorator's arguments."""
    options = {name: value for name, value in arguments.items() if name not in {"kind", "unknown"}}
    if options["model_weight"] is False:
        del options["model_weight"]
    return {name: value for name, value in options.items() if value is not None}


def _decorator(
    direction: Direction, kind: Any, options: dict[str, Any], unknown: Mapping[str, Any]
) -> Callable[[F], F]:
    check_options(unknown)
    options = {**options, **unknown}  # an option of the other direction alone, which `EdgeSpec` refuses
    if callable(kind):
        raise DecorationError(f'name the kind, as in @workflow_{direction}("project")')
    check_kind(direction, kind)

    decorator = workflow_input if direction == "input" else workflow_output
    declarations = (partial(decorator, kind, **options),)

    def decorate(target: F) -> F:
        with _located(f"@workflow_{direction}({kind!r})", target):
            function = undecorated(_decoratable(target))
            default = None if "value" in options else defaults.value_path(function, direction, kind)
            spec = EdgeSpec(
                direction,
                kind,
                options,
                names(function),
                default and default.path,
                guessed_from=_name_of(function) if default and default.guessed else None,
            )
            if spec.uses_item and not yields(function):
                raise DecorationError(
                    "'item' is each value a generator yields; for a parameter of that name write args.item"
                )
        inputs, outputs = ((spec,), ()) if direction == "input" else ((), (spec,))
        return wrap(target, Plan(function, inputs=inputs, outputs=outputs, declarations=declarations))  # type: ignore[return-value]

    return decorate


def _name_of(function: Any) -> str:
    return str(getattr(function, "__qualname__", type(function).__qualname__))


@contextlib.contextmanager
def _located(decorator: str, target: Any) -> Iterator[None]:
    """Prefix an error with the decorator and the decorated function, because a module may have many.

    Raises:
        DecorationError: of the same class.
    """
    try:
        yield
    except DecorationError as error:
        raise type(error)(f"{decorator} of {_name_of(target)}: {error}") from None


def _decoratable(target: Any) -> Any:
    """Check that a decorated object will be called through the wrapper.

    Raises:
        TargetError: it will not.
    """
    integrations.install_for_workers()
    if isinstance(target, property):
        raise TargetError("a property is never called: put the decorator below @property")
    if isinstance(target, staticmethod | classmethod) or inspect.isclass(target):
        return target
    if not callable(target):
        raise TargetError(f"a {type(target).__name__} cannot be called")
    if not hasattr(target, "__code__"):
        for entry, above in (("main", "@click.command"), ("delay", "@task")):
            if callable(getattr(target, entry, None)):
                raise TargetError(f"it is run by its .{entry}(), past the decorator: put the decorator below {above}")
    return target

"""What one decorated function records, and the moment of one call of it.

A plan holds the compiled specs of all decorators stacked on a function: versions first, then inputs, the body,
outputs; among its kind in the order written, top to bottom. A `Moment` is one call under way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from autoflow.capture.binding import Binding, Getter
from autoflow.errors import VersionNotSaved
from autoflow.runtime.call import RESERVED, Call, ResultPending, move, parameters_of
from autoflow.runtime.context import current_run
from autoflow.runtime.edge_spec import EdgeSpec
from autoflow.runtime.entity_resolution import items
from autoflow.runtime.run import Run
from autoflow.runtime.run_snapshot import Wish, save


class VersionSpec(NamedTuple):
    """One `@versioned`: where the project is, what is wanted, and the bare edge it records by itself."""

    value: Callable[[Call], Any]
    wish: Callable[[Call], Wish]
    edge: EdgeSpec
    after: bool
    required: bool = False


class Plan(NamedTuple):
    """The specs of a function."""

    function: Any  # undecorated
    versions: tuple[VersionSpec, ...] = ()
    inputs: tuple[EdgeSpec, ...] = ()
    outputs: tuple[EdgeSpec, ...] = ()
    declarations: tuple[Callable[[], Any], ...] = ()  # make the decorators again, for a copy in another process

    def under(self, outer: Plan) -> Plan:
        """This plan with the specs of a decorator written above it."""
        return Plan(
            self.function,
            outer.versions + self.versions,
            outer.inputs + self.inputs,
            outer.outputs + self.outputs,
            outer.declarations + self.declarations,
        )


class BoundPlan:
    """A plan for one way its function is bound."""

    def __init__(self, plan: Plan, called: Any, *, bound: bool) -> None:
        self.plan = plan
        self.binding = Binding(called, plan.function, bound=bound)
        self.versions = plan.versions
        self.item_outputs = tuple(spec for spec in plan.outputs if spec.uses_item)
        self.outputs = tuple(spec for spec in plan.outputs if not spec.uses_item)
        self.item_inputs = tuple(spec for spec in plan.inputs if spec.uses_item)
        self.inputs = tuple(spec for spec in plan.inputs if not spec.uses_item)
        # an input that is just a parameter and looks the same each time needs no Call
        quick = [found for spec in self.inputs if (found := _quick(spec, self.binding)) is not None]
        self.quick = quick if len(quick) == len(self.inputs) else None
        self.only_quick = self.quick is not None and not (self.versions or plan.outputs or self.item_inputs)

    def open(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Moment:
        """Return a call under way of which nothing is saved or recorded yet."""
        return Moment(self, current_run(), instance, args, kwargs)

    def begin(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Moment | None:
        """Save versions and record inputs; the moment to end later, None when nothing is left to do."""
        run = current_run()
        if run.outbox is None and not self.versions:
            return None
        if self.only_quick and self.quick is not None:
            left: list[EdgeSpec] = []
            for spec, get, constant in self.quick:
                value = get(args, kwargs)
                if not left and type(value) is int and value > 0:  # in the order written
                    run.edge(spec, value, *constant)
                else:
                    left.append(spec)
            if left:
                Moment(self, run, instance, args, kwargs).record_inputs(left)
            return None
        moment = Moment(self, run, instance, args, kwargs)
        if self.versions:
            moment.save_versions(after=False)
        moment.record_before()
        return moment


class Moment:
    """One call under way: its run, its arguments, and what is still to be recorded."""

    __slots__ = ("_bare", "_call", "_late", "bound", "run")

    def __init__(
        self, bound: BoundPlan, run: Run, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.bound = bound
        self.run = run
        self._call = Call(run, lambda: bound.binding.arguments(instance, args, kwargs))
        self._late: list[EdgeSpec] = []
        self._bare: list[tuple[EdgeSpec, Any]] = []

    def save_versions(self, *, after: bool) -> None:
        """Save what `@versioned` asks for. It may block, and records nothing.

        Raises:
            VersionNotSaved: one was required.
        """
        call = self._call
        for spec in self.bound.versions:
            if spec.after is not after:
                continue
            values: list[Any] = []
            with self.run.guard, _required(spec):
                values += items(spec.value(call))
            for value in values:
                with self.run.guard, _required(spec):  # one that cannot be saved never costs its siblings
                    call.value = value
                    saved = save(self.run, value, spec.edge.direction, spec.wish(call), parameters_of(call).values())
                    if saved is not None:
                        self._bare.append((spec.edge, value))

    def record_before(self) -> None:
        """Record saved versions and inputs."""
        inputs = self.bound.inputs
        if self._bare and not _any_project(inputs):
            self.record_bare_edges()
        if inputs:
            self.record_inputs(inputs)
        self.record_bare_edges()

    def record_bare_edges(self) -> None:
        """Record the edges of saved versions; one that a stacked decorator recorded is not recorded again."""
        if not self._bare:
            return
        bare, self._bare = self._bare, []
        for spec, value in bare:
            with self.run.guard:
                spec.record_if_new(self.run, value)

    def record_inputs(self, specs: Iterable[EdgeSpec]) -> None:
        """Record inputs; one that turns out to need the result is put off until there is one."""
        for spec in specs:
            if spec.needs_result:
                self._late.append(spec)
                continue
            with self.run.guard:
                try:
                    spec.record(self.run, self._call)
                except ResultPending:
                    self._late.append(spec)

    def _leave_ended_run(self) -> None:
        """Turn to the current run when the call's own is over by now: an ended run gets no further records."""
        if not self.run.active and self.run.is_over:
            self.run = current_run()
            move(self._call, self.run)

    def item(self, item: Any) -> None:
        """Record what a generator just yielded."""
        self._leave_ended_run()
        call = self._call
        call.item = item
        self._record_all((*self.bound.item_inputs, *self.bound.item_outputs))

    def end(self, result: Any) -> None:
        """Record what the result is needed for, versions of what was written, and the outputs."""
        self.take_result(result)
        if self.bound.versions:
            self.save_versions(after=True)
        self.record_after()

    def take_result(self, result: Any) -> None:
        """Keep the result, and record the inputs that needed it."""
        self._leave_ended_run()
        self._call.result = result
        if self._late:
            self._record_all(self._late)

    def record_after(self) -> None:
        """Record saved versions and outputs."""
        outputs = self.bound.outputs
        if self._bare and not _any_project(outputs):
            self.record_bare_edges()
        self._record_all(outputs)
        self.record_bare_edges()

    def _record_all(self, specs: Iterable[EdgeSpec]) -> None:
        run, call = self.run, self._call
        for spec in specs:
            try:
                spec.record(run, call)
            except Exception as error:
                if not run.guard.swallows(error):
                    raise


def _any_project(specs: Iterable[EdgeSpec]) -> bool:
    """Return whether a decorator of the function records a project, and so says how a saved version's card looks."""
    return any(spec.kind == "project" for spec in specs)


@contextlib.contextmanager
def _required(spec: VersionSpec) -> Iterator[None]:
    """Raise every failure as `VersionNotSaved` when the version is required."""
    try:
        yield
    except VersionNotSaved:
        raise
    except Exception as error:
        if not spec.required:
            raise
        raise VersionNotSaved(f"the project to save could not be determined: {error}") from error


def _quick(spec: EdgeSpec, binding: Binding) -> tuple[EdgeSpec, Getter, tuple[bytes, bytes]] | None:
    """An input that is just a parameter: how to get it, and how its edge looks."""
    if spec.constant is None or spec.path is None or spec.path.steps or spec.path.root in RESERVED:
        return None
    return spec, binding.getter(spec.path.root), spec.constant

"""`Plan`: what one decorated function records; `CallRecorder`: the recording of one call of it.

A plan holds the compiled specs of all decorators stacked on a function. They are recorded in the order versions,
inputs, the body, outputs; among each kind in the order written, top to bottom.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from autoflow.capture.binding import Binding, Getter
from autoflow.errors import VersionNotSaved
from autoflow.model.changed_version import doubt
from autoflow.runtime.call import RESERVED, Call, ResultPending, move_to_run, parameters_of, set_yielded
from autoflow.runtime.context import current_run
from autoflow.runtime.edge_spec import EdgeSpec
from autoflow.runtime.entity_resolution import items
from autoflow.runtime.run import Run
from autoflow.runtime.run_snapshot import SnapshotOptions, changed_since, save_version


class VersionSpec(NamedTuple):
    """One `@versioned`: the project's selector, the options of a call, and the edge recorded without a card."""

    select: Callable[[Call], Any]
    options: Callable[[Call], SnapshotOptions]
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
        """Return this plan with the specs of a decorator written above it."""
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
        self.item_specs = tuple(spec for spec in (*plan.inputs, *plan.outputs) if spec.uses_item)
        self.outputs = tuple(spec for spec in plan.outputs if not spec.uses_item)
        self.inputs = tuple(spec for spec in plan.inputs if not spec.uses_item)
        # an input that is just a parameter, with the same card at each call, needs no Call
        quick = [entry for spec in self.inputs if (entry := _quick(spec, self.binding)) is not None]
        self.quick = quick if len(quick) == len(self.inputs) else None
        self.only_quick = self.quick is not None and not (self.versions or plan.outputs or self.item_specs)

    def open(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> CallRecorder:
        """Return the recorder of a call, with nothing saved or recorded yet."""
        return CallRecorder(self, current_run(), instance, args, kwargs)

    def begin(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> CallRecorder | None:
        """Save versions and record inputs; return the recorder to end later, None when nothing is left to record."""
        run = current_run()
        if run.outbox is None and not self.versions:
            return None
        if self.only_quick and self.quick is not None:
            remaining: list[EdgeSpec] = []
            for spec, get, constant in self.quick:
                value = get(args, kwargs)
                if not remaining and type(value) is int and value > 0:  # in the order written
                    run.record_edge(spec, value, *constant)
                else:
                    remaining.append(spec)
            if remaining:
                CallRecorder(self, run, instance, args, kwargs).record_inputs(remaining)
            return None
        recorder = CallRecorder(self, run, instance, args, kwargs)
        if self.versions:
            recorder.save_versions(after=False)
        recorder.record_before()
        return recorder


class CallRecorder:
    """The recording of one call under way."""

    __slots__ = ("_call", "_deferred", "_read", "_saved", "bound", "run")

    def __init__(
        self, bound: BoundPlan, run: Run, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        self.bound = bound
        self.run = run
        self._call = Call(run, lambda: bound.binding.arguments(instance, args, kwargs))
        self._deferred: list[EdgeSpec] = []  # inputs that need the result
        self._saved: list[tuple[EdgeSpec, Any]] = []  # saved versions whose edges are not recorded yet
        self._read: list[tuple[int, float]] = []  # versions that the body reads, and the wait of their decorators

    def save_versions(self, *, after: bool) -> None:
        """Save the versions of `@versioned` decorators, recording nothing; may block.

        Raises:
            VersionNotSaved: a required version could not be saved.
        """
        call = self._call
        for spec in self.bound.versions:
            if spec.after is not after:
                continue
            values: list[Any] = []
            with self.run.guard, _required(spec):
                values += items(spec.select(call))
            for value in values:
                with self.run.guard, _required(spec):  # one that cannot be saved never costs its siblings
                    call.value = value
                    options = spec.options(call)
                    project = save_version(self.run, value, spec.edge.direction, options, parameters_of(call).values())
                    if project is not None:
                        self._saved.append((spec.edge, value))
                        version = self.run.versions["input"].get(project)
                        if version is not None and not after:
                            self._read.append((version, options.wait))

    def check_versions(self) -> None:
        """Record a doubt about each version whose project was changed while the body read it; may block."""
        for version, wait in self._read:
            with self.run.guard:
                if changed_since(self.run, version, wait):
                    self.run.write_record("facts", facts=doubt(version))

    def record_before(self) -> None:
        """Record saved versions and inputs."""
        inputs = self.bound.inputs
        if self._saved and not _any_project(inputs):
            self.record_saved_versions()
        if inputs:
            self.record_inputs(inputs)
        self.record_saved_versions()

    def record_saved_versions(self) -> None:
        """Record the edges of saved versions, except those that a stacked decorator recorded."""
        if not self._saved:
            return
        saved, self._saved = self._saved, []
        for spec, value in saved:
            with self.run.guard:
                spec.record_if_new(self.run, value)

    def record_inputs(self, specs: Iterable[EdgeSpec]) -> None:
        """Record inputs; those that need the result are deferred until the function returned."""
        for spec in specs:
            if spec.needs_result:
                self._deferred.append(spec)
                continue
            with self.run.guard:
                try:
                    spec.record(self.run, self._call)
                except ResultPending:
                    self._deferred.append(spec)

    def _leave_ended_run(self) -> None:
        """Switch to the current run when the call's own is over: an ended run gets no further records."""
        if not self.run.active and self.run.is_over:
            self.run = current_run()
            move_to_run(self._call, self.run)

    def record_item(self, item: Any) -> None:
        """Record an item that the generator yielded."""
        if not self.run.active:
            with self.run.guard:
                self._leave_ended_run()
        set_yielded(self._call, item)
        self._record_all(self.bound.item_specs)

    def end(self, result: Any) -> None:
        """Record the deferred inputs, save versions of what was written, and record the outputs."""
        self.set_result(result)
        if self.bound.versions:
            self.check_versions()
            self.save_versions(after=True)
        self.record_after()

    def set_result(self, result: Any) -> None:
        """Set the call's result, and record the inputs that needed it."""
        self._leave_ended_run()
        self._call.result = result
        if self._deferred:
            self._record_all(self._deferred)

    def record_after(self) -> None:
        """Record saved versions and outputs."""
        outputs = self.bound.outputs
        if self._saved and not _any_project(outputs):
            self.record_saved_versions()
        self._record_all(outputs)
        self.record_saved_versions()

    def _record_all(self, specs: Iterable[EdgeSpec]) -> None:
        run, call = self.run, self._call
        for spec in specs:
            try:
                spec.record(run, call)
            except Exception as error:
                if not run.guard.swallows(error):
                    raise


def _any_project(specs: Iterable[EdgeSpec]) -> bool:
    """Return whether a decorator records a project; the edge of a saved version then gets that decorator's card."""
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
    """Return spec, getter and constant appearance of an input that is just a parameter; None for other inputs."""
    if spec.constant is None or spec.path is None or spec.path.steps or spec.path.root in RESERVED:
        return None
    return spec, binding.getter(spec.path.root), spec.constant

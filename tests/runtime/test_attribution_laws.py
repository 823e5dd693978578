"""Whatever is opened, closed and handed over in whatever order: a call is in its own run, or in nobody's."""

from __future__ import annotations

import contextvars

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from autoflow import current_run, workflow
from autoflow.runtime import context, implicit
from autoflow.runtime.propagation import carry

pytestmark = pytest.mark.core

CONTEXTS = 3
CONTEXT_NUMBERS = st.integers(0, CONTEXTS - 1)


class Attribution(RuleBasedStateMachine):
    """Contexts that open and close runs, record, and hand functions to one another."""

    @initialize()
    def begin(self):
        context.reset()
        self.contexts = [contextvars.Context() for _ in range(CONTEXTS)]
        self.stacks = [[] for _ in range(CONTEXTS)]
        self.held = [False] * CONTEXTS
        self.handed = []

    def teardown(self):
        for number, stack in enumerate(self.stacks):
            while stack:
                self.contexts[number].run(stack.pop()[0].__exit__, None, None, None)
        context.reset()

    def expected(self, number):
        """The run that a call in a context belongs to, "outside", or "unknown"."""
        if self.stacks[number]:
            return self.stacks[number][-1][1]
        runs = [run for stack in self.stacks for _, run in stack]
        if self.held[number] or not runs:
            return "outside"
        return runs[0] if len(runs) == 1 else "unknown"

    @rule(number=CONTEXT_NUMBERS)
    def open(self, number):
        entered = workflow(f"run of {number}", server="off", log=False)
        self.stacks[number].append((entered, self.contexts[number].run(entered.__enter__)))
        self.held[number] = True

    @precondition(lambda self: any(self.stacks))
    @rule(data=st.data())
    def close(self, data):
        number = data.draw(st.sampled_from([number for number, stack in enumerate(self.stacks) if stack]))
        entered, run = self.stacks[number].pop()
        self.contexts[number].run(entered.__exit__, None, None, None)
        assert run.is_over

    @rule(number=CONTEXT_NUMBERS)
    def record(self, number):
        self.check(self.contexts[number].run(current_run), self.expected(number))

    @rule(number=CONTEXT_NUMBERS)
    def hand_over(self, number):
        self.handed.append((self.contexts[number].run(carry, current_run), self.expected(number)))

    @precondition(lambda self: self.handed)
    @rule(number=CONTEXT_NUMBERS, data=st.data())
    def call(self, number, data):
        function, expected = self.handed.pop(data.draw(st.integers(0, len(self.handed) - 1)))
        if not isinstance(expected, str) and expected.is_over:
            expected = "unknown"
        self.check(self.contexts[number].run(function), expected)

    def check(self, run, expected):
        assert not run.is_over
        if isinstance(expected, str):
            assert run is implicit.implicit_run(unattributed=expected == "unknown")
        else:
            assert run is expected

    @invariant()
    def the_environment_names_the_only_open_run(self):
        import os

        runs = [run for stack in getattr(self, "stacks", []) for _, run in stack]
        text = os.environ.get("AUTOFLOW_RUN", "")
        assert (runs[0].key in text) if len(runs) == 1 else not text


@pytest.fixture(autouse=True)
def _off(monkeypatch):
    monkeypatch.setenv("AUTOFLOW_SERVER", "off")


class TestAttribution(Attribution.TestCase):
    """Run the machine."""

    settings = settings(max_examples=60, stateful_step_count=25, deadline=None)

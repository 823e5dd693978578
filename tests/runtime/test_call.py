"""The call, as callables see it."""

from __future__ import annotations

import pytest

import autoflow
from autoflow.testing import capture

pytestmark = pytest.mark.core


@pytest.mark.parametrize("name", ["run", "follow", "parameters", "members", "call"])
def test_a_parameter_of_any_unreserved_name_is_an_attribute(name):
    """Nothing of autoflow's own hides a parameter from a callable."""
    space: dict[str, object] = {}
    exec(f"def load({name}): return {name}", space)
    recorded = autoflow.workflow_input("project", value=lambda call: getattr(call, name))(space["load"])
    with capture() as captured:
        recorded(7)
    assert [edge.id for edge in captured.edges] == [7]


def test_reserved_attributes_take_precedence_and_args_has_the_parameter():
    """A parameter called result is found under args."""

    @autoflow.workflow_output("project", value=lambda call: [call.result, call.args.result])
    def save(result):
        return result + 1

    with capture() as captured:
        save(7)
    assert [edge.id for edge in captured.edges] == [8, 7]

"""Tests of a group run in one worker."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.core


@pytest.mark.xdist_group("together")
def test_a_group_is_in_the_id_of_its_tests(request):
    """pytest-xdist reads groups from ids; where it cannot write them, it spreads groups over all workers silently."""
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("these workers are not asked to keep groups together")
    assert request.node.nodeid.endswith("@together")

"""`propagate`: a function with its run, which frameworks take for a plain function."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
import types

import pytest

from autoflow import current_run, propagate, workflow

pytestmark = pytest.mark.core


def run_key(_=None):
    """The key of the run at hand."""
    return current_run().key


def test_a_propagated_function_is_a_function_to_who_inspects_it():
    """Ray refuses what is neither a function nor a class."""
    with workflow("outer"):
        carried = propagate(run_key)
    assert inspect.isfunction(carried)
    assert isinstance(carried, types.FunctionType)
    assert callable(carried)
    assert inspect.signature(carried) == inspect.signature(run_key)
    assert (carried.__name__, carried.__doc__, carried.__wrapped__) == ("run_key", run_key.__doc__, run_key)


def test_a_propagated_function_pickles_and_copies_with_its_run():
    """As the standard library does it."""
    with workflow("outer") as outer:
        carried = propagate(run_key)
        assert pickle.loads(pickle.dumps(carried))() == outer.key
        assert copy.copy(carried)() == outer.key
        assert copy.deepcopy(carried)() == outer.key


def test_cloudpickle_pickles_a_propagated_function_with_its_run(tmp_path):
    """By value, as Ray, Dask and loky send functions of a script; here read by another process."""
    cloudpickle = pytest.importorskip("cloudpickle")
    with workflow("outer", server="http://127.0.0.1:9") as outer:
        local = "local"

        def work():
            return local, current_run().key

        pickled = tmp_path / "pickled"
        pickled.write_bytes(cloudpickle.dumps([propagate(work), propagate(run_key)]))
        program = "import pickle, sys; work, run_key = pickle.load(open(sys.argv[1], 'rb')); print(*work(), run_key())"
        process = subprocess.run(
            [sys.executable, "-c", program, str(pickled)], capture_output=True, text=True, check=True, timeout=60
        )
    assert process.stdout.split() == ["local", outer.key, outer.key]

"""An app that plays the scenarios with one pool: ``python pools.py POOL``; its functions are the main script's own."""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import json
import sys
import time

from scenarios import play

from autoflow import workflow_input


@workflow_input("project")
def load(project_id):
    return project_id * 10


def slow(project_id, seconds):
    time.sleep(seconds)
    return load(project_id)


def fail(project_id):
    load(project_id)
    raise ValueError(f"no {project_id}")


def completed_result(compute, function, *args):
    """Call a function that computes at once; return a getter of the outcome, as a pool would."""
    outcome = concurrent.futures.Future()
    try:
        outcome.set_result(compute(function, *args))
    except ValueError as error:
        outcome.set_exception(error)
    return outcome.result


@contextlib.contextmanager
def loky_executor():
    import loky

    executor = loky.ProcessPoolExecutor(2)
    try:
        yield lambda function, *args: executor.submit(function, *args).result
    finally:
        executor.shutdown()


@contextlib.contextmanager
def loky_map():
    import loky

    with loky.ProcessPoolExecutor(2) as executor:
        yield lambda function, *args: executor.map(function, *([arg] for arg in args)).__next__


@contextlib.contextmanager
def joblib(**options):
    import joblib

    def submit(function, *args):
        # a generator, as an app passes it to `Parallel`: its calls are dispatched by joblib's threads
        calls = (joblib.delayed(function)(*args) for _ in range(1))
        return joblib.Parallel(n_jobs=2, return_as="generator", **options)(calls).__next__

    yield submit


def joblib_threads():
    return joblib(backend="threading")


@contextlib.contextmanager
def joblib_processes():
    """This backend returns no generator: the call is done when `Parallel` returns."""
    import joblib

    def compute(function, *args):
        return joblib.Parallel(n_jobs=2, backend="multiprocessing")([joblib.delayed(function)(*args)])[0]

    yield functools.partial(completed_result, compute)


@contextlib.contextmanager
def dask_client():
    import distributed

    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@contextlib.contextmanager
def dask_submit():
    with dask_client() as client:
        yield lambda function, *args: client.submit(function, *args).result


@contextlib.contextmanager
def dask_map():
    with dask_client() as client:
        yield lambda function, *args: client.map(function, *([arg] for arg in args))[0].result


@contextlib.contextmanager
def dask_delayed():
    import dask

    with dask_client() as client:
        yield lambda function, *args: client.compute(dask.delayed(function)(*args)).result


@contextlib.contextmanager
def dask_threads():
    """Dask's scheduler for one machine."""
    import dask

    def compute(function, *args):
        return dask.delayed(function)(*args).compute(scheduler="threads")

    yield functools.partial(completed_result, compute)


if __name__ == "__main__":
    print(json.dumps(play(globals()[sys.argv[1]], load, slow, fail)))

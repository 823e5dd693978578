"""An app that plays the scenarios with Ray: ``python ray_pools.py POOL``; its functions are the main script's own."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import sys
import time

import ray
from scenarios import play

from autoflow import propagate, workflow_input


@workflow_input("project")
def load(project_id):
    return project_id * 10


def slow(project_id, seconds):
    time.sleep(seconds)
    return load(project_id)


def fail(project_id):
    load(project_id)
    raise ValueError(f"no {project_id}")


class Loader:
    """The same as methods; each call of the app's is one of a method."""

    @workflow_input("project")
    def load(self, project_id):
        return project_id * 10

    def slow(self, project_id, seconds):
        time.sleep(seconds)
        return self.load(project_id)

    def fail(self, project_id):
        self.load(project_id)
        raise ValueError(f"no {project_id}")


class AsyncLoader:
    """The same in an event loop."""

    @workflow_input("project")
    async def load(self, project_id):
        await asyncio.sleep(0.01)
        return project_id * 10

    async def slow(self, project_id, seconds):
        await asyncio.sleep(seconds)
        return await self.load(project_id)

    async def fail(self, project_id):
        await self.load(project_id)
        raise ValueError(f"no {project_id}")


def waits(reference):
    return lambda: ray.get(reference, timeout=60)


@contextlib.contextmanager
def tasks():
    remote = {function: ray.remote(function) for function in (load, slow, fail)}
    yield lambda function, *args: waits(remote[function].remote(*args))


@contextlib.contextmanager
def optioned_tasks():
    remote = {function: ray.remote(function).options(name="x") for function in (load, slow, fail)}
    yield lambda function, *args: waits(remote[function].remote(*args))


@contextlib.contextmanager
def streams():
    """Tasks that are generators: their bodies run step by step, after the call."""

    def stream(function, *args):
        yield function(*args)

    remote = ray.remote(stream)

    def submit(function, *args):
        items = remote.remote(function, *args)
        return lambda: ray.get(next(items), timeout=60)

    yield submit


@contextlib.contextmanager
def propagated():
    """`propagate` inside of a remote function's making."""
    yield lambda function, *args: waits(ray.remote(propagate(function)).remote(*args))


@contextlib.contextmanager
def actors(loader=Loader):
    actor = ray.remote(loader).remote()
    try:
        yield lambda function, *args: waits(getattr(actor, function.__name__).remote(*args))
    finally:
        ray.kill(actor)


@contextlib.contextmanager
def threaded_actors():
    actor = ray.remote(Loader).options(max_concurrency=4).remote()
    try:
        yield lambda function, *args: waits(getattr(actor, function.__name__).remote(*args))
    finally:
        ray.kill(actor)


async_actors = functools.partial(actors, AsyncLoader)


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        print(json.dumps(play(globals()[sys.argv[1]], load, slow, fail)))
    finally:
        ray.shutdown()

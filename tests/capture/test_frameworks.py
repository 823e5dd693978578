"""Other people's decorators and callers, the real ones: what they look at, and how they call."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import inspect
import json
import os
import socket
import subprocess
import sys
import threading
import urllib.request

import pytest

from autoflow import current_run, propagate, workflow, workflow_input, workflow_output
from autoflow.errors import TargetError

with contextlib.suppress(ImportError):  # the core runs the first tests without it
    from fastapi import BackgroundTasks, Depends


@workflow_output("file")
@workflow_input("project")
def export(project_id: int, fast: bool = False) -> str:
    """Export a project."""
    return f"/export/{project_id}"


@workflow_output("file")
@workflow_input("project")
async def export_async(project_id: int) -> str:
    """Export a project, in the event loop."""
    await asyncio.sleep(0)
    return f"/export/{project_id}"


EDGES = [("input", "project", 7), ("output", "file", "/export/7")]


@pytest.mark.core
def test_a_callback_in_a_frameworks_thread_is_recorded(recorded_edges):
    """An event loop of its own, a thread of its own."""
    thread = threading.Thread(target=export, args=(7,))
    thread.start()
    thread.join()
    assert recorded_edges() == EDGES


@pytest.mark.core
def test_partial_application_and_injection(recorded_edges):
    """A dependency injector wraps a function it has read."""
    bound = functools.partial(export, fast=True)
    assert bound(7) == "/export/7"
    assert recorded_edges() == EDGES


# -- FastAPI and Starlette


@pytest.fixture
def api():
    """A FastAPI app and a client of it; requests run in the test's process."""
    fastapi = pytest.importorskip("fastapi")
    testclient = pytest.importorskip("fastapi.testclient")
    app = fastapi.FastAPI()
    with testclient.TestClient(app) as client:
        yield app, client


@pytest.mark.parametrize("function", [export, export_async])
def test_a_route_is_called_with_converted_arguments(api, recorded_edges, function):
    """Signature and hints are the function's, and FastAPI documents and checks them."""
    app, client = api
    app.get("/export")(function)
    assert client.get("/export?project_id=7").json() == "/export/7"
    assert recorded_edges() == EDGES
    assert client.get("/export?project_id=seven").status_code == 422
    operation = client.get("/openapi.json").json()["paths"]["/export"]["get"]
    assert operation["parameters"][0]["schema"]["type"] == "integer"
    assert operation["description"].startswith("Export a project")


def test_a_dependency_and_a_background_task_record(api, recorded_edges):
    """FastAPI calls them by their parameters' names, the task after the response."""
    app, client = api

    @app.post("/train")
    def train(tasks: BackgroundTasks, path: str = Depends(export)):
        tasks.add_task(export, 8)
        return path

    assert client.post("/train?project_id=7").json() == "/export/7"
    assert recorded_edges() == [*EDGES, ("input", "project", 8), ("output", "file", "/export/8")]


def test_a_streaming_response_records_what_it_yields(api, recorded_edges):
    """A generator is read in another thread, step by step."""
    from fastapi.responses import StreamingResponse

    app, client = api

    @workflow_output("file", value="item")
    def lines(count):
        for number in range(count):
            yield f"/line/{number}"

    app.get("/lines")(lambda: StreamingResponse(lines(2)))
    assert client.get("/lines").text == "/line/0/line/1"
    assert recorded_edges() == [("output", "file", "/line/0"), ("output", "file", "/line/1")]


def test_starlette_routes_and_thread_pool(recorded_edges):
    """A bare Starlette app; plain functions run in anyio's threads."""
    pytest.importorskip("starlette")
    applications = pytest.importorskip("starlette.applications")
    testclient = pytest.importorskip("starlette.testclient")
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    @workflow_input("project", value=lambda call: int(call.request.query_params["project"]))
    def plain(request):
        return PlainTextResponse(export(int(request.query_params["project"])))

    app = applications.Starlette(routes=[Route("/", plain)])
    with testclient.TestClient(app) as client:
        assert client.get("/?project=7").text == "/export/7"
    assert recorded_edges() == EDGES


SERVED = """
import asyncio, concurrent.futures, threading
from fastapi import FastAPI
from autoflow import workflow, workflow_input

app = FastAPI()
pool = concurrent.futures.ThreadPoolExecutor(4)
waiting = threading.Barrier(2, timeout=60)

@workflow_input("project")
def load(project_id: int):
    return project_id

@app.get("/alone")
def alone(project_id: int):
    return load(project_id)

@app.get("/plain")
def plain(project_id: int):
    with workflow(f"plain {project_id}") as run:
        waiting.wait()  # both requests are under way
        return run.key, [load(project_id), pool.submit(load, project_id + 1).result()]

@app.get("/loop")
async def loop(project_id: int):
    running = asyncio.get_running_loop()
    async with workflow(f"loop {project_id}") as run:
        await running.run_in_executor(None, waiting.wait)
        first = await running.run_in_executor(None, load, project_id)
        return run.key, [first, await asyncio.to_thread(load, project_id + 1)]
"""


@contextlib.contextmanager
def served(folder):
    """A real uvicorn process that serves the app above."""
    (folder / "shop.py").write_text(SERVED)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "AUTOFLOW_HOME": str(folder / "home"),
        "AUTOFLOW_SERVER": "http://127.0.0.1:9",
        "AUTOFLOW_EXIT_FLUSH": "0",
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "shop:app", "--port", str(port)],
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for line in server.stderr:
            if "Uvicorn running" in line:
                break
        yield f"http://127.0.0.1:{port}"
        server.terminate()
        server.communicate(timeout=60)
    finally:
        server.kill()
        server.wait()
        server.stderr.close()


def test_overlapping_requests_of_a_real_server_keep_their_runs_apart(tmp_path):
    """FastAPI under uvicorn: two requests at once, in threads and in the event loop, each with a pool's help."""
    pytest.importorskip("fastapi")
    with served(tmp_path) as url, concurrent.futures.ThreadPoolExecutor(2) as requests:

        def get(path):
            with urllib.request.urlopen(url + path, timeout=60) as response:
                return json.load(response)

        answers = {}
        for kind, first, second in (("plain", 10, 20), ("loop", 30, 40)):
            pair = [f"/{kind}?project_id={number}" for number in (first, second)]
            for (key, numbers), number in zip(requests.map(get, pair), (first, second), strict=True):
                assert numbers == [number, number + 1]
                answers |= dict.fromkeys(numbers, key)
        assert get("/alone?project_id=50") == 50
    records = [
        json.loads(line.split(b" ", 1)[1])
        for path in (tmp_path / "home").rglob("*.journal")
        for line in path.read_bytes().splitlines()
    ]
    edges = {record["subject"]["id"]: record["run"] for record in records if record.get("type") == "edge"}
    names = {record["run"]: record["name"] for record in records if record.get("type") == "run"}
    assert names[edges.pop(50)] == "shop:app"
    assert edges == answers


# -- Click


@pytest.fixture
def cli():
    """Click, and a way to run a command."""
    click = pytest.importorskip("click")
    testing = pytest.importorskip("click.testing")

    def run(command, *arguments):
        return testing.CliRunner().invoke(command, list(arguments), catch_exceptions=False)

    return click, run


def test_below_click_command_the_command_records(cli, recorded_edges):
    """Options and arguments are Click's; they arrive converted, by name."""
    click, run = cli

    @click.command()
    @click.option("--project-id", type=int)
    @workflow_input("project")
    def command(project_id):
        """Load a project."""
        click.echo(f"loaded {project_id}")

    result = run(command, "--project-id", "7")
    assert (result.exit_code, result.output) == (0, "loaded 7\n")
    assert recorded_edges() == [("input", "project", 7)]
    assert "Load a project." in run(command, "--help").output


def test_a_click_group_with_a_context(cli, recorded_edges):
    """`pass_context` and `pass_obj` put an argument in front."""
    click, run = cli

    @click.group()
    @click.pass_context
    def group(context):
        context.obj = 7

    @group.command()
    @click.pass_obj
    @workflow_input("project", value="number")
    def load(number):
        return number

    assert run(group, "load").exit_code == 0
    assert recorded_edges() == [("input", "project", 7)]


def test_over_click_command_it_is_refused(cli):
    """Click runs `.main`, past a wrapper."""
    click, _ = cli

    @click.command()
    def command():
        pass

    with pytest.raises(TargetError, match=r"below @click\.command"):
        workflow_input("project", value=lambda call: 1)(command)


# -- Celery; workers are in tests/runtime/integrations


def test_over_a_celery_task_it_is_refused():
    """Its worker runs the task's function, past a wrapper; below it records each run of the task."""
    celery = pytest.importorskip("celery")
    app = celery.Celery("shop", set_as_current=False)
    with pytest.raises(TargetError, match="below @task"):
        workflow_input("project")(app.task(export))


def test_below_a_celery_task_it_records_where_the_task_runs_at_once(recorded_edges):
    """In the process of the caller: `apply`, and apps that set `task_always_eager`."""
    celery = pytest.importorskip("celery")
    app = celery.Celery("shop", set_as_current=False)
    app.conf.task_always_eager = True
    task = app.task(export)
    assert task.name.endswith("export")
    with workflow("sending", server="memory") as run:
        assert task.delay(7).get() == "/export/7"
        assert current_run() is run
    assert recorded_edges() == EDGES


# -- trio and anyio


@pytest.mark.parametrize("library", ["trio", "anyio"])
def test_tasks_and_threads_of_trio_and_anyio_keep_their_run(library, captured):
    """Two runs at once in one event loop, each with a thread."""
    pytest.importorskip("trio")
    module = pytest.importorskip(library)

    async def request(number):
        async with workflow(f"request {number}", server="memory") as run:
            await module.sleep(0.01)
            await module.to_thread.run_sync(export, number)
            await export_async_anywhere(number + 1)
            keys[number] = keys[number + 1] = run.key

    @workflow_input("project")
    async def export_async_anywhere(project_id):
        await module.sleep(0.01)

    async def main():
        group = module.open_nursery() if library == "trio" else module.create_task_group()
        async with group as tasks:
            for number in (10, 20):
                tasks.start_soon(request, number)

    keys: dict[int, str] = {}
    module.run(main) if library == "trio" else module.run(main, backend="trio")
    assert {edge.id: edge.run for edge in captured.edges if edge.type == "project"} == keys


def test_propagated_functions_of_every_kind_are_in_their_run(captured):
    """Coroutines and generators too, whose bodies run after the call."""

    async def load_async(number):
        await asyncio.sleep(0)
        return export(number)

    def generate(number):
        yield export(number)

    async def generate_async(number):
        yield export(number)

    async def first(items):
        return [item async for item in items]

    with workflow("A", server="memory") as run:
        carried = [propagate(function) for function in (export, load_async, generate, generate_async)]
        with workflow("B", server="memory"):
            assert carried[0](1) == "/export/1"
            assert asyncio.run(carried[1](2)) == "/export/2"
            assert list(carried[2](3)) == ["/export/3"]
            assert asyncio.run(first(carried[3](4))) == ["/export/4"]
    kinds = inspect.isfunction, inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction
    assert [kind(function) for kind, function in zip(kinds, carried, strict=True)] == [True] * 4
    assert {edge.run for edge in captured.edges} == {run.key}
    assert len([edge for edge in captured.edges if edge.type == "project"]) == 4

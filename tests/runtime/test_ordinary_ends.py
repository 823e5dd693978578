"""Runs that end in good order are not lost: workers of pools, reaped children, a server's graceful shutdown."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from tests.runtime.test_attribution_processes import HEAD, METHODS

core = pytest.mark.core


def ends(script):
    """Return the end of the run of each project, by the project: (state, error), None when it has no end."""
    records = script.records()
    finishes = {record["run"]: (record["state"], record["error"]) for record in records if record["type"] == "finish"}
    edges = [record for record in records if record["type"] == "edge"]
    return {next(iter(edge["subject"].values())): finishes.get(edge["run"]) for edge in edges}


PROGRAM = (
    HEAD.replace(
        'if __name__ == "__main__":',
        """
def leave(number, status=0):
    load(number)
    os._exit(status)

def wait(number, ready):
    load(number)
    ready.set()
    time.sleep(60)

if __name__ == "__main__":""",
    )
    + """
    with workflow("switches the integrations on"):
        pass
"""
)


@core
@pytest.mark.parametrize("method", METHODS)
def test_runs_of_workers_and_children_end_as_their_processes(script, method):
    """Workers of pools, also when the pool terminates them; children that return, leave, fail, or are terminated."""
    script(
        PROGRAM
        + f"""
    context = multiprocessing.get_context({method!r})
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        list(pool.map(load, [1]))
    with context.Pool(1) as pool:
        pool.map(load, [2])
    pool = context.Pool(1)
    pool.map(load, [3])
    pool.close()
    pool.join()
    for number, target in ((4, load), (5, leave)):
        child = context.Process(target=target, args=(number,))
        child.start()
        child.join()
        assert child.exitcode == 0
    child = context.Process(target=leave, args=(7, 3))
    child.start()
    child.join()
    ready = context.Event()
    for number, end in ((8, "terminate"), (9, "kill")):
        ready.clear()
        child = context.Process(target=wait, args=(number, ready))
        child.start()
        ready.wait(30)
        if end == "terminate":
            child.terminate()
        else:
            os.kill(child.pid, 9)
        child.join()
"""
    )
    states = ends(script)
    finished = ("finished", None)
    assert {number: states[number] for number in (1, 3, 4)} == dict.fromkeys((1, 3, 4), finished)
    assert states[2] in {finished, ("ended", None)}  # `Pool.__exit__` terminates its workers
    assert states[5] == ("ended", None)
    assert states[7] == ("failed", "exit status 3")
    assert states[8] == ("ended", None)
    assert states[9] is None  # lost, once its journal is taken over


CHILD = """
import os, sys, time
from autoflow import workflow_input

@workflow_input("project")
def load(project_id):
    pass

load(int(sys.argv[1]))
print("ready", flush=True)
time.sleep(60 if len(sys.argv) > 2 else 0)
"""


@core
def test_a_program_that_its_parent_terminated_has_ended(script):
    """One that somebody else terminated stays lost: no signal is handled by us."""
    (script.folder / "child.py").write_text(CHILD)
    script(
        PROGRAM
        + """
    for number in (1, 2):
        child = subprocess.Popen([sys.executable, "child.py", str(number), "wait"], stdout=subprocess.PIPE)
        child.stdout.readline()
        child.terminate() if number == 1 else os.kill(child.pid, 15)
        assert child.wait() == -15
        child.stdout.close()
    subprocess.run([sys.executable, "child.py", "3"], check=True, stdout=subprocess.DEVNULL)
"""
    )
    assert ends(script) == {1: ("ended", None), 2: None, 3: ("finished", None)}
    assert len(list((script.home / "runs").iterdir())) == 1  # of the one that is lost, until that is recorded


@pytest.mark.skipif(importlib.util.find_spec("uvicorn") is None, reason="uvicorn is not installed")
def test_a_graceful_shutdown_of_uvicorn_is_an_ordinary_end(script):
    """The process dies by the signal, after it has answered everybody; its implicit run is named after the app."""
    (script.folder / "web.py").write_text(
        """
from autoflow import workflow_input

@workflow_input("project")
def load(project_id):
    pass

async def app(scope, receive, send):
    assert scope["type"] == "http"
    load(1)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})
"""
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "AUTOFLOW_HOME": str(script.home),
        "AUTOFLOW_SERVER": "http://127.0.0.1:9",
    }
    command = [sys.executable, "-m", "uvicorn", "web:app", "--port", str(port), "--log-level", "warning"]
    with subprocess.Popen(command, cwd=script.folder, env=environment, stderr=subprocess.PIPE) as server:
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30).close()
                    break
                except OSError:
                    time.sleep(0.1)
        finally:
            server.send_signal(signal.SIGTERM)
            errors = server.communicate(timeout=30)[1]
    assert server.returncode == -signal.SIGTERM, errors
    assert ends(script) == {1: ("finished", None)}
    assert [record["name"] for record in script.records() if record["type"] == "run"] == ["web:app"]

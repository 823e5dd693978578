"""Buckets to keep blobs in: moto's server in a process of its own, which stands in for S3."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import uuid
from collections.abc import Iterator

import requests

_SERVER = """
import logging, sys
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(*server.get_host_and_port(), flush=True)
sys.stdin.read()
server.stop()
"""


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """A server that speaks as S3 does, for as long as a block runs; gives its address."""
    command = [sys.executable, "-W", "ignore", "-c", _SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            host, port = process.stdout.readline().split()
            yield f"http://{host}:{port}"
        finally:
            process.stdin.close()
            process.wait(60)


def variables(address: str) -> dict[str, str]:
    """What leads to that server."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "anybody",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }


def make_bucket(address: str) -> str:
    """A new bucket's name."""
    name = f"b-{uuid.uuid4().hex}"
    requests.put(f"{address}/{name}", timeout=60).raise_for_status()
    return name

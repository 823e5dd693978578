"""Places that keep blobs: a folder, and a bucket of moto's server, which stands in for S3."""

from __future__ import annotations

import contextlib

import pytest

from autoflow.server.blobs import open_blob_store
from autoflow.server.server import Server
from tests.buckets import make_bucket, serving, variables


@pytest.fixture(scope="session")
def s3():
    """The address of a server that speaks as S3 does."""
    with serving() as address:
        yield address


@pytest.fixture
def aws(s3, monkeypatch):
    """The variables that lead to that server."""
    for name, value in variables(s3).items():
        monkeypatch.setenv(name, value)
    return s3


@pytest.fixture
def bucket(aws):
    """The url of a new bucket's prefix."""
    return f"s3://{make_bucket(aws)}/some/where"


@pytest.fixture(params=["folder", "bucket"])
def url(request, tmp_path):
    """Where blobs are kept."""
    return str(tmp_path / "blobs") if request.param == "folder" else request.getfixturevalue("bucket")


@pytest.fixture
def store(url):
    """An empty place."""
    return open_blob_store(url)


@pytest.fixture
def server(url, tmp_path):
    """A server that keeps its blobs there."""
    with contextlib.closing(Server.open(tmp_path / "home", blobs=url)) as opened:
        yield opened

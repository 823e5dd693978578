"""`autoflow serve --blobs`: the server's bytes are where it was told."""

from __future__ import annotations

import subprocess
import sys

import requests

from autoflow.server.blobs import open_blob_store
from tests.serving import serving


def test_a_server_keeps_its_bytes_in_a_bucket(bucket, tmp_path):
    """What is uploaded to it is in the bucket, and comes back in parts by its address."""
    with serving("--data", str(tmp_path), "--blobs", bucket) as (_process, url, _lines):
        fields = [("name", (None, "a")), ("path", (None, "/")), ("file", ("a", b"0123456789"))]
        method = f"{url}/public/api/v3/file-storage.bulk.upload?teamId=1"
        (response,) = requests.post(method, files=fields, timeout=30).json()
        assert [file.hash for file in open_blob_store(bucket).files()] == [response["hash"]]
        answer = requests.get(response["fullStorageUrl"], headers={"Range": "bytes=3-5"}, timeout=30)
        assert (answer.status_code, answer.content) == (206, b"345")


def test_a_bucket_that_is_not_there_ends_it(aws, tmp_path):
    """The server ends with words that name the bucket, not with a traceback."""
    command = [sys.executable, "-m", "autoflow.cli.main", "serve", "--port", "0", "--data", str(tmp_path)]
    done = subprocess.run([*command, "--blobs", "s3://none-such"], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "there is no such bucket" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_url_that_is_none_ends_it(tmp_path):
    """What is neither a folder nor a bucket is named."""
    command = [sys.executable, "-m", "autoflow.cli.main", "serve", "--port", "0", "--data", str(tmp_path)]
    done = subprocess.run([*command, "--blobs", "ftp://x/y"], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "s3://bucket/prefix" in done.stderr
    assert "Traceback" not in done.stderr

"""A bucket that is not there, lets nobody in, or whose library is missing: said in words that help."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
import requests

from autoflow.errors import ServerBusy
from autoflow.server.blobs import bucket as rooms
from autoflow.server.blobs import open_blob_store
from autoflow.server.blobs.bucket_versions import BucketVersions
from autoflow.server.blobs.content import blob_path


def test_a_bucket_has_to_be_there(aws):
    """A bucket that nobody made is named."""
    with pytest.raises(ServerBusy, match=r"s3://none-such.*no such bucket"):
        open_blob_store("s3://none-such/p")


def test_somebody_has_to_be_asking(bucket, monkeypatch):
    """Without credentials the variables that hold them are named."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(rooms, "MAX_RETRIES", 0)
    with pytest.raises(ServerBusy, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        open_blob_store(bucket)


def test_an_endpoint_that_is_gone_is_busy(bucket, monkeypatch):
    """What cannot be reached may be tried again."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(rooms, "MAX_RETRIES", 0)
    with pytest.raises(ServerBusy, match="cannot open s3://"):
        open_blob_store(bucket)


def test_the_missing_library_is_named(bucket):
    """Without obstore the extra that brings it is named, and a folder is kept as ever."""
    script = (
        "import sys; sys.modules['obstore'] = None\n"
        "from autoflow.server.blobs import open_blob_store\n"
        "open_blob_store('.')\n"
        "open_blob_store('s3://bucket/p')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert "ServerExtraMissing" in done.stderr
    assert 'pip install "autoflow-lineage[s3]"' in done.stderr


def test_a_put_whose_answer_was_lost_finds_itself(bucket):
    """The same bytes under the same generation are there already, and that is no error."""
    store = open_blob_store(bucket)
    for _ in range(2):
        store.sync([store.receive(io.BytesIO(b"x"), "s1-1")])
    assert len(list(store.files())) == 1


def test_many_small_files_go_up_side_by_side(bucket):
    """What is received may still be on its way; settled, all of it is there."""
    store = open_blob_store(bucket)
    received = [store.receive(io.BytesIO(str(n).encode()), f"s1-{n}") for n in range(40)]
    store.sync(received)
    assert len(list(store.files())) == 40


def test_what_did_not_arrive_is_not_settled(bucket, monkeypatch):
    """A file that could not be sent is busy when it is to be named, and not before."""
    store = open_blob_store(bucket)

    def fail(*_args, **_options):
        raise OSError("cut off")

    monkeypatch.setattr(rooms.obstore, "put", fail)
    received = store.receive(io.BytesIO(b"x"), "s1-1")
    with pytest.raises(ServerBusy, match="cut off") as busy:
        store.sync([received])
    assert busy.value.status == 507


def test_erased_content_is_gone_with_its_older_versions(bucket, aws):
    """From a bucket with versions, also what was deleted, trashed or set aside before; other content stays."""
    name, _, prefix = bucket.removeprefix("s3://").partition("/")
    enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    requests.put(f"{aws}/{name}?versioning", data=enabled, timeout=60).raise_for_status()
    store = open_blob_store(bucket)
    blobs = {}
    for content, generation in ((b"marker", "a-1"), (b"marker", "a-2"), (b"marker", "a-3"), (b"other", "a-4")):
        blobs[generation] = store.receive(io.BytesIO(content), generation)
        store.sync([blobs[generation]])
    content = blobs["a-1"].hash
    store.trash(blob_path(content, "a-1"), "2026-01-01")
    store.quarantine(content, "a-2")
    store.discard(blobs["a-3"])
    store.sync([store.receive(io.BytesIO(b"marker"), "a-5")])
    assert store.erase(content, lambda generation: generation == "a-5") == 2
    versions = BucketVersions(name)
    remaining = [path for path, _ in versions.list(prefix)]
    assert sorted(remaining) == sorted(
        f"{prefix}/{blob_path(*entry)}" for entry in ((content, "a-5"), (blobs["a-4"].hash, "a-4"))
    )
    assert store.erase(content, lambda _: False) == 1
    assert len(list(versions.list(prefix))) == 1

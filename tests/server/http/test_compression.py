"""Long answers are gzipped for who takes that; short ones and bytes go as they are."""

from __future__ import annotations


def test_long_answers_are_packed_for_who_takes_that(client):
    """The same JSON, a fraction of the bytes; without the header it is plain."""
    for number in range(120):
        client.call("projects.add", workspaceId=1, name=f"project {number}")
    packed = client.post("projects.list", json={"workspaceId": 1}, headers={"Accept-Encoding": "gzip"})
    plain = client.post("projects.list", json={"workspaceId": 1}, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 4
    short = client.post("instance.version", json={}, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in short.headers


def test_files_are_never_packed(client):
    """Their length and checksum are those of the file."""
    made = client.put(data=b"0" * 100_000)
    answer = client.send("GET", f"/storage/files/{made['id']}", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Content-Length"] == "100000"

"""Long JSON responses are compressed if the client accepts gzip; short ones and files are not."""

from __future__ import annotations


def test_long_responses_are_compressed_for_clients_that_accept_gzip(client):
    """The same JSON in a fraction of the bytes; plain without the header."""
    for number in range(120):
        client.call("projects.add", workspaceId=1, name=f"project {number}")
    compressed = client.post("projects.list", json={"workspaceId": 1}, headers={"Accept-Encoding": "gzip"})
    plain = client.post("projects.list", json={"workspaceId": 1}, headers={"Accept-Encoding": "identity"})
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert compressed.json() == plain.json()
    assert int(compressed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 4
    short = client.post("instance.version", json={}, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in short.headers


def test_files_are_never_compressed(client):
    """Their length and checksum are those of the file."""
    uploaded = client.put(data=b"0" * 100_000)
    response = client.send("GET", f"/storage/files/{uploaded['id']}", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in response.headers
    assert response.headers["Content-Length"] == "100000"

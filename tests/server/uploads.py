"""Parsing a multipart form as a client receives it."""

from __future__ import annotations


def parts_of(content):
    """Return the name and the bytes of each part of a composed form, in order."""
    body = b"".join(content)
    assert len(body) == content.size
    kind, _, boundary = content.mime.partition("; boundary=")
    assert kind == "multipart/form-data"
    first, *middle, last = body.split(b"--" + boundary.encode())
    assert (first, last) == (b"", b"--\r\n")
    read = []
    for part in middle:
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        before, name, after = head.decode().split('"')
        assert (before, after) == ("Content-Disposition: form-data; name=", "")
        assert data.endswith(b"\r\n")
        read.append((name, data[:-2]))
    return read

"""Reading a multipart form as a client gets it."""

from __future__ import annotations


def parts_of(content):
    """Name and bytes of each part of a composed form, in order."""
    whole = b"".join(content)
    assert len(whole) == content.size
    kind, _, boundary = content.mime.partition("; boundary=")
    assert kind == "multipart/form-data"
    first, *middle, last = whole.split(b"--" + boundary.encode())
    assert (first, last) == (b"", b"--\r\n")
    read = []
    for part in middle:
        head, _, body = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        before, name, after = head.decode().split('"')
        assert (before, after) == ("Content-Disposition: form-data; name=", "")
        assert body.endswith(b"\r\n")
        read.append((name, body[:-2]))
    return read

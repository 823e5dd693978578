"""Multipart forms, parsed as they arrive."""

from __future__ import annotations

import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.errors import ServerRefused
from autoflow.server.http import multipart as form
from autoflow.transport.multipart import Multipart
from autoflow.wire.parts import Part


def pull_from(chunks):
    left = iter(chunks)
    return lambda: next(left, b"")


def read(kind, chunks):
    """Every part with its content, as read at once."""
    return [
        (part.field, part.value if isinstance(part.value, str) else part.value.read(), part.filename, part.content_type)
        for part in form.parts(kind, pull_from(chunks))
    ]


names = st.text(st.characters(codec="utf-8", exclude_characters='\\\r\n;"%'), min_size=1, max_size=8)
sent = st.lists(
    st.one_of(
        st.tuples(names, st.text(st.characters(codec="utf-8"), max_size=30), st.none(), st.none()),
        st.tuples(names, st.binary(max_size=60), names, st.sampled_from(["image/png", None])),
    ),
    max_size=4,
)


@given(sent=sent, cuts=st.lists(st.integers(0, 600), max_size=6))
def test_forms_of_our_own_client_are_parsed_however_they_are_cut(sent, cuts):
    """Fields, contents, names and types come out as they went in, wherever the network cuts the bytes."""
    multipart = Multipart([Part(a, b if isinstance(b, str) else io.BytesIO(b), c, d) for a, b, c, d in sent])
    body = b"".join(multipart)
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    chunks = [body[a:b] for a, b in itertools.pairwise(edges) if b > a]
    assert read(multipart.content_type, chunks) == sent


def test_a_file_is_read_in_small_pieces():
    """A part gives as much as is asked for, and what is not read of it is passed over."""
    multipart = Multipart([Part("a", io.BytesIO(b"0123456789"), "a"), Part("b", io.BytesIO(b"next"), "b")])
    chunks = [bytes([byte]) for byte in b"".join(multipart)]
    parts = form.parts(multipart.content_type, pull_from(chunks))
    first = next(parts).value
    assert [first.read(3), first.read(0), first.read(4)] == [b"012", b"", b"3456"]
    second = next(parts).value
    assert [second.read(100), second.read(1)] == [b"next", b""]
    assert next(parts, None) is None


def test_an_extended_file_name_makes_a_file():
    """A client that sends ``filename*`` sends a file; it is called as its field."""
    body = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename*=utf-8''%C3%A4\r\n\r\n\0\xff\r\n--x--\r\n"
    ((field, value, filename, _kind),) = read("multipart/form-data; boundary=x", [body])
    assert (field, value) == ("file", b"\0\xff")
    assert filename


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        ("multipart/form-data", b"--x--", "no boundary"),
        ("multipart/form-data; boundary=" + "x" * 500, b"--x--", "not a multipart form"),
        ("multipart/form-data; boundary=x", b"", "ends before"),
        ("multipart/form-data; boundary=x", b"nonsense that is no form", "not a multipart form"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue',
            "ends before",
        ),
        ("multipart/form-data; boundary=x", b"--x\r\nX: y\r\n\r\nvalue\r\n--x--\r\n", "no name"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--x--\r\n',
            "UTF-8",
        ),
    ],
)
def test_what_is_no_form_is_refused(kind, body, says):
    """A form without boundary, cut short, or with a part that is none is 400."""
    with pytest.raises(ServerRefused, match=says) as refusal:
        read(kind, [body])
    assert refusal.value.status == 400


def test_a_form_has_its_limits(monkeypatch):
    """A long text and too many parts are 413."""
    for name, parts in (("MAX_FIELD", [Part("a", "long")]), ("MAX_PARTS", [Part("a", "1")] * 4)):
        monkeypatch.setattr(form, name, 3)
        multipart = Multipart(parts)
        with pytest.raises(ServerRefused) as refusal:
            read(multipart.content_type, list(multipart))
        assert refusal.value.status == 413


@pytest.mark.parametrize(
    "head",
    [
        b"X: " + b"x" * 100_000,
        b"x" * 100_000 + b": x",
        b"X: y\r\n" * 100_000,
        b'Content-Disposition: form-data; name="' + b"x" * 100_000 + b'"',
    ],
)
def test_a_head_of_a_part_has_its_limits(head):
    """Headers without end, of any form, are refused before they take memory."""
    body = b"--x\r\n" + head
    chunks = [body[at : at + 4096] for at in range(0, len(body), 4096)]
    with pytest.raises(ServerRefused) as refusal:
        read("multipart/form-data; boundary=x", chunks)
    assert refusal.value.status in {400, 413}


def test_the_texts_of_a_form_are_bounded_together():
    """Ten thousand texts of the largest size are not collected."""
    multipart = Multipart([Part(f"{n}", "x" * form.MAX_FIELD) for n in range(200)])
    with pytest.raises(ServerRefused, match="fields") as refusal:
        read(multipart.content_type, iter(multipart))
    assert refusal.value.status == 413

"""A multipart form as it arrives: each part is given out when its head was read, and its bytes as they come.

So a file goes from the socket to where it is kept and is nowhere else on the way, whatever its size. What is not
read of a part is passed over when the next is asked for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple, cast

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from autoflow.errors import ServerRefused
from autoflow.server.errors import Invalid
from autoflow.wire.parts import Part

LONGEST_TEXT = 64 * 1024
LONGEST_HEAD = 16 * 1024  # bytes of a part's headers
MOST_TEXT = 8 * 1024 * 1024  # bytes of all texts and heads of a form: whoever reads it may collect them
MOST_PARTS = 10_000


class _Head(NamedTuple):
    headers: dict[str, str]
    size: int


_END = object()  # of a part
_LAST = object()  # of the form


class _Events:
    """What the parser met, in order: a head, bytes, the end of a part, the end of the form."""

    def __init__(self, boundary: bytes, pull: Callable[[], bytes]) -> None:
        self._pull = pull
        self._met: deque[Any] = deque()
        self._headers: dict[str, str] = {}
        self._name = bytearray()
        self._value = bytearray()
        self.head_size = 0
        self._parser = MultipartParser(
            boundary,
            {
                "on_header_field": lambda data, start, end: self._extend(self._name, data[start:end]),
                "on_header_value": lambda data, start, end: self._extend(self._value, data[start:end]),
                "on_header_end": self._header,
                "on_headers_finished": self._head,
                "on_part_data": lambda data, start, end: self._met.append(data[start:end]),
                "on_part_end": lambda: self._met.append(_END),
                "on_end": lambda: self._met.append(_LAST),
            },
        )

    def _extend(self, text: bytearray, data: bytes) -> None:
        text.extend(data)
        self.head_size += len(data)
        if self.head_size > LONGEST_HEAD:
            raise ServerRefused(f"the headers of a part are longer than {LONGEST_HEAD} bytes", status=413)

    def _header(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name.clear()
        self._value.clear()

    def _head(self) -> None:
        self._met.append(_Head(self._headers, self.head_size))
        self._headers, self.head_size = {}, 0

    def next(self) -> Any:
        """The next event.

        Raises:
            ServerRefused: 400, this is no form, or it ends in the middle.
        """
        while not self._met:
            data = self._pull()
            if not data:
                raise Invalid("the form ends before its last boundary")
            try:
                self._parser.write(data)
            except FormParserError as error:
                raise Invalid(f"this is no multipart form: {error}") from None
        return self._met.popleft()

    def back(self, event: Any) -> None:
        """Have an event met again."""
        self._met.appendleft(event)


class _File:
    """The bytes of one part, as far as `Part` needs a file: read forward, once."""

    def __init__(self, events: _Events) -> None:
        self._events = events
        self._open = True

    def read(self, size: int = -1) -> bytes:
        """At least one byte and at most `size` (all, when negative); none at the end."""
        found: list[bytes] = []
        length = 0
        while self._open and (size < 0 or length < size):
            event = self._events.next()
            if event is _END:
                self._open = False
                break
            found.append(event)
            length += len(event)
        if 0 <= size < length:
            over = length - size
            self._events.back(found[-1][-over:])
            found[-1] = found[-1][:-over]
        return b"".join(found)

    def skip(self) -> None:
        """Pass over what was not read."""
        while self._open:
            self._open = self._events.next() is not _END


class _Whole:
    """A body that is one file itself: read forward, once."""

    def __init__(self, pull: Callable[[], bytes]) -> None:
        self._pull = pull
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """As that of `_File`."""
        found = [self._rest]
        length = len(self._rest)
        while (size < 0 or length < size) and (data := self._pull()):
            found.append(data)
            length += len(data)
        whole = b"".join(found)
        self._rest = b"" if size < 0 else whole[size:]
        return whole if size < 0 else whole[:size]


def body(pull: Callable[[], bytes]) -> Iterator[Part]:
    """A body that is no form, as the one file of a form; `pull` as for `parts`."""
    yield Part("file", cast(BinaryIO, _Whole(pull)), "")


def parts(content_type: str, pull: Callable[[], bytes]) -> Iterator[Part]:
    """Read a form.

    Args:
        content_type: the request's, with the boundary.
        pull: gives the next bytes of the body, none at its end.

    Raises:
        ServerRefused: 400, it is no form; 413, texts or headers are too long, or there are too many parts. While
            iterating.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise Invalid("the form has no boundary")
    try:
        events = _Events(boundary, pull)
    except FormParserError as error:
        raise Invalid(f"this is no multipart form: {error}") from None
    count = text = 0
    while (event := events.next()) is not _LAST:
        count += 1
        if count > MOST_PARTS:
            raise ServerRefused(f"the form has more than {MOST_PARTS} parts", status=413)
        file = _File(events)
        part = _part(event, file)
        text += event.size + (len(part.value) if isinstance(part.value, str) else 0)
        if text > MOST_TEXT:
            raise ServerRefused(f"the texts of the form are longer than {MOST_TEXT} bytes", status=413)
        yield part
        file.skip()


def _part(head: _Head, file: _File) -> Part:
    disposition = head.headers.get("content-disposition", "")
    kind, options = parse_options_header(disposition)
    name = options.get(b"name")
    if kind != b"form-data" or name is None:
        raise Invalid("a part of the form has no name")
    field = _text(name)
    if b"filename" in options or "filename*" in disposition.lower():
        # the extended form is not read: no form may hold it (RFC 7578), some clients send it for names beyond ASCII
        filename = _text(options.get(b"filename", name))
        return Part(field, cast(BinaryIO, file), filename, head.headers.get("content-type"))
    value = file.read(LONGEST_TEXT + 1)
    if len(value) > LONGEST_TEXT:
        raise ServerRefused(f"part {field!r} is longer than {LONGEST_TEXT} bytes", status=413)
    try:
        return Part(field, value.decode())
    except UnicodeDecodeError:
        raise Invalid(f"part {field!r} is no text in UTF-8") from None


def _text(name: bytes) -> str:
    """A name from a head, with browsers' codes for what cannot stand in quotes."""
    text = name.decode("utf-8", "replace")
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")

"""Parse multipart forms as a stream: a part is yielded once its headers are read, its bytes are read as they arrive.

So a file of any size goes from the socket to its storage without a copy in between. The bytes of a part that are not
read are skipped when the next part is read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple, cast

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from autoflow.server.errors import Invalid, TooLarge
from autoflow.wire.parts import Part

MAX_FIELD = 64 * 1024  # bytes of a part that is no file
MAX_HEADERS = 16 * 1024  # bytes of a part's headers
MAX_TEXT = 8 * 1024 * 1024  # bytes of all fields and headers of a form: callers may keep them all in memory
MAX_PARTS = 10_000


class _PartHeaders(NamedTuple):
    headers: dict[str, str]
    size: int


_PART_END = object()
_FORM_END = object()


class _Events:
    """The parser's events in order: headers of a part, bytes, end of a part, end of the form."""

    def __init__(self, boundary: bytes, pull: Callable[[], bytes]) -> None:
        self._pull = pull
        self._queue: deque[Any] = deque()
        self._headers: dict[str, str] = {}
        self._name = bytearray()
        self._value = bytearray()
        self.headers_size = 0
        self._parser = MultipartParser(
            boundary,
            {
                "on_header_field": lambda data, start, end: self._extend(self._name, data[start:end]),
                "on_header_value": lambda data, start, end: self._extend(self._value, data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": lambda data, start, end: self._queue.append(data[start:end]),
                "on_part_end": lambda: self._queue.append(_PART_END),
                "on_end": lambda: self._queue.append(_FORM_END),
            },
        )

    def _extend(self, text: bytearray, data: bytes) -> None:
        text.extend(data)
        self.headers_size += len(data)
        if self.headers_size > MAX_HEADERS:
            raise TooLarge(f"the headers of a part are longer than {MAX_HEADERS} bytes")

    def _end_header(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name.clear()
        self._value.clear()

    def _end_headers(self) -> None:
        self._queue.append(_PartHeaders(self._headers, self.headers_size))
        self._headers, self.headers_size = {}, 0

    def next(self) -> Any:
        """Return the next event.

        Raises:
            Invalid: the body is not a form, or it ends before its last boundary.
        """
        while not self._queue:
            data = self._pull()
            if not data:
                raise Invalid("the form ends before its last boundary")
            try:
                self._parser.write(data)
            except FormParserError as error:
                raise Invalid(f"the body is not a multipart form: {error}") from None
        return self._queue.popleft()

    def push_back(self, event: Any) -> None:
        """Return an event to the front of the queue."""
        self._queue.appendleft(event)


class _PartFile:
    """File object over the bytes of a part, read once and forward."""

    def __init__(self, events: _Events) -> None:
        self._events = events
        self._open = True

    def read(self, size: int = -1) -> bytes:
        """Return at least one byte and at most `size`, all if negative; empty at the end."""
        chunks: list[bytes] = []
        length = 0
        while self._open and (size < 0 or length < size):
            event = self._events.next()
            if event is _PART_END:
                self._open = False
                break
            chunks.append(event)
            length += len(event)
        if 0 <= size < length:
            excess = length - size
            self._events.push_back(chunks[-1][-excess:])
            chunks[-1] = chunks[-1][:-excess]
        return b"".join(chunks)

    def skip(self) -> None:
        """Skip the bytes that were not read."""
        while self._open:
            self._open = self._events.next() is not _PART_END


class _BodyFile:
    """File object over a whole body, read once and forward."""

    def __init__(self, pull: Callable[[], bytes]) -> None:
        self._pull = pull
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """Read as `_PartFile` does."""
        chunks = [self._rest]
        length = len(self._rest)
        while (size < 0 or length < size) and (chunk := self._pull()):
            chunks.append(chunk)
            length += len(chunk)
        data = b"".join(chunks)
        self._rest = b"" if size < 0 else data[size:]
        return data if size < 0 else data[:size]


def file_part(pull: Callable[[], bytes]) -> Iterator[Part]:
    """Yield a body that is not a form as a form's only file; `pull` as for `parts`."""
    yield Part("file", cast(BinaryIO, _BodyFile(pull)), "")


def parts(content_type: str, pull: Callable[[], bytes]) -> Iterator[Part]:
    """Yield the parts of a form.

    Args:
        content_type: the request's Content-Type, with the boundary.
        pull: returns the next bytes of the body, empty at its end.

    Raises:
        Invalid: while iterating, the body is not a form.
        TooLarge: while iterating, fields or headers are too long, or there are too many parts.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise Invalid("the form has no boundary")
    try:
        events = _Events(boundary, pull)
    except FormParserError as error:
        raise Invalid(f"the body is not a multipart form: {error}") from None
    count = text = 0
    while (event := events.next()) is not _FORM_END:
        count += 1
        if count > MAX_PARTS:
            raise TooLarge(f"the form has more than {MAX_PARTS} parts")
        file = _PartFile(events)
        part = _part(event, file)
        text += event.size + (len(part.value) if isinstance(part.value, str) else 0)
        if text > MAX_TEXT:
            raise TooLarge(f"the fields of the form are longer than {MAX_TEXT} bytes")
        yield part
        file.skip()


def _part(headers: _PartHeaders, file: _PartFile) -> Part:
    disposition = headers.headers.get("content-disposition", "")
    kind, options = parse_options_header(disposition)
    name = options.get(b"name")
    if kind != b"form-data" or name is None:
        raise Invalid("a part of the form has no name")
    field = _text(name)
    if b"filename" in options or "filename*" in disposition.lower():
        # filename* is not decoded: RFC 7578 forbids it in forms, but some clients send it for names beyond ASCII
        filename = _text(options.get(b"filename", name))
        return Part(field, cast(BinaryIO, file), filename, headers.headers.get("content-type"))
    value = file.read(MAX_FIELD + 1)
    if len(value) > MAX_FIELD:
        raise TooLarge(f"part {field!r} is longer than {MAX_FIELD} bytes")
    try:
        return Part(field, value.decode())
    except UnicodeDecodeError:
        raise Invalid(f"part {field!r} is not UTF-8 text") from None


def _text(name: bytes) -> str:
    """Decode a name of a header, with the escapes that browsers use inside quotes."""
    text = name.decode("utf-8", "replace")
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")

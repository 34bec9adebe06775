"""A multipart form read piece by piece (RFC 7578), so that a file never stands whole in memory or in /tmp."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException


class BrokenForm(HTTPException):
    """The body is no multipart form, or it stops in the middle."""

    def __init__(self, detail: str) -> None:
        super().__init__(400, detail)


@dataclass(frozen=True, slots=True)
class Part:
    """The head of one part; `filename` is None for a plain field."""

    name: str
    filename: str | None
    declared_type: str


class Parts:
    """Parts in order: `next_part()`, then `data()` for its bytes; what is not read is skipped."""

    def __init__(self, content_type: str, chunks: AsyncIterator[bytes]) -> None:
        _, options = parse_options_header(content_type)
        self._chunks = chunks
        self._events: deque[Part | bytes | None] = deque()
        self._headers: dict[bytes, bytes] = {}
        self._header_name = b""
        self._header_value = b""
        self._is_complete = False
        try:
            self._parser = MultipartParser(
                options.get(b"boundary", b""),
                {
                    "on_part_begin": self._headers.clear,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": lambda data, start, end: self._events.append(data[start:end]),
                    "on_part_end": lambda: self._events.append(None),
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise BrokenForm("The form's boundary is not usable.") from error

    async def next_part(self) -> Part | None:
        """The next part, or None after the last. Raises `BrokenForm` for a body that is none or is cut short."""
        while await self._fill():
            event = self._events.popleft()
            if isinstance(event, Part):
                return event
        return None

    async def data(self) -> AsyncIterator[bytes]:
        """The bytes of the part that `next_part` returned last."""
        while await self._fill():
            event = self._events.popleft()
            if not isinstance(event, bytes):
                return
            yield event

    async def _fill(self) -> bool:
        while not self._events:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                if not self._is_complete:
                    raise BrokenForm("The form ends in the middle.")
                return False
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise BrokenForm("The form cannot be read.") from error
        return True

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        filename = options.get(b"filename")
        self._events.append(
            Part(
                name=options.get(b"name", b"").decode("utf-8", "replace"),
                filename=None if filename is None else filename.decode("utf-8", "replace"),
                declared_type=self._headers.get(b"content-type", b"").decode("latin-1")[:100],
            )
        )

    def _on_end(self) -> None:
        self._is_complete = True

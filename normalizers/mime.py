"""The parts of a mail: a tree of byte ranges, cut at the boundaries its headers (or its lines) name.

Structure is read here rather than by a library because a library hands out headers already decoded, in which
a letter cut in two by an encoded word, a raw windows-1254 byte or an injected line end can no longer be told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import re2

from normalizers import charsets, headers, transfer
from normalizers.headers import Head

MOST_PARTS = 200
DEEPEST = 50

_KIND = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}")
_ODD_KINDS = {
    "text": "text/plain",
    "plain": "text/plain",
    "html": "text/html",
    "multipart": "multipart/mixed",
}
_SNIFFED_BOUNDARY = re.compile(
    rb"^--([^\r\n]{1,200}?)[ \t]*\r?\n(?:[ \t]*\r?\n)?content-[a-z-]+[ \t]*:", re.M | re.I
)
_MIME_FIELD = re.compile(rb"(?:\s*\n)?(?:mime-version|content-type|content-transfer-encoding)[ \t]*:", re.I)
_ANY_BYTES = re2.Options()
_ANY_BYTES.encoding = re2.Options.Encoding.LATIN1
_LONE_CR = re2.compile(rb"\r(?:[^\n]|\z)", _ANY_BYTES)
_MBOX_LINE = re.compile(rb">?From [^\n]*\n")


@dataclass(slots=True)
class Part:
    """One node. `start` and `end` delimit its encoded body in `raw`; `children` are empty for a leaf."""

    raw: bytes
    head: Head
    start: int
    end: int
    kind: str = "text/plain"
    params: dict[str, str] = field(default_factory=dict)
    disposition: str = ""
    filename: str = ""
    children: list[Part] = field(default_factory=list)
    typed: bool = True

    def content(self, warnings: list[str]) -> bytes:
        """The body with its transfer encoding undone; repairs are added to `warnings`."""
        declared = self.head.get("content-transfer-encoding")
        if not declared:
            return self.raw[self.start : self.end]
        # a view, since a copy of a large file costs as much as decoding it
        data, warning = transfer.decode(memoryview(self.raw)[self.start : self.end], transfer.name(declared))
        if warning:
            warnings.append(warning)
        return data

    @property
    def content_id(self) -> str | None:
        """The Content-ID without its angle brackets."""
        return self.head.get("content-id").strip("<> \t") or None


@dataclass(slots=True)
class _Budget:
    """What may still be read of one mail, and what was left out."""

    warnings: list[str]
    parts: int = MOST_PARTS
    left_out: int = 0


def parse(raw: bytes) -> tuple[Part, list[str]]:
    """The tree of one mail and what had to be repaired. Any bytes give a tree; nothing is raised."""
    warnings: list[str] = []
    raw = _straighten(raw, warnings)
    budget = _Budget(warnings)
    start = 0
    while match := _MBOX_LINE.match(raw, start):
        start = match.end()
    head, body = headers.split(raw, start, len(raw))
    if "content-type" not in head.fields and _MIME_FIELD.match(raw, body):
        body = _rejoin(raw, head, body, warnings)
    root = _part(raw, head, body, len(raw), "text/plain", budget, 0)
    if budget.left_out:
        warnings.append(f"parts: more than {MOST_PARTS}, {budget.left_out} were left out")
    return root, warnings


def _straighten(raw: bytes, warnings: list[str]) -> bytes:
    """Bytes whose lines end in LF and whose headers start at once."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        warnings.append("bytes: the mail is in UTF-16")
        raw = raw.decode("utf-16", "replace").encode()
    if raw.startswith(b"\xef\xbb\xbf"):
        raw = raw[3:]
    if b"\n" not in raw and b"\r" in raw:
        warnings.append("bytes: lines end in CR")
        raw = raw.replace(b"\r", b"\n")
    if raw.find(b"\0", 0, headers.BLOCK_BYTES) >= 0:
        warnings.append("bytes: there are NUL bytes")
    return raw.lstrip(b"\r\n") if raw[:1] in (b"\r", b"\n") else raw


def _rejoin(raw: bytes, head: Head, body: int, warnings: list[str]) -> int:
    """Headers that a broken gateway cut in two by a blank line."""
    while raw[body : body + 1] in (b"\r", b"\n"):
        body += 1
    second, after = headers.split(raw, body, len(raw))
    for name, values in second.fields.items():
        head.fields.setdefault(name, values)
    warnings.append("headers: a blank line stood among them")
    return after


def _part(raw: bytes, head: Head, start: int, end: int, default: str, budget: _Budget, depth: int) -> Part:
    part = Part(raw, head, start, end)
    _describe(part, default)
    if head.warnings:
        budget.warnings += head.warnings
    if part.kind.startswith("multipart/"):
        _split(part, budget, depth)
    return part


def _describe(part: Part, default: str) -> None:
    fields = part.head.fields
    part.kind, part.typed = default, False
    if "content-type" in fields:
        kind, part.params = headers.parameters(part.head.get("content-type"))
        kind = _ODD_KINDS.get(kind, kind)
        part.typed = _KIND.fullmatch(kind) is not None
        part.kind = kind if part.typed else default
    if "content-disposition" in fields:
        part.disposition, params = headers.parameters(part.head.get("content-disposition"))
        part.filename = params.get("filename") or params.get("name", "")
    if not part.filename and "name" in part.params:
        part.filename = part.params["name"]
    if not part.typed and default == "text/plain" and (part.filename or part.disposition == "attachment"):
        part.kind = "application/octet-stream"


def _split(part: Part, budget: _Budget, depth: int) -> None:
    if depth >= DEEPEST:
        budget.warnings.append(f"parts: nested deeper than {DEEPEST}, the rest is one file")
        part.kind = "application/octet-stream"
        return
    encoding = part.head.get("content-transfer-encoding")
    ranges = _ranges(part, budget)
    if not ranges and encoding and transfer.name(encoding) in {"base64", "quoted-printable"}:
        part.raw = part.content(budget.warnings)
        part.start, part.end = 0, len(part.raw)
        ranges = _ranges(part, budget)
    if not ranges:
        budget.warnings.append("parts: no boundary found, read as text")
        part.kind = "text/plain"
        return
    default = "message/rfc822" if part.kind == "multipart/digest" else "text/plain"
    for start, end in ranges:
        if budget.parts <= 0:
            budget.left_out += 1
            continue
        budget.parts -= 1
        head, body = headers.split(part.raw, start, end)
        part.children.append(_part(part.raw, head, min(body, end), end, default, budget, depth + 1))


def _ranges(part: Part, budget: _Budget) -> list[tuple[int, int]]:
    boundary = _as_bytes(part.params.get("boundary", ""))
    found = list(_between(part, boundary)) if boundary.strip() else []
    if not found and (guess := _SNIFFED_BOUNDARY.search(part.raw, part.start, part.end)):
        budget.warnings.append("parts: the declared boundary is missing or wrong")
        found = list(_between(part, guess[1]))
    return found


def _as_bytes(boundary: str) -> bytes:
    try:
        return boundary.encode("latin-1")
    except UnicodeEncodeError:
        return boundary.encode("utf-8", "surrogateescape")


def _between(part: Part, boundary: bytes) -> Iterator[tuple[int, int]]:
    """The ranges between delimiter lines; an end delimiter closes one without opening the next."""
    opened = -1
    for line_start, line_end, is_last in _delimiters(part, b"--" + boundary.rstrip()):
        if opened >= 0:
            yield opened, _without_line_end(part.raw, opened, line_start)
        opened = -1 if is_last else line_end
    if 0 <= opened < part.end:
        yield opened, part.end


def _delimiters(part: Part, delimiter: bytes) -> Iterator[tuple[int, int, bool]]:
    raw, end = part.raw, part.end
    position = part.start
    while (found := raw.find(delimiter, position, end)) >= 0:
        after = found + len(delimiter)
        newline = raw.find(b"\n", after, end)
        stop = end if newline < 0 else newline + 1
        position = after
        if found > part.start and raw[found - 1] not in b"\r\n":
            continue
        rest = raw[after : min(stop, after + 80)]
        is_last = rest.startswith(b"--")
        if rest.strip(b" \t\r\n-" if is_last else b" \t\r\n"):
            continue
        position = stop
        yield found, stop, is_last


def _without_line_end(raw: bytes, start: int, end: int) -> int:
    """The line end before a delimiter belongs to the delimiter."""
    if end > start and raw[end - 1] == 0x0A:
        end -= 1
        if end > start and raw[end - 1] == 0x0D:
            end -= 1
    return end


def text_of(part: Part, warnings: list[str]) -> str:
    """A text part, decoded by the ladder of charsets."""
    data = _with_newlines(part.content(warnings))
    label = part.params.get("charset", "")
    if not label and part.kind == "text/html":
        label = meta_charset(data)
    text, was_right = charsets.decode(data, label)
    if not was_right:
        warnings.append("charset: the text is not in the charset it declares")
    return text


def _with_newlines(data: bytes) -> bytes:
    """Text with LF line ends, where all were CRLF; as it is where a CR stands alone or letters have two bytes."""
    if b"\r" not in data or b"\0" in data or _LONE_CR.search(data):
        return data
    return data.replace(b"\r", b"")  # with the look before it half as dear as replacing the pairs


_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.I)


def meta_charset(data: bytes) -> str:
    """The charset an HTML document names itself; "" where it names none."""
    match = _META.search(data, 0, 4096)
    return match[1].decode("ascii") if match else ""

"""Header blocks as they come off the wire: split, unfolded, and their encoded words and parameters decoded."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import unquote_to_bytes

from normalizers import charsets

BLOCK_BYTES = 262_144
"""Header block read in full; of a longer one only the fields that matter are looked for."""
LONGEST_BLOCK = 16 * 1024 * 1024
VALUE_CHARACTERS = 65_536
MOST_OF_ONE = 200
MOST_PARAMETERS = 64

_BLANK_LINE = re.compile(rb"\n[ \t]*\r*\n")
_FIELD = re.compile(r"([!-9;-~]{1,998})[ \t]*+:(.*(?:\n[ \t].*)*+)\n?|(.+)\n?|\n")
_IMPORTANT = (
    "from|to|cc|reply-to|sender|subject|date|message-id|in-reply-to|references|return-path|content-type"
    "|content-transfer-encoding|content-disposition|content-id|mime-version|auto-submitted|precedence"
    "|authentication-results|list-id|list-post|x-spam-flag|x-spam-status|x-intake-case|x-loop|received"
)
_KNOWN_NAME = re.compile(rf"(?im)^(?:{_IMPORTANT}|dkim-signature|arc-[a-z-]+|x-[a-z0-9-]+)[ \t]*:")
_IMPORTANT_FIELD = re.compile(rf"(?im)^({_IMPORTANT})[ \t]*+:(.*(?:\n[ \t].*)*+)")
_PARAMETER = re.compile(r"""[;\s]\s*+([\w!#$&+^`{}~.%*'-]{1,200})\s*=\s*("(?:[^"\\]|\\.)*+"?|[^;]*)""")
_SECTION = re.compile(r"^(.+?)\*(\d{1,4})?(\*)?$")
_WORD = re.compile(r"=\?([^?\s=]{1,80})\?([BbQq])\?")
_ONE_WORD = re.compile(r"=\?([^?\s=]{1,80})\?([BbQq])\?([^?]*+)\?=")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_BLANKS = " \t\r\n"


@dataclass(slots=True)
class Head:
    """A header block: values per lower-case name in their order, unfolded but not decoded."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def get(self, name: str) -> str:
        """The first value, as text; "" where there is none."""
        values = self.fields.get(name)
        return _as_text(values[0]) if values else ""

    def all(self, name: str) -> list[str]:
        """Every value, as text, topmost first."""
        return [_as_text(value) for value in self.fields.get(name, ())]

    def decoded(self, name: str) -> str:
        """The first value with its encoded words decoded; may hold control characters."""
        return decode_words(self.get(name))


def _as_text(value: str) -> str:
    if not value.isascii():
        value = charsets.decode(value.encode("latin-1"))[0]
    return value.strip(_BLANKS)


def split(raw: bytes, start: int, end: int) -> tuple[Head, int]:
    """The header block at `start` and where its body begins. Lines may end in LF or CRLF."""
    first_end = raw.find(b"\n", start, end)
    if first_end >= 0 and not raw[start:first_end].strip():
        return Head(), first_end + 1
    blank = _BLANK_LINE.search(raw, start, min(end, start + LONGEST_BLOCK))
    stop, body = (blank.start() + 1, blank.end()) if blank else (min(end, start + LONGEST_BLOCK), end)
    block = raw[start:stop].decode("latin-1").replace("\r", "")
    if len(block) > BLOCK_BYTES:
        return _read_important(block), body
    head, used = _read(block)
    if used >= 0:  # the body begins without a blank line before it
        body = start + _offset(raw, start, used)
        head.warnings.append("headers: no blank line before the body")
    return head, body


def _read(block: str) -> tuple[Head, int]:
    """Fields of a block, and the number of the line where it stops being one (-1: it never does)."""
    head = Head()
    fields, previous = head.fields, ""
    seen = 0
    last_known: int | None = None
    for name, value, stray in _FIELD.findall(block):
        if name:
            previous = name.lower()
            if previous in fields:
                fields[previous].append(_unfold(value))
            else:
                fields[previous] = [_unfold(value)]
            head.order.append(previous)
            seen += 1 + value.count("\n")
            continue
        if stray and not (seen == 0 and stray.startswith(("From ", ">From "))):
            if last_known is None:
                last_known = _last_known_field(block)
            if seen > last_known:
                return head, seen
            if seen < MOST_OF_ONE:
                head.warnings.append("headers: a line that is no header")
            if previous and len(fields[previous][-1]) < VALUE_CHARACTERS:
                fields[previous][-1] += " " + stray
        seen += 1
    return _limited(head), -1


def _last_known_field(block: str) -> int:
    """The number of the last line with a known header name, -1 without one.

    A line above it that is no header only lost its indentation.
    """
    last = -1
    for match in _KNOWN_NAME.finditer(block):
        last = match.start()
    return block.count("\n", 0, last) if last >= 0 else -1


def _offset(raw: bytes, start: int, lines: int) -> int:
    position = start
    for _ in range(lines):
        position = raw.find(b"\n", position) + 1
    return position - start


def _unfold(value: str) -> str:
    if "\n" in value:
        value = value.replace("\n", "")
    return value if len(value) <= VALUE_CHARACTERS else value[:VALUE_CHARACTERS]


def _limited(head: Head) -> Head:
    for name, values in head.fields.items():
        if len(values) > MOST_OF_ONE:
            del values[MOST_OF_ONE:]
            head.warnings.append(f"headers: more than {MOST_OF_ONE} of one name")
        elif len(values[0]) == VALUE_CHARACTERS:
            head.warnings.append(f"headers: {name[:60]} was too long and is cut")
    return head


def _read_important(block: str) -> Head:
    head = Head(warnings=["headers: block too large, only the important ones were read"])
    for match in islice(_IMPORTANT_FIELD.finditer(block), 2_000):
        name = match[1].lower()
        head.fields.setdefault(name, []).append(_unfold(match[2]))
        head.order.append(name)
    return _limited(head)


def decode_words(value: str) -> str:
    """RFC 2047 as found in the wild: glued words, blanks inside, letters cut in two, no padding.

    Neighbouring words of one charset are joined as bytes before they are decoded.
    """
    if "=?" not in value:
        return value
    if whole := _ONE_WORD.fullmatch(value):  # most names and subjects are one word
        return _decode_run([(whole[2].upper(), whole[3])], _charset(whole[1]))
    pieces: list[str] = []
    run: list[tuple[str, str]] = []  # (encoding letter, text) of neighbours in one charset
    charset, position = "", 0
    for start, stop, label, letter, text in _words(value):
        between = value[position:start]
        if run and (label != charset or between.strip(_BLANKS)):
            pieces.append(_decode_run(run, charset))
            run = []
        if between.strip(_BLANKS) or (between and not run and not pieces):
            pieces.append(between)
        run.append((letter, text))
        charset, position = label, stop
    if run:
        pieces.append(_decode_run(run, charset))
    return "".join([*pieces, value[position:]])


def _words(value: str) -> list[tuple[int, int, str, str, str]]:
    """(start, end, charset, letter, text) of each encoded word; one look ahead per word keeps it linear."""
    found = []
    position = 0
    while match := _WORD.search(value, position):
        stop = value.find("?=", match.end())
        if stop < 0:
            break
        if value.startswith("?=", stop + 1):  # the text itself ends in a question mark
            stop += 1
        following = _WORD.search(value, match.end(), stop)
        if following:
            position = following.start()
            continue
        text = value[match.end() : stop]
        found.append((match.start(), stop + 2, _charset(match[1]), match[2].upper(), text))
        position = stop + 2
    return found


def _charset(label: str) -> str:
    """Without the language that RFC 2231 lets follow it."""
    return label.partition("*")[0].lower()


def _decode_run(run: list[tuple[str, str]], charset: str) -> str:
    data = b"".join(_word_bytes(letter, text) for letter, text in run)
    text, trusted = charsets.decode(data, charset)
    if not trusted and len(run) > 1 and all(letter == "B" for letter, _ in run):
        # some clients cut the base64 itself, not the text, into words
        joined = _word_bytes("B", "".join(part.rstrip("=") for _, part in run))
        again, trusted = charsets.decode(joined, charset)
        return again if trusted else text
    return text


def _word_bytes(letter: str, text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    if letter == "Q":
        return binascii.a2b_qp(data.replace(b"\n", b"").replace(b"\r", b""), header=True)
    kept = _NOT_BASE64.sub(b"", data.replace(b"-", b"+") if b"-" in data else data)
    if len(kept) % 4 == 1:
        kept = kept[:-1]
    return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4))


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """A structured value such as Content-Type: its main word, lower-case, and its parameters, decoded.

    RFC 2231 continuations and charsets are put together; `name*` wins over a plain `name` beside it.
    """
    if ";" not in value and "=" not in value:
        return value.strip(_BLANKS).lower(), {}
    value = " ".join(value.split())
    main = re.split(r"[;\s]", value, maxsplit=1)[0].lower()
    if "=" in main:
        main, value = "", f";{value}"
    plain: dict[str, str] = {}
    extended: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in islice(_PARAMETER.finditer(value, len(main)), MOST_PARAMETERS):
        name, text = match[1].lower(), _unquote(match[2])
        section = _SECTION.match(name)
        if section is None:
            plain.setdefault(name, decode_words(text))
        else:
            sections = extended.setdefault(section[1], {})
            sections.setdefault(int(section[2] or 0), (text, section[3] is not None or section[2] is None))
    for name, sections in extended.items():
        if joined := _join_sections(sections):
            plain[name] = joined
    return main, plain


def _unquote(text: str) -> str:
    text = text.strip(_BLANKS)
    if not text.startswith('"'):
        return text
    text = text[1:-1] if len(text) > 1 and text.endswith('"') else text[1:]
    return text.replace('\\"', '"').replace("\\\\", "\\") if "\\" in text else text


def _join_sections(sections: dict[int, tuple[str, bool]]) -> str:
    charset, data = "", b""
    for number in sorted(sections):
        text, is_encoded = sections[number]
        if is_encoded and number == min(sections) and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        data += unquote_to_bytes(text) if is_encoded else text.encode("utf-8", "surrogateescape")
    return decode_words(charsets.decode(data, charset)[0])

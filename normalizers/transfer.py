"""Undoes transfer encodings: base64, quoted-printable and uuencode, also where they are broken."""

from __future__ import annotations

import binascii
import re

import re2
from fast_mail_parser import ParseError, parse_email_tree

_PREFIX = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
_NAMES = {
    "": "identity",
    "7bit": "identity",
    "8bit": "identity",
    "binary": "identity",
    "7-bit": "identity",
    "8-bit": "identity",
    "base64": "base64",
    "base-64": "base64",
    "base_64": "base64",
    "b64": "base64",
    "b": "base64",
    "quoted-printable": "quoted-printable",
    "quotedprintable": "quoted-printable",
    "quoted_printable": "quoted-printable",
    "quoted-printible": "quoted-printable",
    "qp": "quoted-printable",
    "q": "quoted-printable",
    "x-uuencode": "uuencode",
    "x-uue": "uuencode",
    "x-uu": "uuencode",
    "uuencode": "uuencode",
    "uue": "uuencode",
}
_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/]+={0,3}")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_LOOSE_SOFT_BREAK = re.compile(rb"=[ \t]+(?=\r?\n)")
# four times as fast as looking for "= " where every line has a "="
_MAYBE_LOOSE = re2.compile(r"=[ \t]+\r?\n")
_UU_BLOCK = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,255})\r?\n", re.MULTILINE)
_UU_END = re.compile(rb"^(?:`|[ ]|)\r?\n?end[ \t]*\r?$|^====[ \t]*\r?$", re.MULTILINE)


def name(declared: str) -> str:
    """One of identity, base64, quoted-printable, uuencode; "" for an encoding nobody knows."""
    word = declared.strip(" \t\r\n\"';.").lower()
    if word in _NAMES:
        return _NAMES[word]
    word = re.sub(r"[\s\"';()].*$", "", "-".join(word.split(None, 1)) if word.startswith("quoted ") else word)
    return _NAMES.get(word, "")


def decode(data: bytes | memoryview, encoding: str) -> tuple[bytes, str]:
    """The decoded bytes and a warning, "" where nothing had to be repaired. Never raises.

    `encoding` is what `name` returned.
    """
    if encoding == "base64":
        return _decode_base64(data)
    data = bytes(data)
    if encoding == "quoted-printable":
        if _MAYBE_LOOSE.search(data):
            data = _LOOSE_SOFT_BREAK.sub(b"=", data)
        return binascii.a2b_qp(data), ""
    if encoding == "uuencode":
        blocks, _ = uu_blocks(data)
        return (blocks[0][1], "") if blocks else (data, "encoding: no uuencoded block found")
    return data, "" if encoding == "identity" else "encoding: unknown transfer encoding, read as it is"


def _decode_base64(data: bytes | memoryview) -> tuple[bytes, str]:
    try:
        # the library checks every symbol and is seven times as fast as binascii
        return parse_email_tree(b"".join((_PREFIX, data))).content or b"", ""
    except ParseError:
        return _repair_base64(bytes(data))


def _repair_base64(data: bytes) -> tuple[bytes, str]:
    lines = [line.strip() for line in data.split(b"\n")]
    lines = [line for line in lines if line]
    spaced = sum(1 for line in lines if b" " in line)
    if spaced * 2 > len(lines):
        return data, "encoding: declared as base64 but is not"
    kept: list[bytes] = []
    ended = False
    for line in lines:
        if ended and not _BASE64_LINE.fullmatch(line):
            break  # what a mailing list or a scanner appended after the end
        kept.append(line)
        ended = len(line) < len(lines[0]) or line.endswith(b"=")
    joined = b"".join(kept)
    if b"+" not in joined and b"/" not in joined:
        joined = joined.replace(b"-", b"+").replace(b"_", b"/")
    return b"".join(map(_decode_run, joined.split(b"="))), "encoding: broken base64 was repaired"


def _decode_run(run: bytes) -> bytes:
    kept = _NOT_BASE64.sub(b"", run)
    if len(kept) % 4 == 1:
        kept = kept[:-1]
    return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4))


def uu_blocks(data: bytes, limit: int = 50) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The (file name, content) of each uuencoded block in a text, and the text without them."""
    blocks: list[tuple[bytes, bytes]] = []
    rest: list[bytes] = []
    position = 0
    while len(blocks) < limit and (start := _UU_BLOCK.search(data, position)):
        end = _UU_END.search(data, start.end())
        if not end:
            break
        content = _decode_uu(data[start.end() : end.start()])
        if content is None:
            rest.append(data[position : start.end()])
        else:
            rest.append(data[position : start.start()])
            blocks.append((start[1], content))
        position = end.end() if content is not None else start.end()
    return blocks, b"".join([*rest, data[position:]])


def _decode_uu(body: bytes) -> bytes | None:
    decoded = []
    for line in body.split(b"\n"):
        line = line.rstrip(b"\r")  # noqa: PLW2901
        if not line or line[:1] in (b"`", b" "):
            continue
        try:
            decoded.append(binascii.a2b_uu(line))
        except binascii.Error:
            wanted = ((line[0] - 32) & 63) * 4 + 5
            try:
                decoded.append(binascii.a2b_uu(line[: wanted // 3]))
            except binascii.Error:
                return None
    return b"".join(decoded)

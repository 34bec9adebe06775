"""The ladder of charsets and of transfer encodings."""

from __future__ import annotations

import base64
import binascii

import pytest

from intake.text import bound_marks
from normalizers import charsets, mime, transfer

TEXT = "Şikâyetçiyim, ığdır"

LABELS = {
    "UTF8": "utf-8", "utf-8mb4": "utf-8", '"utf-8";': "utf-8", "unicode-1-1-utf-8": "utf-8", "iso8859_9": "cp1254",
    "ISO-8859-9": "cp1254", "latin5": "cp1254", "turkish": "cp1254", "windows-1254;": "cp1254", "win1254": "cp1254",
    "CP-1254": "cp1254", "x-cp1254": "cp1254", "iso-8859-1": "cp1252", "gb2312": "gb18030", "ks_c_5601-1987": "cp949",
    "Shift_JIS": "cp932", "big5": "big5hkscs", "x-unknown": "", "unicode_escape": "", "idna": "", "hex": "", "": "",
    "us-ascii": "", "../../etc": "", "charset=utf-8": "utf-8", "undefined": "", "rot13": "",
}  # fmt: skip


@pytest.mark.parametrize("label", LABELS)
def test_labels_are_understood_or_nothing(label: str) -> None:
    """A charset is known by all its misspellings; a codec that is none is not used."""
    assert charsets.codec(label) == LABELS[label]


@pytest.mark.parametrize(
    "label", ["", "us-ascii", "x-unknown", "windows-1254", "iso-8859-9", "iso-8859-1", "utf-8"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1254"])
def test_turkish_text_is_read_whatever_its_label(label: str, encoding: str) -> None:
    """utf-8 and windows-1254 bytes come out right under every label Turkish clients put on them."""
    text = TEXT.replace("â", "a")
    assert charsets.decode(text.encode(encoding), label)[0] == text


def test_one_broken_byte_does_not_spoil_the_rest() -> None:
    """utf-8 with a single damaged letter stays utf-8; only that letter is replaced."""
    assert charsets.decode(TEXT.encode() + b"\xc5", "utf-8") == (TEXT + "\ufffd", False)


def test_icelandic_is_not_turkish() -> None:
    """Western text that has the letters of Icelandic keeps its þ and ð."""
    text = "Það er ekki rétt, peningarnir mínir"
    assert charsets.decode(text.encode("cp1252"), "iso-8859-1") == (text, True)


def test_marks_are_bounded() -> None:
    """More combining marks on one letter than any script has are dropped; emoji are not."""
    assert bound_marks("a" + "\u0301" * 500 + "b") == "a" + "\u0301" * 30 + "b"
    assert bound_marks("😀" * 100) == "😀" * 100


ENCODINGS = {
    "BASE64 ": "base64", " base64;": "base64", "quoted printable": "quoted-printable",
    "x-uuencode": "uuencode", "8bit": "identity", "": "identity", "7bit (default)": "identity", "what": "",
}  # fmt: skip


@pytest.mark.parametrize("declared", ENCODINGS)
def test_transfer_encodings_are_known_by_their_misspellings(declared: str) -> None:
    """Blanks, case, quotes and comments around the name do not matter."""
    assert transfer.name(declared) == ENCODINGS[declared]


BASE64 = base64.b64encode(TEXT.encode())
BROKEN = {
    "whole": (BASE64, ""),
    "in lines": (BASE64[:8] + b"\r\n" + BASE64[8:] + b"\r\n\r\n", ""),
    "without padding": (BASE64.rstrip(b"="), "repaired"),
    "with stray signs": (b"!" + BASE64[:4] + b"*\n" + BASE64[4:], "repaired"),
    "with a footer": (BASE64 + b"\n____\nliste alt bilgisi", "repaired"),
    "not base64 at all": (TEXT.encode(), "is not"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_base64_gives_what_it_held(name: str) -> None:
    """Repaired bytes are the original ones, and a repair is named."""
    data, warning = BROKEN[name]
    decoded, said = transfer.decode(data, "base64")
    assert decoded == TEXT.encode()
    assert warning in said
    assert bool(warning) == bool(said)


def test_uuencoded_files_leave_the_text() -> None:
    """A block in a text becomes a file; a text that only speaks of one stays."""
    block = b"begin 644 a.txt\n" + binascii.b2a_uu(b"merhaba") + b"`\nend\n"
    assert transfer.uu_blocks(b"x\n" + block + b"y\n") == ([(b"a.txt", b"merhaba")], b"x\n\ny\n")
    assert transfer.uu_blocks(b"begin 644 a.txt\nno end")[0] == []


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"a\r\nb\r\n", "a\nb\n"),
        (b"a\r\n\xff\rb\r\n", "a\r\n\xff\rb\r\n"),
        (b"a\r\nb\r", "a\r\nb\r"),
        (b"a\r\xffb\r\n", "a\r\xffb\r\n"),
    ],
)
def test_a_carriage_return_is_dropped_only_before_newlines(body: bytes, text: str) -> None:
    """Line ends become LF; where a CR stands alone, cleaning makes a line end of it later."""
    root, _ = mime.parse(b"Content-Type: text/plain; charset=iso-8859-15\r\n\r\n" + body)
    assert mime.text_of(root, []) == text

"""Which letters some bytes stand for, when the label on them is missing, misspelt or a lie."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

from intake.text import bound_marks

_SUPERSETS = {
    "ascii": "",
    "us-ascii": "",
    "ansi_x3.4-1968": "",
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "l1": "cp1252",
    "iso-8859-9": "cp1254",
    "latin-5": "cp1254",
    "latin5": "cp1254",
    "l5": "cp1254",
    "turkish": "cp1254",
    "iso-ir-148": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "euc-cn": "gb18030",
    "cp936": "gb18030",
    "ks_c_5601": "cp949",
    "ks_c_5601-1987": "cp949",
    "ksc5601": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "sjis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "big5": "big5hkscs",
    "big-5": "big5hkscs",
    "cp950": "big5hkscs",
    "x-mac-turkish": "mac_turkish",
    "macturkish": "mac_turkish",
    "macintosh": "mac_roman",
    "x-mac-roman": "mac_roman",
    "unicode-1-1-utf-7": "utf-7",
    "unicode": "utf-16",
    "iso-8859-8-i": "iso8859-8",
}
# codecs that decode programs, names or nothing at all, not letters
_NOT_CHARSETS = frozenset(
    {
        "idna",
        "punycode",
        "unicode_escape",
        "raw_unicode_escape",
        "undefined",
        "mbcs",
        "oem",
        "rot_13",
        "charmap",
    }
)
_MICROSOFT = re.compile(r"(?:x-)?(?:windows|win|cp|ibm|ms|dos)[-_ ]*(\d{3,5})")
_ISO = re.compile(r"(?:x-)?iso[-_ ]*8859[-_ ]*(\d{1,2})(?!\d)")
_LABEL = re.compile(r"[a-z0-9][a-z0-9_.:+-]{0,60}")
_STATEFUL = ("iso2022", "hz", "utf-7", "utf_7", "utf-16", "utf_16", "utf-32", "utf_32")
_ICELANDIC_LOOK = re.compile("[ýþðÝÞÐ]")
_ICELANDIC_PROOF = re.compile("[áéíóúæÁÉÍÓÚÆ]")
_WORTH_KEEPING = 0.2  # share of broken sequences up to which a multi-byte label is believed


_BELOW_MARKS = bytes(range(0xCC))  # no combining mark in utf-8 begins with one of these bytes
_MOST_MARKS = 30  # on one letter: the Stream-Safe Text Format of UAX #15


@lru_cache(maxsize=512)
def codec(label: str) -> str:
    """The Python codec for a charset label as found in mail; "" for ASCII, unknown and absurd ones."""
    name = label.strip("\"' \t;,<>").lower().removeprefix("charset=").strip("\"' ")
    found = _LABEL.match(name)
    if not found:
        return ""
    name = found[0]
    if name.startswith(("utf8", "utf-8", "utf_8", "unicode-1-1-utf-8", "x-utf-8", "x-utf8")):
        return "utf-8"
    if match := _MICROSOFT.match(name):
        name = f"cp{match[1]}"
    elif match := _ISO.match(name):
        name = f"iso-8859-{match[1]}"
    elif name.isdigit():
        name = f"cp{name}"
    name = _SUPERSETS.get(name, name)
    return name if name and _is_charset(name) else ""


def _is_charset(name: str) -> bool:
    try:
        known = codecs.lookup(name)
    except (LookupError, ValueError, UnicodeError):
        return False
    return known.name.replace("-", "_") not in _NOT_CHARSETS and getattr(known, "_is_text_encoding", True)


def decode(data: bytes, label: str = "") -> tuple[str, bool]:
    """Text of `data`, and whether its label was right. Never raises.

    The ladder: the declared charset or its common superset, utf-8, windows-1254, replacement. Bytes that are
    valid utf-8 beyond ASCII are utf-8 whatever single-byte charset they claim.
    """
    name = codec(label) if label else ""
    if data.isascii() and not name.startswith(_STATEFUL):
        return data.decode("ascii"), True
    text, was_right = _decode(data, name)
    if was_right and name == "utf-8" and len(data.translate(None, _BELOW_MARKS)) <= _MOST_MARKS:
        return text, True
    return bound_marks(text), was_right


def _decode(data: bytes, name: str) -> tuple[str, bool]:
    stateful = name.startswith(_STATEFUL)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") and len(data) > 2 and not stateful:
        return data.decode("utf-16", "replace"), False
    if stateful:
        return _decode_stateful(data, name)
    text = _strict(data, "utf-8")
    if text is not None and not _is_multibyte(name):
        return text, name == "utf-8"
    return _decode_labelled(data, name, text)


def _decode_labelled(data: bytes, name: str, as_utf8: str | None) -> tuple[str, bool]:
    if name and name != "utf-8":
        text = _strict(data, name)
        if text is not None and (as_utf8 is None or not _is_multibyte(name)):
            return _as_turkish(data, text, name)
        if as_utf8 is not None:
            return as_utf8, False
    multibyte = name if _is_multibyte(name) else "utf-8"
    repaired = data.decode(multibyte, "replace")
    broken = repaired.count("\ufffd")
    letters = sum(1 for c in repaired if c > "\x7f") - broken
    if letters and broken <= max(1, letters * _WORTH_KEEPING):
        return repaired, False
    if name.startswith("cp") and not _is_multibyte(name):
        return data.decode(name, "replace"), False
    return data.decode("cp1254", "replace"), False


def _decode_stateful(data: bytes, name: str) -> tuple[str, bool]:
    wide = name.startswith(("utf-16", "utf_16", "utf-32", "utf_32"))
    if wide and b"\0" not in data:
        return decode(data)[0], False
    if not wide and not data.isascii():
        return decode(data)[0], False
    text = _strict(data, name)
    return (text, True) if text is not None else (data.decode(name, "replace"), False)


def _as_turkish(data: bytes, text: str, name: str) -> tuple[str, bool]:
    # ı, ş and ğ of windows-1254 show as ý, þ and ð under a western label
    if name == "cp1252" and _ICELANDIC_LOOK.search(text) and not _ICELANDIC_PROOF.search(text):
        return data.decode("cp1254", "replace"), False
    return text, True


def _strict(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except (UnicodeError, LookupError, ValueError):
        return None


def _is_multibyte(name: str) -> bool:
    return name in {"gb18030", "cp949", "cp932", "big5hkscs", "euc_jp", "euc-jp", "johab", "hz"}

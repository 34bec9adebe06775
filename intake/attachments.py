"""What a file is called and what it is, decided from its bytes; the sender's word counts only as caution."""

from __future__ import annotations

import codecs
import re
import unicodedata

import filetype

from intake.schema import Attachment

HEAD_BYTES = 8192
UNKNOWN = "application/octet-stream"
_NAME_BYTES = 200
_EXTENSION_BYTES = 20
_NAMELESS = "ek"  # Turkish for "attachment"

# control, format (bidi, zero-width, tags), surrogate, private, unassigned, line and paragraph separator
_INVISIBLE_KINDS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# letters and marks that show nothing: joiners, Hangul and Khmer fillers, variation selectors, Braille blank
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_SEPARATORS = re.compile(r"[/\\]")
# what Windows forbids, and the look-alikes of slashes it turns into slashes
_FORBIDDEN = re.compile('[<>:"|?*\u2044\u2215\u2216\u29f5\u29f8\ufe68\uff0f\uff3c]')
_RESERVED = re.compile(r"(?:CON|PRN|AUX|NUL|CLOCK\$|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])\Z", re.IGNORECASE)
_UNSTORABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}\Z")

_CONTROL_BYTE = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_CONTROL_CHARACTER = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")
# tags that make a browser take a file for HTML: https://mimesniff.spec.whatwg.org/#identifying-a-resource-with-an-unknown-mime-type
_HTML = re.compile(
    r"<(?:!doctype\s+html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|img|form|meta)[\s/>]"
    r"|<!--",
    re.IGNORECASE,
)
_XML = re.compile(r"<(?:\?xml[\s?]|!doctype\s|!entity\s|!\[cdata\[|(?:[\w.-]+:)?svg[\s/>])", re.IGNORECASE)
_XHTML = re.compile(r"<(?:[\w.-]+:)?(?:html|script|iframe|body)[\s/>]", re.IGNORECASE)
_HTML_ENDINGS = frozenset({"html", "htm", "xhtml", "xht", "shtml", "hta", "mht", "mhtml"})
_XML_ENDINGS = frozenset({"xml", "svg", "xsl", "xslt"})
_MAIL_HEADER = re.compile(
    rb"(?:From [^\n]*\n)?(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?"
    rb"(?:received|return-path|delivered-to|from|to|date|subject|message-id|mime-version)[ \t]*:",
    re.IGNORECASE,
)

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_TYPES = {
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "msg": "application/vnd.ms-outlook",
}
_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_OPEN_XML_FOLDERS = {
    b"word/": _OPEN_XML + "wordprocessingml.document",
    b"xl/": _OPEN_XML + "spreadsheetml.sheet",
    b"ppt/": _OPEN_XML + "presentationml.presentation",
}
_MACRO_TYPES = {
    "docm": "application/vnd.ms-word.document.macroenabled.12",
    "xlsm": "application/vnd.ms-excel.sheet.macroenabled.12",
    "pptm": "application/vnd.ms-powerpoint.presentation.macroenabled.12",
}
_TEXT_MAGIC = {b"%PDF-": "application/pdf", b"{\\rtf": "application/rtf", b"%!PS": "application/postscript"}
_ENDINGS = {
    "application/pdf": "pdf",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "message/rfc822": "eml",
    "text/plain": "txt",
    "video/mp4": "mp4",
}


def safe_filename(name: str) -> str:
    """A name fit to show and to save on any system: one path part, at most 200 bytes of UTF-8, never empty.

    Invisible characters go first, so that none can hide a dot or a path from the later steps.
    """
    visible = "".join(c for c in name[-4096:] if unicodedata.category(c) not in _INVISIBLE_KINDS)
    visible = unicodedata.normalize("NFC", _INVISIBLE.sub("", visible))
    parts = (_clean_part(part) for part in reversed(_SEPARATORS.split(visible)))
    cleaned = next((part for part in parts if part), _NAMELESS)
    if _RESERVED.match(cleaned.split(".", 1)[0].strip()):
        cleaned = f"_{cleaned}"
    return _shorten(cleaned)


def _clean_part(part: str) -> str:
    return " ".join(_FORBIDDEN.sub("_", part).split()).lstrip(". ").rstrip(". ")


def _shorten(name: str) -> str:
    if len(name.encode()) <= _NAME_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension.encode()) > _EXTENSION_BYTES:
        stem, extension = name, ""
    room = _NAME_BYTES - len(f"{dot}{extension}".encode()) if extension else _NAME_BYTES
    stem = stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ")
    return f"{stem}.{extension}" if extension else stem


def sniff(head: bytes, declared_type: str = "", filename: str = "") -> str:
    """The media type of a file that starts with `head` (8 KiB are plenty).

    Text that a browser would run (HTML, SVG, XML) is called text/html or application/xml, never an image,
    whatever it is declared as; a declaration or an ending only makes plain text more dangerous, never less.
    """
    declared, ending, head = media_type(declared_type), _ending(filename), head[:HEAD_BYTES]
    if declared == "message/rfc822" and _MAIL_HEADER.match(head):
        return declared
    for magic, kind in _TEXT_MAGIC.items():
        if head.startswith(magic):
            return kind
    text = _decode(head) if head else None
    if text is not None:
        return _sniff_text(text, declared, ending)
    if head.startswith(_OLE):
        return _OLE_TYPES.get(ending, "application/x-ole-storage")
    found: str = (filetype.guess_mime(head) if head else None) or ""
    if found == "application/zip" or found in _OPEN_XML_FOLDERS.values():
        return _sniff_zip(head, found, ending)
    if not found and b"%PDF-" in head[:1024]:
        return "application/pdf"
    return found or UNKNOWN


def _decode(head: bytes) -> str | None:
    """The head as text, None where it is none. A character cut in two at its end is forgiven."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _clean_decode(head, "utf-16")
    if _CONTROL_BYTE.search(head):
        return None
    text = _clean_decode(head, "utf-8-sig")
    # a few high bytes are as likely the start of a binary format
    return text if text is not None or len(head) < 32 else _clean_decode(head, "cp1254")


def _clean_decode(head: bytes, encoding: str) -> str | None:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return None
    return None if _CONTROL_CHARACTER.search(text) else text


def _sniff_text(text: str, declared: str, ending: str) -> str:
    start = text.lstrip("\ufeff \t\r\n\f")
    if _HTML.match(start):
        return "application/xml" if start.startswith("<!--") and "<svg" in start.lower() else "text/html"
    if _XML.match(start):
        return "text/html" if _XHTML.search(start) and "svg" not in start.lower() else "application/xml"
    if declared in {"text/html", "application/xhtml+xml"} or ending in _HTML_ENDINGS:
        return "text/html"
    if declared.endswith(("/xml", "+xml")) or ending in _XML_ENDINGS:
        return "application/xml"
    return "text/plain"


def _sniff_zip(head: bytes, found: str, ending: str) -> str:
    if b"[Content_Types].xml" not in head and found == "application/zip":
        return found
    if ending in _MACRO_TYPES:
        return _MACRO_TYPES[ending]
    return next((kind for folder, kind in _OPEN_XML_FOLDERS.items() if folder in head), found)


def _ending(filename: str) -> str:
    return safe_filename(filename).rpartition(".")[2].lower() if "." in filename else ""


def media_type(declared: str) -> str:
    """`type/subtype` in lower case without parameters; empty where it is none."""
    found = declared.partition(";")[0].strip().lower()
    return found if _MEDIA_TYPE.match(found) else ""


def describe(
    filename: str,
    declared_type: str,
    head: bytes,
    size: int,
    sha256: str,
    *,
    content_id: str | None = None,
    inline: bool = False,
    sniffed: str = "",
    id: str = "0",  # noqa: A002  (the field's name)
) -> Attachment:
    """The description of a file of `size` decoded bytes with this digest, whose first bytes are `head`.

    `sniffed` is what `sniff` said when the head was at hand, where it no longer is. A file without a name
    gets one with an ending that fits what it is.
    """
    original = _UNSTORABLE.sub("", filename)[:1000]
    kind = media_type(sniffed) or sniff(head, declared_type, filename)
    nameless = f"{_NAMELESS}.{_ENDINGS[kind]}" if kind in _ENDINGS else _NAMELESS
    return Attachment(
        id=id,
        filename=safe_filename(original) if original.strip() else nameless,
        original_filename=original,
        media_type=kind,
        declared_type=media_type(declared_type),
        size=size,
        sha256=sha256,
        content_id=_UNSTORABLE.sub("", content_id).strip(" <>")[:998] or None if content_id else None,
        inline=inline,
    )

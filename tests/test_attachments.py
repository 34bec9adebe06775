"""Names are safe on any system and types come from bytes: no claim makes a file look harmless."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.attachments import describe, safe_filename, sniff

DIGEST = "0" * 64
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(20)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(20)
MAIL = b"Received: from a\r\n\tby b\r\nSubject: fatura\r\nMIME-Version: 1.0\r\n\r\nmerhaba"


def office(*names: str) -> bytes:
    """A zip with these members, the way office suites write one."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("", "ek"),
        ("...", "ek"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ayse\\fatura.pdf", "fatura.pdf"),
        ("foo/", "foo"),
        ("\u200b.htaccess", "htaccess"),
        (".\u200b./\u2060../x", "x"),
        ("abc\u202efdp.exe", "abcfdp.exe"),
        ("a\x00b\r\nc\x9f.txt", "abc.txt"),
        ("con.txt", "_con.txt"),
        ("c\u200don", "_con"),
        ("LPT¹.log", "_LPT¹.log"),
        ("a\uff0fb?.txt", "a_b_.txt"),
        ("\ud800ek.txt", "ek.txt"),
        ("  ekran   görüntüsü.png. ", "ekran görüntüsü.png"),
        ("s\u0327ikayet.txt", "şikayet.txt"),
    ],
)
def test_hostile_names_are_made_safe(name: str, safe: str) -> None:
    """Paths, invisible characters, leading dots and reserved names never survive; a plain name does."""
    assert safe_filename(name) == safe


def test_a_long_name_keeps_its_extension() -> None:
    """At most 200 bytes of UTF-8, never half a character, and the ending stays."""
    name = safe_filename("ğ" * 300 + ".pdf")
    assert name == "ğ" * 98 + ".pdf"


@given(st.text(st.characters(codec=None), max_size=300))
def test_any_name_is_safe_and_stays_as_it_is(name: str) -> None:
    """Whatever comes in: one visible path part of 1 to 200 bytes, and a safe name is left alone."""
    safe = safe_filename(name)
    assert 1 <= len(safe.encode()) <= 200
    assert not set(safe) & set('/\\<>:"|?*\x00\n\u200b\u202e')
    assert not safe.startswith(".")
    assert safe_filename(safe) == safe


@pytest.mark.parametrize(
    "head",
    [
        b"<svg onload=alert(1)>",
        b"<?xml version='1.0'?><!DOCTYPE svg><svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<!-- a --><svg/>",
        b"\xef\xbb\xbf  <html><script>alert(1)</script>",
        "<html>".encode("utf-16"),
        b"<!DOCTYPE  html><p>",
        b"<script>alert(1)</script>",
    ],
)
def test_markup_is_never_an_image(head: bytes) -> None:
    """A file a browser would run is markup, whatever it is declared as or called."""
    assert sniff(head, "image/png", "a.png") in {"text/html", "application/xml"}


@pytest.mark.parametrize("declared", ["text/html", "image/svg+xml", "application/xhtml+xml"])
def test_declared_markup_is_believed_of_text(declared: str) -> None:
    """Text declared as markup counts as markup: a declaration may only make a file more dangerous."""
    assert sniff(b"hello <b>there</b>", declared) in {"text/html", "application/xml"}


@pytest.mark.parametrize(
    ("head", "declared", "name", "found"),
    [
        (b"", "", "", "application/octet-stream"),
        (PNG, "text/html", "a.html", "image/png"),
        (JPEG, "", "", "image/jpeg"),
        (b"%PDF-1.7\n1 0 obj", "", "", "application/pdf"),
        (b"{\\rtf1 merhaba}", "", "", "application/rtf"),
        (b"MZ\x90\x00\x03" + bytes(60), "image/png", "a.png", "application/x-msdownload"),
        ("BMW aracım bozuldu".encode(), "", "", "text/plain"),
        ("BMW aracım bozuldu, lütfen bakın".encode("cp1254"), "", "", "text/plain"),
        (("x" * 8191 + "ş").encode()[:8192], "", "", "text/plain"),
        (b"\x00\x01\x02\x03nothing known", "image/png", "a.png", "application/octet-stream"),
        (b"id;tutar\n1;250", "application/pdf", "a.csv", "text/plain"),
        (MAIL, "message/rfc822", "", "message/rfc822"),
        (b"just text", "message/rfc822", "", "text/plain"),
        (office("a.txt"), "", "a.docx", "application/zip"),
    ],
)
def test_the_bytes_decide_the_type(head: bytes, declared: str, name: str, found: str) -> None:
    """Known formats are recognised, text in UTF-8 and windows-1254 is text, the rest is unknown."""
    assert sniff(head, declared, name) == found


@pytest.mark.parametrize(
    ("members", "ending"),
    [
        (("[Content_Types].xml", "_rels/.rels", "word/document.xml"), "wordprocessingml.document"),
        (("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"), "spreadsheetml.sheet"),
        (
            ("_rels/.rels", "docProps/app.xml", "[Content_Types].xml", "ppt/slides.xml"),
            "presentationml.presentation",
        ),
    ],
)
def test_office_files_are_told_from_plain_archives(members: tuple[str, ...], ending: str) -> None:
    """A docx, xlsx or pptx is called what it is in whatever order its members stand."""
    assert sniff(office(*members)).endswith(ending)


def test_a_macro_document_is_not_called_a_plain_one() -> None:
    """An ending that says macros is believed: it is the cautious reading."""
    assert "macroenabled" in sniff(office("[Content_Types].xml", "word/document.xml"), "", "a.docm")


def test_description_keeps_the_original_and_cleans_the_rest() -> None:
    """The shown name is safe, the original stays storable, and types and ids lose their decoration."""
    file = describe(
        "../\u202efatura\x00.png",
        "Image/PNG; name=x",
        PNG,
        40,
        DIGEST,
        content_id="<a@b>",
        inline=True,
        id="7",
    )
    assert (file.filename, file.original_filename) == ("fatura.png", "../\u202efatura.png")
    assert (file.media_type, file.declared_type) == ("image/png", "image/png")
    assert (file.id, file.size, file.content_id, file.inline) == ("7", 40, "a@b", True)


def test_a_nameless_file_gets_an_ending() -> None:
    """A pasted screenshot without a name can be opened by its ending."""
    assert describe("", "", PNG, 40, DIGEST).filename == "ek.png"


def test_a_claim_that_is_no_media_type_is_dropped() -> None:
    """What stands in a header as a type is kept only where it is one."""
    assert describe("a", "<script>", b"", 0, DIGEST).declared_type == ""

"""Header blocks, encoded words, parameters, addresses and dates as clients really write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from normalizers import addresses, dates, headers

NOW = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)

WORDS = {
    "plain": ("merhaba", "merhaba"),
    "between text": ("a =?utf-8?Q?=C5=9F?= b", "a ş b"),
    "blank between two words is dropped": ("=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"),
    "two charsets": ("=?utf-8?Q?=C5=9F?= =?iso-8859-9?Q?=FE?=", "şş"),
    "a letter in two words": ("=?utf-8?B?xQ==?= =?utf-8?B?nw==?=", "ş"),
    "glued": ("x=?utf-8?Q?=C5=9F?=y", "xşy"),
    "underscore": ("=?utf-8?q?a_b?=", "a b"),
    "language": ("=?utf-8*tr?Q?=C5=9F?=", "ş"),
    "unknown charset": ("=?x-nope?Q?=C5=9F?=", "ş"),
    "never closed": ("=?utf-8?Q?abc", "=?utf-8?Q?abc"),
    "closed by the next": ("=?utf-8?Q?abc =?utf-8?Q?d?=", "=?utf-8?Q?abc d"),
    "broken base64": ("=?utf-8?B?xZ8?=", "ş"),
}

PARAMETERS = {
    "none": ("text/plain", ("text/plain", {})),
    "quoted": ('Text/HTML; charset="UTF-8"', ("text/html", {"charset": "UTF-8"})),
    "semicolon inside": ('a/b; name="a;b.pdf"', ("a/b", {"name": "a;b.pdf"})),
    "blanks in a bare value": (
        "attachment; filename=my file.pdf",
        ("attachment", {"filename": "my file.pdf"}),
    ),
    "no semicolon": ("text/plain charset=utf-8", ("text/plain", {"charset": "utf-8"})),
    "no semicolon after a quote": ('a/b; name="x" charset=y', ("a/b", {"name": "x", "charset": "y"})),
    "never closed": ('a/b; name="x', ("a/b", {"name": "x"})),
    "windows path": ('a/b; name="C:\\temp\\x.pdf"', ("a/b", {"name": "C:\\temp\\x.pdf"})),
    "sections out of order": ("a; f*1=b; f*0=a", ("a", {"f": "ab"})),
    "encoded sections": ("a; f*0*=utf-8'tr'%C5; f*1*=%9F", ("a", {"f": "ş"})),
    "empty section keeps the plain one": ("a; f=x; f*=utf-8''", ("a", {"f": "x"})),
}

ADDRESSES = {
    "bare": ("A.b@C.Example", [("", "A.b@c.example")]),
    "name": ("Ali Veli <a@b.example>", [("Ali Veli", "a@b.example")]),
    "address as a name": ("victim@corp.com <attacker@evil.com>", [("victim@corp.com", "attacker@evil.com")]),
    "quoted address as a name": ('"victim@corp.com" <attacker@evil.com>', [("victim@corp.com", "attacker@evil.com")]),
    "comma in quotes": ('"Veli, Ali" <a@b.example>, c@d.example', [("Veli, Ali", "a@b.example"), ("", "c@d.example")]),
    "comment": ("a@b.example (Ali (Veli))", [("Ali (Veli)", "a@b.example")]),
    "group": ("Ekip: a@b.example, c@d.example;", [("", "a@b.example"), ("", "c@d.example")]),
    "empty group": ("undisclosed-recipients:;", []),
    "route": ("<@x.example,@y.example:a@b.example>", [("", "a@b.example")]),
    "semicolons": ("a@b.example; c@d.example", [("", "a@b.example"), ("", "c@d.example")]),
    "no comma": ("a@b.example c@d.example", [("", "a@b.example"), ("", "c@d.example")]),
    "never closed": ("Ali <a@b.example", [("Ali", "a@b.example")]),
    "mailto": ("<mailto:a@b.example>", [("", "a@b.example")]),
    "blank inside": ("Ali <a@ b.example>", [("Ali", "a@b.example")]),
    "quoted local part": ('"a b"@c.example', [("", '"a b"@c.example')]),
    "no address": ("MAILER-DAEMON", [("MAILER-DAEMON", "")]),
    "an encoded comma is no comma": ("=?utf-8?Q?a=2C_b=40c.d_=3C?= <h@i.example>", [("a, b@c.d <", "h@i.example")]),
    "smuggled line": ("=?utf-8?Q?a=0D=0ABcc:_x?= <h@i.example>", [("a Bcc: x", "h@i.example")]),
    "two brackets": ("<a@b.example> <c@d.example>", [("", "a@b.example"), ("", "c@d.example")]),
}  # fmt: skip

MOMENTS = {
    "Mon, 23 Nov 2026 14:05:06 +0300 (TRT)": "2026-11-23T11:05:06+00:00",
    "23 Nov 26 14:05 EST": "2026-11-23T19:05:00+00:00",
    "Mon, 23 Nov 2026 14:05:06 GMT+03:00": "2026-11-23T11:05:06+00:00",
    "Mon, 23 Nov 2026 02:05:06 PM +0300": "2026-11-23T11:05:06+00:00",
    "Mon, 23 Nov 2026 14.05.06 +0300": "2026-11-23T11:05:06+00:00",
    "23 Kasım 2026 Pazartesi": None,
    "Pazartesi, 23 Kasım 2026 14:05 +0300": "2026-11-23T11:05:00+00:00",
    "Mon Nov 23 14:05:06 EET 2026": "2026-11-23T12:05:06+00:00",
    "2026-11-23T14:05:06+03:00": "2026-11-23T11:05:06+00:00",
    "Mon, 23 Nov 2026 23:59:60 +0000": "2026-11-24T00:00:00+00:00",
    "Mon, 31 Feb 2026 10:00:00 +0000": None,
    "Fri, 31 Dec 9999 23:59:59 -1200": None,
    "Mon, 23 Nov 2026 14:05:06": "2026-11-23T14:05:06+00:00",
}


@pytest.mark.parametrize("name", WORDS)
def test_encoded_words_are_read_as_they_were_meant(name: str) -> None:
    """RFC 2047 and what clients make of it give the same letters."""
    value, text = WORDS[name]
    assert headers.decode_words(value) == text


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_are_read_as_they_were_meant(name: str) -> None:
    """RFC 2045 and 2231 parameters, also where they are badly quoted."""
    value, expected = PARAMETERS[name]
    assert headers.parameters(value) == expected


@pytest.mark.parametrize("name", ADDRESSES)
def test_addresses_are_read_as_they_were_meant(name: str) -> None:
    """What is in angle brackets is the address, whatever stands around it."""
    value, expected = ADDRESSES[name]
    assert [(found.name, found.address) for found in addresses.read(value)] == expected


@pytest.mark.parametrize("value", MOMENTS)
def test_dates_are_in_utc_or_none(value: str) -> None:
    """Every date that names a moment gives it in UTC; one that does not gives none."""
    found, _ = dates.read(value, NOW)
    assert (found.isoformat() if found else None) == MOMENTS[value]


def test_a_strange_date_is_warned_about() -> None:
    """Missing, unreadable, future and zoneless dates each say so."""
    values = (
        "",
        "x",
        "Mon, 23 Nov 2099 14:05:06 +0300",
        "Mon, 23 Nov 2026 14:05:06",
        "1 Jan 1970 00:00:00 +0000",
    )
    assert [dates.read(value, NOW)[1] for value in values] == [
        "date: missing",
        "date: cannot be read",
        "date: in the future",
        "date: no known time zone, read as UTC",
        "date: before there was mail",
    ]


def test_a_folded_address_is_one_for_all_its_spellings() -> None:
    """Letters of either case and an international domain fold together; nonsense folds to nothing."""
    spellings = ("A.B@BÜCHER.example", "a.b@bücher.example", "a.b@xn--bcher-kva.example.")
    assert {addresses.canonical(spelling) for spelling in spellings} == {"a.b@xn--bcher-kva.example"}
    assert addresses.canonical("a@b@c") == addresses.canonical("a b@c") == addresses.canonical("a") == ""


def test_a_body_without_a_blank_line_before_it_is_found() -> None:
    """The first line that is no header begins the body, if no header follows it."""
    data = b"Subject: a\nbody: no\nText here\nmore"
    head, body = headers.split(data, 0, len(data))
    assert (head.get("subject"), data[body:]) == ("a", b"Text here\nmore")

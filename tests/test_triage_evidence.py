"""Where the technical team is told to look, and how triage explains itself to people."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from intake.schema import Evidence, Message
from intake.settings import TriageSettings
from router.triage import Config, explained, triage

SENT = datetime(2026, 11, 23, 9, tzinfo=UTC)  # noon in Istanbul
URL = "https://logs.example/?from={from}&to={to}&q={ids}"


def _evidence(text: str, url: str = URL) -> Evidence:
    message = Message(channel="email", source="test", sent_at=SENT, received_at=SENT, text=text)
    found = triage(message, Config(evidence_url=url)).evidence
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("dün saat 21:40 da uygulama attı", "2026-11-22 18:10", "2026-11-22 19:10"),
        ("dün akşam oyun dondu", "2026-11-22 14:00", "2026-11-22 21:00"),
        ("20 kasım günü site açılmadı", "2026-11-19 21:00", "2026-11-20 21:00"),
        ("saat 23:40 da giremedim", "2026-11-22 20:10", "2026-11-22 21:10"),
        ("saat 11:50 de giremedim", "2026-11-23 08:20", "2026-11-23 09:00"),
        ("siteye giremiyorum", "2026-11-23 07:00", "2026-11-23 09:00"),
        ("yarın 30.11.2026 da olacak", "2026-11-23 07:00", "2026-11-23 09:00"),
    ],
)
def test_the_window_is_around_the_stated_moment(text: str, begins: str, ends: str) -> None:
    """Day and hour count in the operator's time zone, never after the message; else the hours before it."""
    found = _evidence(text)
    assert (f"{found.begins_at:%Y-%m-%d %H:%M}", f"{found.ends_at:%Y-%m-%d %H:%M}") == (begins, ends)


def test_the_link_is_percent_encoded() -> None:
    """Times and identifiers stand in the link so that no text can change where it leads."""
    found = _evidence("işlem no WD-993812 ve kupon 5567123")
    assert found.ids == ("WD-993812", "5567123")
    assert found.url == (
        "https://logs.example/?from=2026-11-23T07%3A00%3A00Z&to=2026-11-23T09%3A00%3A00Z&q=WD-993812%205567123"
    )


def test_without_a_template_there_is_no_link() -> None:
    """The window is told in any case."""
    assert _evidence("siteye giremiyorum", url="").url == ""


@pytest.mark.parametrize("url", ["logs.example/{from}", "https://logs.example/{user}"])
def test_a_wrong_template_is_a_wrong_setting(url: str) -> None:
    """Only the three names are filled in, and only a web address is a link."""
    with pytest.raises(ValidationError, match="must begin with"):
        TriageSettings(evidence_url=url)


def test_people_are_told_why() -> None:
    """The block names the decision, the rule with the words it found, entities, language and version."""
    line = {
        "id": "m1",
        "channel": "email",
        "text": "kendimi öldüreceğim, 500 TL kaybettim",
        "sent_at": "2026-11-23T12:00:00Z",
    }
    block = explained(line)
    assert block.startswith("m1\n")
    for said in (
        "urgent",
        "crisis: found",
        "öldür".replace("ö", "o").replace("ü", "u"),
        "500 TRY",
        "tr",
        "rules-3",
    ):
        assert said in block


def test_a_line_that_cannot_be_read_is_told_in_one_line() -> None:
    """A wrong line gives its id and the reason."""
    assert explained({"id": 3, "channel": "email"}) == "3: text: Field required\n"

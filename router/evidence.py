"""Where the technical team looks: the time a message speaks of, its identifiers, a link into the operator's logs."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from urllib.parse import quote
from zoneinfo import ZoneInfo

from intake.schema import Entities, Evidence

AROUND = timedelta(minutes=30)  # of a stated minute
_MOST_IDS = 10
_CLOCK = re.compile(
    r"(?<![\d.,:])(?:(?:saat\s?(?:ler)?i?\s?|at\s|um\s|в\s)([01]?\d|2[0-3])[:.]([0-5]\d)|([01]?\d|2[0-3]):([0-5]\d))(?![\d.,:]?\d)"
)
# Hours of the day as people name them; a night begins before midnight and ends after it
_PARTS = (
    (("gece", "night", "nachts", "ночью"), 21, 28),
    (("sabah", "morning", "morgens", "fruh", "утром"), 5, 12),
    (("ogle", "noon", "mittags"), 11, 15),
    (("ikindi", "afternoon", "nachmittag"), 12, 18),
    (("aksam", "evening", "abends", "вечером"), 17, 24),
)


def of(
    entities: Entities, folded: str, when: datetime, *, url: str, hours: float, time_zone: str
) -> Evidence:
    """The window around the stated moment, else the `hours` before the message; identifiers; the link.

    `folded` is the text as `intake.text.fold` gives it, `when` the time the message was sent. Times of day count
    in `time_zone`. The window ends where the message was sent at the latest.
    """
    ids = (*entities.ids, *entities.ibans)[:_MOST_IDS]
    start, end = _window(entities.dates, folded, when, _zone(time_zone)) or (
        when - timedelta(hours=hours),
        when,
    )
    start, end = start.astimezone(UTC), min(end, when).astimezone(UTC)
    return Evidence(begins_at=start, ends_at=end, ids=ids, url=link(url, start, end, ids) if url else "")


def link(template: str, start: datetime, end: datetime, ids: tuple[str, ...]) -> str:
    """The template with {from}, {to} (RFC 3339) and {ids} (with blanks between), percent-encoded."""
    values = {"from": _rfc3339(start), "to": _rfc3339(end), "ids": " ".join(ids)}
    for name, value in values.items():
        template = template.replace("{" + name + "}", quote(value, safe=""))
    return template


def _rfc3339(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _window(
    dates: tuple[str, ...], folded: str, when: datetime, zone: ZoneInfo
) -> tuple[datetime, datetime] | None:
    """What the text says of day and hour; None where it says neither, or only what was after it."""
    clock = _CLOCK.search(folded) if ":" in folded or "saat" in folded else None
    if clock is None and not dates:
        return None
    today = when.astimezone(zone).date()
    day = next((found for found in map(date.fromisoformat, dates) if found <= today), None)
    if day is None and clock is None:
        return None
    day = day or today
    if clock:
        hour, minute = (int(group) for group in clock.groups() if group)
        moment = datetime.combine(day, time(hour, minute), zone)
        moment -= timedelta(days=moment > when and not dates)  # "saat 23:40" written after midnight
        window = moment - AROUND, moment + AROUND
    else:
        first, last = next(((a, b) for words, a, b in _PARTS if _says(folded, words)), (0, 24))
        midnight = datetime.combine(day, time(), zone)
        window = midnight + timedelta(hours=first), midnight + timedelta(hours=last)
    return window if window[0] < when else None


def _says(folded: str, words: tuple[str, ...]) -> bool:
    """Whether a word of the text begins with one of these."""
    text = f" {folded}"
    return any(
        not text[at - 1].isalpha()
        for word in words
        if word in text
        for at in (match.start() for match in re.finditer(word, text))
    )

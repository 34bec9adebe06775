"""The Date header as clients write it, in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january oca ocak janv jän",
            "feb february şub şubat sub subat fév fev",
            "mar march mart mär mrz mars",
            "apr april nis nisan avr",
            "may mayıs mayis mai",
            "jun june haz haziran juin",
            "jul july tem temmuz juil",
            "aug august ağu ağustos agu agustos août aout",
            "sep sept september eyl eylül eylul",
            "oct october eki ekim okt",
            "nov november kas kasım kasim",
            "dec december ara aralık aralik dez déc",
        ),
        1,
    )
    for name in names.split()
}
_ZONES = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0, "west": 60, "cet": 60, "cest": 120, "met": 60, "mest": 120,
    "eet": 120, "eest": 180, "trt": 180, "msk": 180, "est": -300, "edt": -240, "cst": -360, "cdt": -300,
    "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "bst": 60,
}  # fmt: skip
_RFC = re.compile(
    r"(?:[^\W\d]{2,12}\.?,?\s+)?(\d{1,2})[\s.-]+([^\W\d]{3,9})\.?,?[\s-]+(\d{2,4}),?\s+"
    r"(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2})(?:[.,]\d+)?)?\s*(am|pm)?\s*(.*)",
    re.IGNORECASE,
)
_ASCTIME = re.compile(
    r"(?:[^\W\d]{2,12},?\s+)?([^\W\d]{3,9})\.?\s+(\d{1,2}),?\s+(?:(\d{4}),?\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?"
    r"\s*(am|pm)?\s*(?:([A-Za-z+-][\w+:-]*)\s+)?(\d{4})?\s*(.*)",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"(?:(?:gmt|utc)\s*)?([+-])(\d{1,2}):?(\d{2})?(?!\d)", re.IGNORECASE)
_LONGEST = 200
_FUTURE = timedelta(days=1)


def read(value: str, received_at: datetime) -> tuple[datetime | None, str]:
    """The moment a Date header names, in UTC, and a warning ("" where all was well). Never raises.

    A zone that is missing or unknown counts as UTC. A date in the future or before mail is kept as it
    stands, since it is the sender's clock that says so.
    """
    value = " ".join(value[:_LONGEST].split())
    if not value:
        return None, "date: missing"
    try:
        sent_at, zone_known = _parse(value)
    except (ValueError, OverflowError):
        return None, "date: cannot be read"
    if sent_at is None:
        return None, "date: cannot be read"
    if sent_at > received_at + _FUTURE:
        return sent_at, "date: in the future"
    if sent_at.year < 1980:
        return sent_at, "date: before there was mail"
    return sent_at, "" if zone_known else "date: no known time zone, read as UTC"


def _parse(value: str) -> tuple[datetime | None, bool]:
    if match := _RFC.match(value):
        day, month, year, hour, minute, second, half, zone = match.groups()
    elif match := _ASCTIME.match(value):
        month, day, early_year, hour, minute, second, half, early_zone, late_year, rest = match.groups()
        year, zone = early_year or late_year or "", early_zone or rest
    else:
        return _parse_iso(value)
    number = _MONTHS.get(month.lower().replace("i̇", "i"))
    if number is None or not year:
        return None, True
    hours = int(hour) % 12 + 12 * (half.lower() == "pm") if half else int(hour)
    # a leap second and midnight as 24:00 are moments too
    extra = timedelta(seconds=int(second or 0), minutes=int(minute), hours=hours)
    if extra > timedelta(hours=24, seconds=60):
        return None, True
    offset = _offset(zone)
    local = datetime(_full_year(int(year)), number, int(day), tzinfo=timezone(timedelta(minutes=offset or 0)))
    return (local + extra).astimezone(UTC), offset is not None


def _parse_iso(value: str) -> tuple[datetime | None, bool]:
    value = re.sub(r"\s*([+-]\d\d:?\d\d).*$", r"\1", value)
    parsed = datetime.fromisoformat(value)
    if parsed.tzinfo is None:
        return parsed.replace(tzinfo=UTC), False
    return parsed.astimezone(UTC), True


def _full_year(year: int) -> int:
    """RFC 5322, 4.3: two digits below 50 are 20xx, other short years count from 1900."""
    if year < 50:
        return year + 2000
    return year + 1900 if year < 1000 else year


def _offset(zone: str) -> int | None:
    """Minutes east of UTC; None for a zone nobody can know."""
    zone = zone.strip(" ()\"'")
    if match := _OFFSET.match(zone):
        minutes = (
            int(match[2]) * 60 + int(match[3] or 0) if len(match[2]) == 2 or match[3] else int(match[2]) * 60
        )
        if minutes >= 24 * 60:
            return None
        return -minutes if match[1] == "-" else minutes
    word = re.match(r"[A-Za-z]+", zone)
    return _ZONES.get(word[0].lower()) if word else None

"""Two texts compared from the command line: a JSON line in, the verdict out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from intake.duplicates import compare
from intake.given import WholeText, moment, one_sentence
from intake.ports import Triager
from intake.privacy import masked
from intake.schema import ChannelName, Message, Normalized
from intake.text import clean_text
from intake.traces import Trace, trace_of


class _Pair(BaseModel):
    """What `intake compare` reads; other keys are not ours and are let pass."""

    a: WholeText
    b: WholeText
    channel_a: ChannelName = "email"
    channel_b: ChannelName = "email"
    sent_at_a: datetime | None = None
    sent_at_b: datetime | None = None


def from_line(line: str, triage: Triager) -> dict[str, Any]:
    """The verdict on one line as plain JSON. A line that cannot be read gives {id, error}; nothing is raised."""
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):  # nested too deeply
        return {"id": None, "error": "not JSON"}
    number = given.get("id") if isinstance(given, dict) else None
    try:
        pair = _Pair.model_validate(given)
    except ValidationError as error:
        return {"id": number, "error": one_sentence(error)}
    verdict = compare(*_traces(pair, triage, datetime.now(UTC)))
    return {
        "id": number,
        "duplicate": verdict.duplicate,
        "score": verdict.score,
        "reasons": [*verdict.reasons],
    }


def traces_of_line(given: dict[str, Any], triage: Triager, now: datetime) -> tuple[Trace, Trace]:
    """The traces of the two texts of a line; `now` where one names no moment. Raises ValidationError."""
    return _traces(_Pair.model_validate(given), triage, now)


def _traces(pair: _Pair, triage: Triager, now: datetime) -> tuple[Trace, Trace]:
    return (
        _trace(pair.a, pair.channel_a, moment(pair.sent_at_a, now), triage),
        _trace(pair.b, pair.channel_b, moment(pair.sent_at_b, now), triage),
    )


def _trace(text: str, channel: str, sent: datetime, triage: Triager) -> Trace:
    message = Message(channel=channel, source="cli", sent_at=sent, received_at=sent, text=clean_text(text))
    return trace_of(masked(Normalized(message)).message, triage([message])[0])

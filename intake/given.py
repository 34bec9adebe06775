"""What stands in a JSON line given to a command: texts, moments, and in one sentence what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BufferedReader
from typing import Annotated, Any, BinaryIO, cast

from pydantic import BeforeValidator, ValidationError


def _whole(value: Any) -> Any:
    """JSON may spell half a surrogate pair, which no text may hold."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


WholeText = Annotated[str, BeforeValidator(_whole)]


_AT_ONCE = 1 << 16  # bytes


def batches(stream: BinaryIO) -> Iterator[list[Any]]:
    """The JSON value of each line, None for what is no JSON; lines that have come together stay together.

    So nobody who types a line waits for the next, and a file is read in big pieces. Empty lines are skipped.
    """
    rest, ahead = b"", cast("BufferedReader", stream)
    while piece := ahead.read1(_AT_ONCE):
        *lines, last = piece.split(b"\n")
        if lines:
            lines[0], rest = rest + lines[0], b""
        rest += last
        if found := [_value(line) for line in lines if line.strip()]:
            yield found
    if rest.strip():
        yield [_value(rest)]


def _value(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def moment(said: datetime | None, now: datetime) -> datetime:
    """The moment a line names, in UTC where it names no zone; `now` where it names none."""
    found = said or now
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def one_sentence(error: ValidationError) -> str:
    """The first thing that is wrong with a line, and where."""
    first = error.errors(include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else f"a line has to be a JSON object: {first['msg']}"

"""What stands in a JSON line given to a command: texts, moments, and in one sentence what is wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError


def _whole(value: Any) -> Any:
    """JSON may spell half a surrogate pair, which no text may hold."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


WholeText = Annotated[str, BeforeValidator(_whole)]


def moment(said: datetime | None, now: datetime) -> datetime:
    """The moment a line names, in UTC where it names no zone; `now` where it names none."""
    found = said or now
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def one_sentence(error: ValidationError) -> str:
    """The first thing that is wrong with a line, and where."""
    first = error.errors(include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else f"a line has to be a JSON object: {first['msg']}"

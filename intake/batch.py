"""The commands that take long: many files, many deliveries, many events, with their progress on a terminal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from intake import display
from intake.errors import IntakeError
from intake.schema import Normalized, RawMessage, Receipt
from intake.workers import Prepared, Workers

ToJson = Callable[[str, Normalized, RawMessage], dict[str, Any]]

_FILES_AT_ONCE = 32
_BYTES_AT_ONCE = 33_554_432
_CONTENT_TYPES = {"email": "message/rfc822"}


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error where that is a terminal; call the given function with what was done."""
    if not display.errors.is_terminal or total < 2:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=display.errors, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


async def normalize_files(
    workers: Workers, channel: str, files: Sequence[Path], largest: int, to_json: ToJson
) -> None:
    """Print a JSON line per file, in order; several are read side by side."""
    with progress("normalising", len(files)) as advance:
        for group in _groups(files):
            raws = [_read(channel, path, largest) for path in group]
            readable = [raw for raw in raws if isinstance(raw, RawMessage)]
            prepared = iter(await workers.prepare(readable))
            for path, raw in zip(group, raws, strict=True):
                if isinstance(raw, RawMessage):
                    display.write_json(_line(path, raw, next(prepared), to_json))
                else:
                    display.write_json({"file": str(path), "ok": False, "error": raw})
            advance(len(group))


def _groups(files: Sequence[Path]) -> Iterator[list[Path]]:
    group: list[Path] = []
    size = 0
    for path in files:
        own = path.stat().st_size if path.is_file() else 0
        if group and (len(group) >= _FILES_AT_ONCE or size + own > _BYTES_AT_ONCE):
            yield group
            group, size = [], 0
        group.append(path)
        size += own
    if group:
        yield group


def _read(channel: str, path: Path, largest: int) -> RawMessage | str:
    """The file as a message, or why it cannot be read."""
    try:
        body = path.read_bytes()
        moment = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    meta: dict[str, Any] = {}
    if len(body) > largest:
        meta["truncated"], body = len(body), body[:largest]
    content_type = _CONTENT_TYPES.get(channel, "application/json")
    return RawMessage(channel, "file", content_type, body, moment, key=str(path), meta=meta)


def _line(path: Path, raw: RawMessage, prepared: Prepared, to_json: ToJson) -> dict[str, Any]:
    if prepared.normalized is None:
        error = f"{prepared.error}: {prepared.detail}" if prepared.detail else prepared.error
        return {"file": str(path), "ok": False, "error": error}
    return to_json(str(path), prepared.normalized, raw)


async def replay_all(
    keys: Sequence[str], replay: Callable[[str], Awaitable[Receipt]]
) -> list[dict[str, Any]]:
    """Replay deliveries one by one; what cannot be read says why and stops nothing."""
    rows = []
    with progress("replaying", len(keys)) as advance:
        for key in keys:
            try:
                receipt = await replay(key)
                rows.append(
                    {"source_key": key, "outcome": receipt.outcome.value, "code": receipt.code, "error": ""}
                )
            except IntakeError as error:
                rows.append({"source_key": key, "outcome": "", "code": None, "error": str(error)})
            advance(1)
    return rows

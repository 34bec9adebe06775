"""Reads what the model is trained on: the labelled corpus, and corrections that departments made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from intake.schema import Category, Kind, Priority
from intake.text import fold
from router.model import SUSPICIONS

CORRECTIONS = "corrections"
CORRECTION_WEIGHT = 2.0  # of a corpus message: a correction is a text the model was wrong about
_LONGEST = 1_000_000  # characters


class BadLines(Exception):
    """Lines that cannot be used; `problems` holds one `file:line: reason` each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _whole(value: object) -> object:
    """JSON may spell half a surrogate pair, which no text may hold."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_whole), Field(min_length=1, max_length=_LONGEST)]


class Correction(BaseModel):
    """What a department says a message really was; what it does not say is not learnt. Other keys are let pass."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: Text
    subject: Annotated[str | None, BeforeValidator(_whole)] = None
    category: Category
    kind: Kind | None = None
    priority: Priority | None = None
    underage: bool | None = None
    flags: tuple[str, ...] | None = None
    language: str = ""


class Labelled(Correction):
    """A message of the corpus, with all its labels."""

    id: str
    language: str = Field(pattern="^[a-z]{2}$")
    kind: Kind
    priority: Priority
    underage: bool
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """One text to learn from. A suspicion of None is not known."""

    folded: str
    category: Category
    suspicions: tuple[bool | None, ...]
    language: str
    writer: str
    weight: float = 1.0


def read_corpus(folder: Path) -> list[Example]:
    """All messages of a folder, in the order of their ids; a file is one writer's. Raises BadLines."""
    found: list[tuple[str, Example]] = []
    problems: list[str] = []
    for path in sorted(folder.glob("*.jsonl")):
        rows = _rows(path, Labelled, problems)
        found += [(row.id, _example(row, path.stem, 1.0)) for row in rows if isinstance(row, Labelled)]
    ids = [each for each, _ in found]
    problems += [
        f"{folder.name}: {each} is there twice" for each in sorted({i for i in ids if ids.count(i) > 1})
    ]
    problems += [] if found or problems else [f"{folder}: no messages"]
    if problems:
        raise BadLines(problems)
    return [example for _, example in sorted(found, key=lambda pair: pair[0])]


def digest(folder: Path) -> str:
    """Names the bytes of a corpus, so that a report says of which one it is."""
    whole = hashlib.blake2b(digest_size=8)
    for path in sorted(folder.glob("*.jsonl")):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def read_corrections(path: Path) -> list[Example]:
    """Corrections, in an order that does not depend on the file's. Raises BadLines."""
    problems: list[str] = []
    rows = _rows(path, Correction, problems)
    if problems:
        raise BadLines(problems)
    rows = sorted(rows, key=lambda row: row.model_dump_json())
    return [_example(row, CORRECTIONS, CORRECTION_WEIGHT) for row in rows]


def _rows(path: Path, kind: type[Correction], problems: list[str]) -> list[Correction]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        problems.append(f"{path.name}: cannot be read: {error.strerror}")
        return []
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows += [kind.model_validate(json.loads(line))] if line.strip() else []
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            problems.append(f"{path.name}:{number}: {where + ': ' if where else ''}{first['msg']}")
        except (ValueError, RecursionError) as error:
            problems.append(f"{path.name}:{number}: not JSON: {error}")
    return rows


def _example(row: Correction, writer: str, weight: float) -> Example:
    return Example(
        folded=fold(f"{row.subject or ''}\n{row.text}".strip()),
        category=row.category,
        suspicions=tuple(_suspicion(name, row) for name in SUSPICIONS),
        language=row.language,
        writer=writer,
        weight=weight,
    )


def _suspicion(name: str, row: Correction) -> bool | None:
    if name == "underage":
        return row.underage
    if name == "urgent":
        return None if row.priority is None else row.priority == "urgent"
    if name in {"enquiry", "thanks"}:
        return None if row.kind is None else row.kind == name
    if name == "data_request" and row.kind == name:
        return True
    return None if row.flags is None else name in row.flags

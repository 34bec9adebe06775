"""What somebody typed into the form: read from the request, checked, and made into a RawMessage."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, get_args
from urllib.parse import parse_qsl

from connectors.web_form.tokens import UploadedFile
from intake.schema import Category, RawMessage
from intake.text import clean_line, clean_text

CATEGORIES: tuple[Category, ...] = get_args(Category)
LINES = {"subject": 300, "name": 200, "account": 200, "email": 254, "phone": 40}

_EMAIL = re.compile(r"[^\s@<>\"(),:;\[\]\\]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_][\w-]{1,62}")
_PHONE = re.compile(r"\+?[\d\s().\-/]{7,40}")


@dataclass(slots=True)
class Entry:
    """The fields as typed, the files that are stored, and what is wrong: text names by field."""

    id: str = ""
    category: str = ""
    text: str = ""
    lines: dict[str, str] = field(default_factory=lambda: dict.fromkeys(LINES, ""))
    files: list[UploadedFile] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)

    def set(self, name: str, value: str) -> None:
        """Take one field; unknown ones are ignored, line breaks as browsers send them become newlines."""
        if name == "text":
            self.text = clean_text(value)
        elif name == "category" and value in CATEGORIES:
            self.category = value
        elif name == "id":
            self.id = client_id(value)
        elif name in LINES:
            self.lines[name] = clean_line(value)


def client_id(value: str) -> str:
    """The page's id in canonical form; a fresh one where it is none, so that a bare POST works too."""
    try:
        return str(uuid.UUID(value))
    except ValueError:
        return str(uuid.uuid4())


def read_urlencoded(body: bytes) -> list[tuple[str, str]]:
    """The fields of a plain form without files."""
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100)


def check(entry: Entry, text_characters: int) -> None:
    """Add a problem for each field that cannot be taken as it is."""
    if not entry.text.strip():
        entry.problems.setdefault("text", "wrong_text_empty")
    elif len(entry.text) > text_characters:
        entry.problems.setdefault("text", "wrong_text_long")
    for name, limit in LINES.items():
        if len(entry.lines[name]) > limit:
            entry.problems.setdefault(name, "wrong_line_long")
    if (email := entry.lines["email"]) and not _EMAIL.fullmatch(email):
        entry.problems.setdefault("email", "wrong_email")
    phone = entry.lines["phone"]
    if phone and not (_PHONE.fullmatch(phone) and 7 <= sum(c.isdigit() for c in phone) <= 15):
        entry.problems.setdefault("phone", "wrong_phone")


def content_key(form_id: str, fields: Mapping[str, Any], files: Sequence[UploadedFile]) -> str:
    """The key of what one page was sent with: the same content again is the same delivery, other words are not.

    A page that a browser brings back (its history, a restored tab) has its old id and may hold a new complaint.
    """
    content = [form_id, fields, [(file.filename, file.sha256) for file in files]]
    return str(uuid.uuid5(uuid.UUID(form_id), json.dumps(content, sort_keys=True)))


def raw_message(
    source: str,
    key: str,
    fields: Mapping[str, Any],
    files: Sequence[UploadedFile],
    received_at: datetime,
) -> RawMessage:
    """The canonical JSON of a submission: sorted keys, UTF-8, one spelling per content."""
    document = {**fields, "id": key, "files": [asdict(file) for file in files]}
    body = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return RawMessage(
        channel="web_form",
        source=source,
        content_type="application/json",
        body=body.encode("utf-8", "surrogatepass"),
        received_at=received_at,
        key=key,
    )

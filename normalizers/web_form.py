"""A submission of the form or of the operator's own site as one Message."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any, get_args

from intake import tracking
from intake.attachments import describe
from intake.errors import RejectedMessage
from intake.schema import Attachment, Category, ContactPoint, Message, Normalized, RawMessage, Sender, Thread
from intake.text import clean_line, clean_text
from normalizers import addresses

CODE_CHARACTERS = 100_000
"""Characters of a text in which tracking codes are looked for."""
MOST_FILES = 1_000

_CATEGORIES = frozenset(get_args(Category))
_LANGUAGE = re.compile(r"[a-z]{2}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PHONE_DIGITS = range(7, 16)  # E.164: at most 15


def normalize(raw: RawMessage) -> Normalized:
    """The Message in the canonical JSON of a submission, whatever of it can be read.

    Raises RejectedMessage("not_json") for a body that is no JSON object; all else is a Message with warnings.
    Typed addresses prove nothing (`trust` "none"); where the site vouches for them they are "authenticated".
    """
    document = _document(raw.body)
    warnings: list[str] = []
    subject, text = clean_line(_string(document, "subject")), clean_text(_string(document, "text"))
    category, language = _string(document, "category"), _string(document, "language")
    message = Message(
        channel=raw.channel,
        source=raw.source,
        external_id=clean_line(_string(document, "id"), 200),
        received_at=raw.received_at,
        sender=_sender(document, warnings),
        subject=subject,
        text=text,
        language=language if _LANGUAGE.fullmatch(language) else None,
        chosen_category=category if category in _CATEGORIES else None,
        attachments=tuple(_attachments(document, warnings)),
        thread=Thread(codes=tuple(tracking.find(f"{subject}\n{text}"[:CODE_CHARACTERS]))),
        warnings=tuple(warnings),
    )
    return Normalized(message, text)


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise RejectedMessage("not_json", "the submission is not JSON") from error
    if not isinstance(document, dict):
        raise RejectedMessage("not_json", "the submission is no JSON object")
    return document


def _string(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def _sender(document: dict[str, Any], warnings: list[str]) -> Sender:
    is_vouched = document.get("via") == "api" and document.get("verified") is True
    return Sender(
        name=clean_line(_string(document, "name"), 200),
        contact_points=tuple(_contact_points(document, warnings)),
        account=clean_line(_string(document, "account"), 200) or None,
        trust="authenticated" if is_vouched else "none",
    )


def _contact_points(document: dict[str, Any], warnings: list[str]) -> Iterator[ContactPoint]:
    if email := clean_line(_string(document, "email")):
        if value := addresses.canonical(email):
            yield ContactPoint(kind="email", value=value)
        else:
            warnings.append("email: not a valid address")
    if phone := clean_line(_string(document, "phone")):
        value = canonical_phone(phone)
        if not value.startswith("+"):
            warnings.append("phone: no country can be told" if value else "phone: not a phone number")
        if value:
            yield ContactPoint(kind="phone", value=value)


def canonical_phone(typed: str) -> str:
    """E.164 where the country is given or Turkey's way of writing shows; else the bare digits; "" for no number.

    0532…, 532… and 0212… are Turkish: a trunk 0 and ten digits, or a mobile without it.
    """
    digits = "".join(str(unicodedata.decimal(c)) for c in typed if c.isdecimal())
    is_international = typed.lstrip("( ").startswith("+")
    if not is_international and digits.startswith("00"):
        digits, is_international = digits[2:], True
    if digits.startswith("900") and len(digits) == 13:  # +90 (0) 532…
        digits = f"90{digits[3:]}"
    if len(digits) not in _PHONE_DIGITS:
        return ""
    if is_international or (digits.startswith("90") and len(digits) == 12):
        return f"+{digits}"
    if digits.startswith("0") and len(digits) == 11:
        return f"+9{digits}"
    if digits.startswith("5") and len(digits) == 10:
        return f"+90{digits}"
    return digits


def _attachments(document: dict[str, Any], warnings: list[str]) -> Iterator[Attachment]:
    files = document.get("files")
    for index, file in enumerate(files[:MOST_FILES] if isinstance(files, list) else ()):
        size = file.get("size") if isinstance(file, dict) else None
        if not isinstance(size, int) or size < 0 or not _SHA256.fullmatch(_string(file, "sha256")):
            warnings.append(f"files: number {index + 1} cannot be read")
            continue
        yield describe(
            _string(file, "filename"),
            _string(file, "declared_type"),
            b"",
            size,
            _string(file, "sha256"),
            sniffed=_string(file, "head_type"),
            id=str(index),
        )

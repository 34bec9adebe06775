"""A normalised message as the one JSON line that `intake normalize` prints."""

from __future__ import annotations

from typing import Any

import nh3

from intake.schema import Message, Normalized, RawMessage
from normalizers import email, markup

_TAGS = frozenset(
    {
        "a", "abbr", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del", "div",
        "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "ins", "li", "ol", "p", "pre", "q",
        "s", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
        "u", "ul",
    }
)  # fmt: skip
_ATTACHMENT_KEYS = ("filename", "original_filename", "media_type", "size", "sha256", "content_id", "inline")
_ATTRIBUTES = {"a": {"href", "title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}


def to_json(file: str, normalized: Normalized, raw: RawMessage | None = None) -> dict[str, Any]:
    """The line for one message that was read. With `raw`, `from` keeps the letters the sender's client wrote."""
    message = normalized.message
    dumped = message.model_dump(mode="json")
    return {
        "file": file,
        "ok": True,
        "subject": message.subject,
        "from": _sender(message, raw),
        "to": _recipients(message, "to"),
        "cc": _recipients(message, "cc"),
        "reply_to": _recipients(message, "reply_to"),
        "message_id": message.thread.message_id,
        "in_reply_to": message.thread.in_reply_to,
        "references": list(message.thread.references),
        "sent_at": dumped["sent_at"],
        "body": normalized.body,
        "text": message.text,
        "quoted": message.quoted,
        "html": sanitize(message.html),
        "automatic": message.automatic,
        "attachments": [{key: a[key] for key in _ATTACHMENT_KEYS} for a in dumped["attachments"]],
        "warnings": list(message.warnings),
        "error": None,
    }


def to_error(file: str, error: str) -> dict[str, Any]:
    """The line for a file that could not be read."""
    empty: dict[str, Any] = dict.fromkeys(
        ("subject", "message_id", "in_reply_to", "body", "text", "quoted", "html"), ""
    )
    lists: dict[str, Any] = {
        name: [] for name in ("to", "cc", "reply_to", "references", "attachments", "warnings")
    }
    return {
        "file": file,
        "ok": False,
        "from": {"name": "", "address": ""},
        **empty,
        **lists,
        "sent_at": None,
        "automatic": "none",
        "error": error,
    }


def sanitize(html: str) -> str:
    """HTML that is safe to show: no script, style, form or remote picture, links without a referrer."""
    if not html:
        return ""
    if markup.is_absurd(html):
        return nh3.clean_text(markup.to_text(html))
    return nh3.clean(
        html,
        tags=set(_TAGS),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        clean_content_tags={"script", "style", "title", "template", "noscript", "iframe"},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer nofollow",
    )


def _sender(message: Message, raw: RawMessage | None) -> dict[str, str]:
    points = message.sender.contact_points
    address = points[0].value if points else ""
    if raw is not None and (written := email.sender_address(raw.body)).address:
        address = written.address
    return {"name": message.sender.name, "address": address}


def _recipients(message: Message, role: str) -> list[dict[str, str]]:
    return [{"name": r.name, "address": r.address} for r in message.recipients if r.role == role]

"""What makes two deliveries the same."""

from __future__ import annotations

import hashlib

from intake.schema import Normalized


def content_hash(normalized: Normalized) -> str | None:
    """The content of a mail as one sha256: Message-ID, Date, From address, body and files.

    The same mail through any mailbox or folder has the same. None where a message carries no id and no date of
    its own, so that equal words stay two complaints.
    """
    message = normalized.message
    if message.channel != "email" or not (message.external_id or message.sent_at):
        return None
    parts = [
        message.external_id,
        message.sent_at.isoformat() if message.sent_at else "",
        *(p.value for p in message.sender.contact_points),
        normalized.body or message.text,
        *sorted(a.sha256 for a in message.attachments),
    ]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()

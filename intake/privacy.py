"""What is blanked out before anything is stored: card and national-id numbers, everywhere but in raw bytes."""

from __future__ import annotations

from dataclasses import replace

from intake.schema import Message, Normalized
from intake.text import mask_numbers

_TEXTS = ("subject", "text", "quoted", "html")


def masked(normalized: Normalized) -> Normalized:
    """The same with the numbers masked in its texts; the very same where there are none."""
    message = _masked(normalized.message)
    body = mask_numbers(normalized.body)
    if message is normalized.message and body == normalized.body:
        return normalized
    return replace(normalized, message=message, body=body)


def _masked(message: Message) -> Message:
    changed = {}
    for name in _TEXTS:
        text = getattr(message, name)
        if (hidden := mask_numbers(text)) != text:
            changed[name] = hidden
    return message.model_copy(update=changed) if changed else message

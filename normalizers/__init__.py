"""Pure functions from what a channel gave to the one schema; one module per channel, named after it."""

from __future__ import annotations

import importlib
import importlib.util
import re
from functools import lru_cache

from intake.errors import RejectedMessage
from intake.ports import Normalize
from intake.schema import Normalized, RawMessage

_CHANNEL = re.compile(r"[a-z][a-z0-9_]{0,31}")


def normalize(raw: RawMessage) -> Normalized:
    """Hand a raw message to the normalizer of its channel. Raises RejectedMessage where there is none."""
    return _normalizer(raw.channel)(raw)


@lru_cache(maxsize=64)
def _normalizer(channel: str) -> Normalize:
    if not _CHANNEL.fullmatch(channel) or importlib.util.find_spec(f"{__name__}.{channel}") is None:
        raise RejectedMessage("unknown_channel", channel[:32])
    found: Normalize | None = getattr(importlib.import_module(f"{__name__}.{channel}"), "normalize", None)
    if found is None:
        raise RejectedMessage("unknown_channel", channel[:32])
    return found

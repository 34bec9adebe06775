"""The Content-Disposition header of a download."""

from __future__ import annotations

import re
from urllib.parse import quote

_UNFIT = re.compile(r"[^ !#$&+.0-9A-Z^_`a-z|~()\[\]{}@=,-]")


def content_disposition(filename: str) -> str:
    """Save, never show: with a plain name for old programs and the true one in UTF-8 (RFC 6266, RFC 8187)."""
    plain = _UNFIT.sub("_", filename) or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"

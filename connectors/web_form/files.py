"""Files on their way into the blob store, within the limits."""

from __future__ import annotations

from collections.abc import AsyncIterator

from connectors.web_form.tokens import Tokens, UploadedFile
from intake.attachments import sniff
from intake.ports import Blobs
from intake.settings import Limits


class FileTooLarge(Exception):
    """One file is over `limits.attachment_bytes`; nothing of it is kept."""


class FileStore:
    """Stores what is streamed in; what it returns is durable."""

    def __init__(self, blobs: Blobs, tokens: Tokens, limits: Limits) -> None:
        self._blobs = blobs
        self.tokens = tokens
        self.limits = limits

    async def store(self, filename: str, declared_type: str, chunks: AsyncIterator[bytes]) -> UploadedFile:
        """Store one file. Raises `FileTooLarge`, `TransientError`."""
        try:
            sha256, size, head = await self._blobs.put_stream(chunks, self.limits.attachment_bytes)
        except ValueError as error:
            raise FileTooLarge from error
        return UploadedFile(
            filename=filename[:500],
            declared_type=declared_type[:100],
            size=size,
            sha256=sha256,
            head_type=sniff(head, declared_type, filename),
        )

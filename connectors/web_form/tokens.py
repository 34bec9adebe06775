"""What the service signs for browsers: who they are, and which files they have sent already."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass

from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response

_BROWSER_SECONDS = 30 * 86_400
_FILE_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file whose bytes are stored. `head_type` is sniffed from its beginning, `declared_type` claimed."""

    filename: str
    declared_type: str
    size: int
    sha256: str
    head_type: str


class Tokens:
    """Signs and reads; a forged or expired token reads as None."""

    def __init__(self, secret: str, *, is_https: bool) -> None:
        self._browsers = TimestampSigner(secret, salt="web_form.browser")
        self._files = URLSafeTimedSerializer(secret, salt="web_form.file")
        self._is_https = is_https
        self._cookie = "__Host-intake_browser" if is_https else "intake_browser"

    def browser(self, request: Request) -> str | None:
        """The random name this browser was given."""
        try:
            signed = request.cookies.get(self._cookie, "")
            return self._browsers.unsign(signed, max_age=_BROWSER_SECONDS).decode()
        except (BadSignature, UnicodeError):
            return None

    def name_browser(self, response: Response) -> None:
        """Give the browser a fresh random name."""
        response.set_cookie(
            self._cookie,
            self._browsers.sign(secrets.token_urlsafe(16)).decode(),
            max_age=_BROWSER_SECONDS,
            httponly=True,
            secure=self._is_https,
            samesite="lax",
        )

    def seal(self, file: UploadedFile) -> str:
        """A token that stands for a stored file, valid for a day."""
        return self._files.dumps(asdict(file))

    def unseal(self, token: str) -> UploadedFile | None:
        """The file a token stands for."""
        try:
            return UploadedFile(**self._files.loads(token, max_age=_FILE_SECONDS))
        except (BadSignature, TypeError):
            return None

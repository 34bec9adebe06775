"""The complaint form on the web, and the JSON API for the operator's own site. Pages are in `templates/`."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Any

import structlog
from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from connectors.web_form.answered import Answered
from connectors.web_form.api import Api, api_routes
from connectors.web_form.files import FileStore
from connectors.web_form.page import FormPage, page_routes
from connectors.web_form.tokens import Tokens
from intake.ports import Channel, Core
from intake.settings import Section
from intake.web.limits import Buckets
from intake.web.pages import Pages, static_route

log = structlog.get_logger(__name__)


def _not_the_forms_own(name: str) -> str:
    if name == "web":
        raise ValueError("web is the form's own name in the ledger; choose another")
    return name


KeyName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$"), AfterValidator(_not_the_forms_own)
]

_HERE = Path(__file__).parent
_STATIC = "/static/web_form"


class Settings(Section):
    """The form for customers and the API for the operator's own site."""

    text_characters: int = Field(20_000, ge=500, le=500_000)
    """Longest text a customer may write, characters."""
    window_seconds: int = Field(600, ge=1)
    """Time over which the limits of the form count, seconds."""
    browser_submissions: int = Field(5, ge=1)
    """Complaints one browser may send in that time."""
    address_submissions: int = Field(300, ge=1)
    """Complaints one address may send in that time; mobile customers share addresses, so far more."""
    browser_files: int = Field(60, ge=1)
    """Files one browser may send ahead of its complaint in that time."""
    api_keys: dict[KeyName, SecretStr] = Field(default_factory=dict)
    """Keys of the operator's own sites by name; may hold two, separated by a blank, while one is replaced."""
    api_per_minute: int = Field(600, ge=1)
    """Requests one key may make in a minute."""


def connect(settings: Settings, core: Core) -> Channel:
    """The channel `web_form`: routes for the public listener; customers are answered on the page itself."""
    whole = core.settings
    if whole.secret is None:
        log.warning("No secret is configured: browser tokens and upload ids end with this process")
    secret = whole.secret.get_secret_value() if whole.secret else secrets.token_hex(32)
    tokens = Tokens(secret, is_https=whole.public_url.startswith("https://"))
    files = FileStore(core.blobs, tokens, whole.limits)
    answered = Answered(core.ledger)
    page = FormPage(
        core=core,
        pages=Pages(whole, extra=_HERE, extra_prefix=_STATIC),
        tokens=tokens,
        files=files,
        answered=answered,
        text_characters=settings.text_characters,
        mails_codes=_mails_codes(whole),
        browsers=Buckets(settings.browser_submissions, settings.window_seconds),
        addresses=Buckets(settings.address_submissions, settings.window_seconds),
        uploads=Buckets(settings.browser_files, settings.window_seconds),
    )
    api = Api(
        core=core,
        keys=settings.api_keys,
        files=files,
        answered=answered,
        text_characters=settings.text_characters,
        calls=Buckets(settings.api_per_minute, 60),
    )
    routes = [*page_routes(page), *api_routes(api), static_route(_STATIC, _HERE / "static")]
    return Channel(name="web_form", routes=routes, close=answered.close)


def _mails_codes(whole: Any) -> bool:
    """Whether a typed address is written to, so that the pages promise nothing else."""
    return getattr(whole.channels().get("email"), "smtp", None) is not None

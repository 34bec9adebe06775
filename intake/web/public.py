"""The public listener's application: channels' routes, the status page, and pages for what goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from intake import __version__
from intake.ports import Clock, Store
from intake.settings import Settings
from intake.web.guard import AccessLog, BodyGuard, ClientAddress, ResponseHeaders, SameOrigin
from intake.web.pages import Pages, static_route
from intake.web.problems import Problem, problem_response
from intake.web.status import status_routes

_STATIC = Path(__file__).parent / "static"
_PAGES_WITH_TEXT = frozenset({403, 404, 405, 408, 413, 429, 503})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # not no-referrer: under that a browser says "Origin: null" on our own forms, and no address holds a code
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def public_app(
    routes: Sequence[BaseRoute],
    store: Store,
    settings: Settings,
    clock: Clock,  # noqa: ARG001  (pages that show dates will need it)
    draining: Callable[[], bool] = lambda: False,
) -> ASGIApp:
    """The application behind `web.public_port`. Raises `ConfigError` for unusable `trusted_proxies`.

    While `draining` connections are closed after their answer; whether a message is still taken is the
    core's decision.
    """
    pages = Pages(settings)
    app = FastAPI(
        title=f"{settings.operator.name}: complaints",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        exception_handlers=_handlers(pages),
    )
    app.router.routes.extend(
        [
            *routes,
            *status_routes(pages, store, settings.web.status_per_minute),
            static_route("/static", _STATIC),
        ]
    )
    guarded: ASGIApp = BodyGuard(app, settings.limits.message_bytes)
    guarded = SameOrigin(guarded, settings.public_url)
    guarded = ClientAddress(guarded, settings.web.trusted_proxies)
    guarded = ResponseHeaders(guarded, _headers(settings), draining)
    return AccessLog(guarded, "public", app.routes)


def _headers(settings: Settings) -> dict[str, str]:
    if settings.public_url.startswith("https://"):
        return {**_HEADERS, "Strict-Transport-Security": "max-age=31536000"}
    return _HEADERS


def _handlers(pages: Pages) -> dict[int | type[Exception], Callable[[Request, Any], Any]]:
    def answer(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            error = Problem(500, "Something went wrong here; it has been noted.")
        if request.url.path.startswith("/v1/"):
            return problem_response(error)
        language = pages.language(request)
        name = str(error.status_code) if error.status_code in _PAGES_WITH_TEXT else "500"
        return pages.render(
            "error.html",
            language,
            links=dict.fromkeys(pages.languages, "/"),
            status=error.status_code,
            headers=error.headers,
            heading=pages.texts(language)[f"error_{name}"],
            advice=pages.texts(language)[f"error_{name}_advice"],
        )

    def ignore(_: Request, __: Exception) -> Response:
        return Response(status_code=400)

    return {HTTPException: answer, ClientDisconnect: ignore, Exception: answer}

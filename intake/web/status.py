"""The page where a customer asks for the state of a complaint by its code, and learns only the state."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from intake import tracking
from intake.ports import Store
from intake.store.lookups import status_of
from intake.web.body import read_whole
from intake.web.limits import Buckets
from intake.web.pages import Pages

PATH = "/status"
_LINKS = {"tr": f"{PATH}?lang=tr", "en": f"{PATH}?lang=en"}
_BODY_LIMIT = 4096
# every answer is filled up to a multiple of this, so its length says nothing about the code
_LENGTH_CLASS = 8192


def status_routes(pages: Pages, store: Store, per_minute: int) -> list[Route]:
    """GET shows the empty form, POST takes `code` (never in an address, which proxies log)."""
    buckets = Buckets(per_minute, 60)

    async def show(request: Request) -> Response:
        return _page(pages, _language(pages, request, {}), {})

    async def ask(request: Request) -> Response:
        wait = buckets.take(request.client.host if request.client else "")
        form = parse_qs((await read_whole(request.receive, _BODY_LIMIT)).decode("utf-8", "replace"))
        typed = form.get("code", [""])[0].strip()[:60]
        language = _language(pages, request, form)
        if wait:
            retry = {"Retry-After": str(math.ceil(wait))}
            return _page(pages, language, {"typed": typed, "problem": "status_too_often"}, 429, retry)
        try:
            code = tracking.parse(typed)
        except ValueError:
            problem = "status_mistyped" if typed else "status_empty"
            return _page(pages, language, {"typed": typed, "problem": problem})
        status = await store.read(lambda connection: status_of(connection, code))
        state = status.value if status else "unknown"
        return _page(pages, language, {"shown": tracking.show(code), "state": state})

    return [Route(PATH, show, methods=["GET"]), Route(PATH, ask, methods=["POST"])]


def _language(pages: Pages, request: Request, form: Mapping[str, list[str]]) -> str:
    wished = form.get("lang", [request.query_params.get("lang", "")])[0]
    return wished if wished in pages.languages else pages.language(request)


def _page(
    pages: Pages,
    language: str,
    values: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    fields = {"typed": "", "problem": "", "shown": "", "state": "", **values}
    response = pages.render("status.html", language, links=_LINKS, status=status, headers=headers, **fields)
    response.body = bytes(response.body) + b" " * (-len(response.body) % _LENGTH_CLASS)
    response.headers["Content-Length"] = str(len(response.body))
    return response

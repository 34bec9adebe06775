"""The private listener's application: health and metrics, and what departments fetch of their own cases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from intake.ports import Blobs, Clock, Store
from intake.settings import Settings
from intake.store.lookups import StoredFile, attachment_of, case_text
from intake.telemetry import registry
from intake.text import mask_numbers
from intake.web.disposition import content_disposition
from intake.web.guard import AccessLog, BodyGuard, ClientAddress, ResponseHeaders
from intake.web.keys import EVERY_DEPARTMENT, department
from intake.web.problems import Problem, answer_problem

log = structlog.get_logger(__name__)

Ready = Callable[[], Awaitable[Mapping[str, str]]]
"""Each check by name (database, schema, disk, draining): "ok", or what is wrong."""

Components = Callable[[], Mapping[str, Any]]
"""The state of each source, relay and of the notices, as plain JSON."""

_READY_SECONDS = 5.0
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_NOT_FOUND = "There is no such thing, or it is not yours."


def private_app(
    store: Store,
    blobs: Blobs,
    settings: Settings,
    clock: Clock,  # noqa: ARG001  (the console will need it)
    ready: Ready,
    components: Components,
    routes: Sequence[BaseRoute] = (),
) -> ASGIApp:
    """The application behind `web.private_port`; `routes` are added to its own."""
    app = Starlette(
        routes=[*_health_routes(ready, components), *_case_routes(store, blobs, settings), *routes],
        exception_handlers={HTTPException: answer_problem, Exception: answer_problem},
    )
    guarded: ASGIApp = BodyGuard(app, settings.limits.message_bytes)
    guarded = ClientAddress(guarded, settings.web.trusted_proxies)
    guarded = ResponseHeaders(guarded, _HEADERS)
    return AccessLog(guarded, "private", app.routes)


def _health_routes(ready: Ready, components: Components) -> list[Route]:
    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        try:
            async with asyncio.timeout(_READY_SECONDS):
                checks = dict(await ready())
        except TimeoutError:
            checks = {"checks": f"no answer within {_READY_SECONDS:.0f} s"}
        is_ready = all(state == "ok" for state in checks.values())
        return JSONResponse({"ready": is_ready, "checks": checks}, 200 if is_ready else 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def health_components(_: Request) -> Response:
        return JSONResponse(dict(components()))

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
        Route("/health/components", health_components),
    ]


def _case_routes(store: Store, blobs: Blobs, settings: Settings) -> list[Route]:
    async def attachment(request: Request) -> Response:
        owner = _owner(request, settings)
        case_id, attachment_id = request.path_params["case_id"], request.path_params["attachment_id"]
        file = await store.read(lambda connection: attachment_of(connection, case_id, attachment_id, owner))
        if file is None:
            raise Problem(404, _NOT_FOUND)
        if file.scan == "pending":
            raise Problem(423, "This file is still being scanned.", headers={"Retry-After": "30"})
        if file.scan == "infected":
            raise Problem(403, "This file is infected and is not handed out.")
        log.info(
            "An attachment was fetched", case_id=case_id, attachment=attachment_id, department=owner or "all"
        )
        return await _download(blobs, file, case_id)

    async def text(request: Request) -> Response:
        owner = _owner(request, settings)
        case_id, message_id = request.path_params["case_id"], request.query_params.get("message", "")
        found = await store.read(lambda connection: case_text(connection, case_id, owner, message_id))
        if found is None:
            raise Problem(404, _NOT_FOUND)
        log.info("A case's text was fetched", case_id=case_id, department=owner or "all")
        return PlainTextResponse(mask_numbers(found), headers=_file_headers(f"{case_id}.txt"))

    return [
        Route("/v1/cases/{case_id}/attachments/{attachment_id}", attachment),
        Route("/v1/cases/{case_id}/text", text),
    ]


def _owner(request: Request, settings: Settings) -> str | None:
    """The department whose cases may be read, None for all of them. Raises a 401."""
    name = department(request.headers.get("authorization"), settings.web)
    if name is None:
        raise Problem(401, "A department's key is needed.", headers={"WWW-Authenticate": "Bearer"})
    return None if name == EVERY_DEPARTMENT else name


async def _download(blobs: Blobs, file: StoredFile, case_id: str) -> Response:
    pieces = aiter(blobs.stream(file.sha256))
    try:
        first = await anext(pieces, b"")
    except FileNotFoundError as error:
        log.error("An attachment's bytes are missing", case_id=case_id, sha256=file.sha256)  # noqa: TRY400
        raise Problem(404, _NOT_FOUND) from error

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    headers = {**_file_headers(file.filename), "Content-Length": str(file.size)}
    return StreamingResponse(whole(), headers=headers, media_type=file.media_type)


def _file_headers(filename: str) -> dict[str, str]:
    return {
        "Content-Disposition": content_disposition(filename),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
    }

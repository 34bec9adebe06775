"""What stands before every handler: who asks, how much and how slowly, from where, and what is said of it."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

import structlog
from prometheus_client import Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from intake.errors import ConfigError
from intake.telemetry import registry
from intake.web.body import TooLarge, TooSlow

log = structlog.get_logger(__name__)

_IDLE_SECONDS = 30.0
_TOTAL_SECONDS = 120.0
_OVERDRAFT = 3  # times the limit that is still read and dropped, so that a browser sees its 413
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

http_seconds = Histogram(
    "intake_http_seconds",
    "Duration of HTTP requests",
    ["listener", "method", "route", "status"],
    registry=registry,
)


def networks(trusted: Sequence[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The configured proxies. Raises `ConfigError` for what is no address or network."""
    try:
        return [ipaddress.ip_network(value, strict=False) for value in trusted]
    except ValueError as error:
        raise ConfigError(f"web.trusted_proxies: {error}") from error


class ClientAddress:
    """Puts the customer's address into the scope; X-Forwarded-For counts only from proxies we trust.

    IPv6 addresses are cut to their /64, which is what one household or phone holds.
    """

    def __init__(self, app: ASGIApp, trusted_proxies: Sequence[str]) -> None:
        self._app = app
        self._trusted = networks(trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            scope["client"] = (self._address(scope), 0)
        await self._app(scope, receive, send)

    def _address(self, scope: Scope) -> str:
        address = _parse(scope["client"][0]) if scope.get("client") else None
        if address is None:
            return "local"
        hops = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
        while hops and any(address in network for network in self._trusted):
            hop = _parse(hops.pop().strip())
            if hop is None:
                break
            address = hop
        if address.version == 6:
            return str(ipaddress.ip_network((address, 64), strict=False))
        return str(address)


def _parse(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if address.version == 6 else address


class BodyGuard:
    """Bounds a request's body: its size, the pause between two pieces, and the time for all of it.

    Too large or too slow raises out of `receive`, so a handler that kept what was typed can answer itself.
    A form's body may then be drained; of anything else that declares too much nothing is read.
    """

    def __init__(
        self,
        app: ASGIApp,
        limit: int,
        *,
        idle_seconds: float = _IDLE_SECONDS,
        total_seconds: float = _TOTAL_SECONDS,
    ) -> None:
        self._app = app
        self._limit = limit
        self._idle = idle_seconds
        self._total = total_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            receive = _GuardedBody(scope, receive, self._limit, self._idle, self._total)
        await self._app(scope, receive, send)


class _GuardedBody:
    def __init__(self, scope: Scope, receive: Receive, limit: int, idle: float, total: float) -> None:
        headers = Headers(scope=scope)
        declared = headers.get("content-length", "0")
        self._declared = int(declared) if declared.isdecimal() and len(declared) < 19 else 0
        self._is_form = headers.get("content-type", "").startswith("multipart/form-data")
        self._receive = receive
        self._limit = limit
        self._idle = idle
        self._deadline = time.monotonic() + total
        self._read = 0
        self._is_over = False
        self._is_done = False

    async def __call__(self) -> Message:
        if self._is_done:
            return await self._receive()
        if self._declared > self._limit * (1 + _OVERDRAFT if self._is_form else 1):
            raise TooLarge
        left = min(self._idle, self._deadline - time.monotonic())
        try:
            async with asyncio.timeout(max(left, 0)):
                message = await self._receive()
        except TimeoutError as error:
            raise TooSlow from error
        self._is_done = message["type"] != "http.request" or not message.get("more_body", False)
        self._count(len(message.get("body", b"")))
        return message

    def _count(self, size: int) -> None:
        self._read += size
        bound = self._limit * (1 + _OVERDRAFT) if self._is_over else self._limit
        if self._read > bound:
            self._is_over = True
            raise TooLarge


class SameOrigin:
    """Refuses what another site's page makes a browser send; requests without Origin are not a page's."""

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self._app = app
        self._origin = _origin(public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] == "http"
            and scope["method"] not in _SAFE
            and not self._is_ours(Headers(scope=scope))
        ):
            response = PlainTextResponse("This form was sent from another site.\n", 403)
            return await response(scope, receive, send)
        return await self._app(scope, receive, send)

    def _is_ours(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
        if origin == "null":
            return headers.get("sec-fetch-site") == "same-origin"
        return (
            _origin(origin) == self._origin
            or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
        )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


class ResponseHeaders:
    """Adds headers to every response that does not set them itself."""

    def __init__(
        self, app: ASGIApp, headers: Mapping[str, str], draining: Callable[[], bool] = lambda: False
    ) -> None:
        self._app = app
        self._headers = dict(headers)
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if self._draining():
                    headers["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class AccessLog:
    """Counts and logs each request by its route's pattern, never by its path, query or address.

    The last to see an exception: it is logged here and goes no further, the 500 has been answered inside.
    """

    def __init__(self, app: ASGIApp, listener: str, routes: Sequence[BaseRoute] = ()) -> None:
        self._app = app
        self._listener = listener
        self._routes = [route for route in routes if isinstance(route, Route)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started, status = time.perf_counter(), 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        except Exception:
            log.exception("A request failed", listener=self._listener, route=self._route(scope))
        self._note(scope, status, time.perf_counter() - started)
        return None

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in (*_SAFE, "POST", "PUT", "PATCH", "DELETE") else "other"
        route = self._route(scope)
        http_seconds.labels(self._listener, method, route, status).observe(seconds)
        say = log.debug if status < 400 else log.info
        say(
            "A request was answered",
            listener=self._listener,
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
        )

    def _route(self, scope: Scope) -> str:
        """The pattern; asked again of the routes, because FastAPI notes only its own in the scope."""
        found = (route.path for route in self._routes if route.matches(scope)[0] is not Match.NONE)
        return next(found, "none")

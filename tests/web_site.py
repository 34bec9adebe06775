"""The public and private applications on a real store, and a browser that speaks ASGI to them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import sqlalchemy as sa
from starlette.types import ASGIApp, Message

import normalizers
from connectors import web_form
from intake.accept import Acceptor
from intake.app import policy_of
from intake.blobs import FolderBlobs
from intake.ports import Channel, Core
from intake.schema import RawMessage, Receipt
from intake.settings import Settings, load
from intake.store import schema_version
from intake.store import tables as t
from intake.store.database import AnyStore, open_store
from intake.store.ledger import StoreLedger
from intake.web.private import private_app
from intake.web.public import public_app
from intake.workers import Prepared
from router.triage import triage_all

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32
FORM = "/complaint"
_CODE = re.compile(r'id="code">([0-9A-Z-]{17})<')

File = tuple[str, str, bytes]
"""Name, declared type, content."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def code(self) -> str:
        """The tracking code an answer page shows, empty where it shows none."""
        found = _CODE.search(self.text)
        return found[1] if found else ""


@dataclass
class Browser:
    """Keeps cookies, and says where it is and where its page came from."""

    app: ASGIApp
    address: str = "192.0.2.1"
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.send("GET", path, [], **headers)

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> Answer:
        """A form without files."""
        body = urlencode(fields).encode()
        return await self.send("POST", path, [body], **{**_URLENCODED, **headers})

    async def upload(
        self, path: str, fields: dict[str, str], *files: File, kept: Sequence[str] = (), **headers: str
    ) -> Answer:
        """A form with files, sent as browsers do."""
        content_type, body = multipart([*fields.items(), *(("kept", token) for token in kept)], files)
        pieces = [body[at : at + 4096] for at in range(0, len(body), 4096)]
        return await self.send("POST", path, pieces, **{"content-type": content_type, **headers})

    async def send(
        self, method: str, path: str, body: Iterable[bytes] | AsyncIterable[bytes], **headers: str
    ) -> Answer:
        """One request; header names are written with underscores or dashes."""
        given = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.cookies:
            given["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = await ask(self.app, method, path, body, given, self.address)
        for name, morsel in SimpleCookie(answer.headers.get("set-cookie", "")).items():
            self.cookies[name] = morsel.value
        return answer


_URLENCODED = {"content-type": "application/x-www-form-urlencoded"}


async def ask(
    app: ASGIApp,
    method: str,
    path: str,
    body: Iterable[bytes] | AsyncIterable[bytes],
    headers: dict[str, str],
    address: str = "192.0.2.1",
) -> Answer:
    """One HTTP request as an ASGI server would pass it on, the body piece by piece."""
    bare, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": bare,
        "raw_path": bare.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1:8080")]
        + [(n.lower().encode(), v.encode()) for n, v in headers.items()],
        "client": (address, 50000),
        "server": ("127.0.0.1", 8080),
    }
    pieces = _pieces(body)
    sent: list[Message] = []
    is_read = False

    async def receive() -> Message:
        nonlocal is_read
        if is_read:
            await asyncio.Future()  # the client stays until it has its answer
        piece = await anext(pieces, None)
        is_read = piece is None
        return {"type": "http.request", "body": piece or b"", "more_body": not is_read}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = next(m for m in sent if m["type"] == "http.response.start")
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], found, b"".join(m.get("body", b"") for m in sent))


async def _pieces(body: Iterable[bytes] | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(body, AsyncIterable):
        async for piece in body:
            yield piece
    else:
        for piece in body:
            yield piece


def multipart(fields: Iterable[tuple[str, str]], files: Iterable[File]) -> tuple[str, bytes]:
    """Content type and body (RFC 7578)."""
    parts = [f'name="{name}"\r\n\r\n{value}'.encode() for name, value in fields]
    parts += [
        f'name="files"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'.encode() + data
        for name, kind, data in files
    ]
    head = b"--xyz\r\nContent-Disposition: form-data; "
    return "multipart/form-data; boundary=xyz", b"".join(head + p + b"\r\n" for p in parts) + b"--xyz--\r\n"


def typed(text: str = "My withdrawal of 1250 TL has not arrived.", **given: str) -> dict[str, str]:
    """What a customer fills in, under an id as the page makes one."""
    return {"id": str(uuid4()), "text": text, **given}


@dataclass
class Site:
    """One installation in this process."""

    settings: Settings
    store: AnyStore
    blobs: FolderBlobs
    acceptor: Acceptor
    ready: dict[str, str] = field(default_factory=lambda: {"database": "ok"})
    failure: Exception | None = None
    taken: list[RawMessage] = field(default_factory=list)

    def __post_init__(self) -> None:
        ledger = StoreLedger(self.store, lambda: NOW, "web_form")
        core = Core(self.deliver, ledger, self.blobs, lambda: NOW, self.settings)
        self.channel: Channel = web_form.connect(self.settings.channels()["web_form"], core)  # type: ignore[arg-type]
        self.public = public_app(self.channel.routes, self.store, self.settings, lambda: NOW)
        self.private = private_app(self.store, self.blobs, self.settings, lambda: NOW, self._ready, dict)

    async def deliver(self, raw: RawMessage) -> Receipt:
        """The core's own, or `failure` where one is set."""
        if self.failure:
            raise self.failure
        self.taken.append(raw)
        return await self.acceptor.deliver(raw)

    async def _ready(self) -> dict[str, str]:
        return self.ready

    def browser(self, address: str = "192.0.2.1") -> Browser:
        """Somebody on the form's pages."""
        return Browser(self.public, address)

    def department(self, key: str) -> Browser:
        """Somebody on the private listener with a key."""
        return Browser(self.private, headers={"authorization": f"Bearer {key}"} if key else {})

    async def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        """All rows of a table."""
        return await self.store.read(lambda c: [dict(r) for r in c.execute(sa.select(table)).mappings()])

    async def cases(self) -> list[dict[str, Any]]:
        """All cases."""
        return await self.rows(t.cases)


async def _prepare(raws: Sequence[RawMessage]) -> list[Prepared]:
    read = [normalizers.normalize(raw) for raw in raws]
    return list(map(Prepared, read, triage_all([one.message for one in read])))


@asynccontextmanager
async def open_site(folder: Path, **given: Any) -> AsyncIterator[Site]:
    """An installation whose workers run inline; `given` are settings."""
    given = {
        "data_dir": folder,
        "secret": "a secret for tests",
        "operator": {"contacts": ["support@operator.example"]},
        "web_form": {},
        "limits": {},
        **given,
    }
    given["limits"] = {"free_disk_bytes": 0, **given["limits"]}
    settings = load(None, {"web_form": web_form.Settings}, **given)
    store = open_store(settings)
    await schema_version.upgrade(store)
    blobs = FolderBlobs(folder / "blobs")
    policy = policy_of(settings, b"test secret", None)
    acceptor = Acceptor(store, blobs, _prepare, policy, settings.limits, lambda: NOW, folder)
    running = asyncio.create_task(acceptor.run())
    site = Site(settings, store, blobs, acceptor)
    try:
        yield site
    finally:
        if site.channel.close:
            await site.channel.close()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await store.close()
        await blobs.close()

"""The form page: shown, taken, and answered with a tracking code; works without JavaScript."""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from connectors.web_form.answered import Answered
from connectors.web_form.entry import (
    CATEGORIES,
    LINES,
    Entry,
    check,
    content_key,
    raw_message,
    read_urlencoded,
)
from connectors.web_form.files import FileStore, FileTooLarge
from connectors.web_form.parts import Part, Parts
from connectors.web_form.tokens import Tokens
from intake import tracking
from intake.errors import TransientError
from intake.ports import Core
from intake.schema import Outcome, Receipt
from intake.web.body import TooLarge, drain, pieces, read_whole
from intake.web.limits import Buckets
from intake.web.pages import Pages

log = structlog.get_logger(__name__)

SOURCE = "web"
PATHS = {"tr": "/sikayet", "en": "/complaint"}
FILES_PATH = "/complaint/files"

_DELIVER_SECONDS = 30.0  # a customer has not got more patience; the id makes the next try the same delivery
_RETRY_SECONDS = 60
_MOST_PARTS = 200


@dataclass(frozen=True, slots=True)
class FormPage:
    """The handlers of the form and what they work with."""

    core: Core
    pages: Pages
    tokens: Tokens
    files: FileStore
    answered: Answered
    text_characters: int
    mails_codes: bool
    browsers: Buckets
    addresses: Buckets
    uploads: Buckets

    async def start(self, request: Request) -> Response:
        """`/`: on to the form in the browser's language."""
        headers = {"Vary": "Accept-Language", "Cache-Control": "no-store"}
        return RedirectResponse(PATHS[self.pages.language(request)], 302, headers)

    async def show(self, request: Request) -> Response:
        """An empty form with a fresh id."""
        return self._named(request, self._form(_language(request), Entry(id=str(uuid.uuid4()))))

    async def submit(self, request: Request) -> Response:
        """Take a complaint: the answer leaves after the commit, and typed text is never thrown away."""
        wait = self._take(request)
        entry = Entry(id=str(uuid.uuid4()))
        try:
            await self._read(request, entry, keep_files=not wait)
        except TooLarge:
            await drain(request.receive)
            entry.problems["files"] = "wrong_total"
        except TransientError:
            if not wait:
                self._give_back(request)
            return self._busy(request, entry)
        if wait:
            retry = {"Retry-After": str(math.ceil(wait))}
            page = self._form(_language(request), entry, trouble="too_often", status=429, headers=retry)
            return self._named(request, page)
        check(entry, self.text_characters)
        if entry.problems:
            self._give_back(request)
            status = 413 if entry.problems.get("files") in ("wrong_total", "wrong_size") else 422
            return self._named(request, self._form(_language(request), entry, status=status))
        return self._named(request, await self._deliver(request, entry))

    async def take_file(self, request: Request) -> Response:
        """One file sent ahead by the page's script; answered with a token that the form carries."""
        browser = self.tokens.browser(request)
        wait = max(self.addresses.take(_address(request)), self.uploads.take(browser) if browser else 0)
        if browser is None or wait:
            return JSONResponse({"wrong": "too_often"}, 429, {"Retry-After": str(math.ceil(wait) or 1)})
        filename = unquote(request.headers.get("x-file-name", ""))
        declared_type = request.headers.get("content-type", "")
        try:
            file = await self.files.store(filename, declared_type, pieces(request.receive))
        except (FileTooLarge, TooLarge):
            await drain(request.receive)
            return JSONResponse({"wrong": "wrong_size"}, 413)
        except TransientError:
            return JSONResponse({"wrong": "busy"}, 503, {"Retry-After": str(_RETRY_SECONDS)})
        return JSONResponse({"token": self.tokens.seal(file), "size": file.size}, 201)

    async def _deliver(self, request: Request, entry: Entry) -> Response:
        language = _language(request)
        fields = {"via": "form", "language": language, "category": entry.category or None, "text": entry.text}
        fields |= entry.lines
        key = content_key(entry.id, fields, entry.files)
        raw = raw_message(SOURCE, key, fields, entry.files, self.core.clock())
        try:
            async with asyncio.timeout(_DELIVER_SECONDS):
                receipt = await self.core.deliver(raw)
        except (TransientError, TimeoutError):
            self._give_back(request)
            return self._busy(request, entry)
        except Exception:
            log.exception("A complaint from the form could not be delivered", source_key=raw.source_key)
            return self._busy(request, entry, status=500)
        # failpoint: before the page is answered
        if receipt.first:
            self.answered.count(SOURCE)
        else:
            self._give_back(request)
        return self._answer(language, receipt, entry)

    async def _read(self, request: Request, entry: Entry, *, keep_files: bool) -> None:
        content_type = request.headers.get("content-type", "")
        if not content_type.startswith("multipart/form-data"):
            body = await read_whole(request.receive, self._field_bytes * 2)
            for name, value in read_urlencoded(body):
                self._field(entry, name, value)
            return
        parts, count = Parts(content_type, pieces(request.receive)), 0
        while part := await parts.next_part():
            count += 1
            if part.filename is None and count <= _MOST_PARTS:
                self._field(entry, part.name, await self._text_of(parts))
            elif part.filename and keep_files:
                await self._file(entry, part, parts)
            elif part.filename:
                entry.problems["files"] = "wrong_again"
        if sum(file.size for file in entry.files) > self.files.limits.message_bytes:
            entry.problems["files"] = "wrong_total"

    def _field(self, entry: Entry, name: str, value: str) -> None:
        if name != "kept":
            entry.set(name, value)
        elif file := self.tokens.unseal(value):
            self._add(entry, file)
        else:
            entry.problems["files"] = "wrong_again"

    async def _file(self, entry: Entry, part: Part, parts: Parts) -> None:
        if len(entry.files) >= self.files.limits.attachments:
            entry.problems["files"] = "wrong_count"
            return
        try:
            file = await self.files.store(part.filename or "", part.declared_type, parts.data())
        except FileTooLarge:
            entry.problems["files"] = "wrong_size"
        else:
            self._add(entry, file)

    def _add(self, entry: Entry, file: Any) -> None:
        if len(entry.files) >= self.files.limits.attachments:
            entry.problems["files"] = "wrong_count"
        else:
            entry.files.append(file)

    async def _text_of(self, parts: Parts) -> str:
        """A field's text; what is over any sensible length is cut, the check then says that it is too long."""
        data = bytearray()
        async for piece in parts.data():
            if len(data) < self._field_bytes:
                data += piece
        return data[: self._field_bytes].decode("utf-8", "replace")

    @property
    def _field_bytes(self) -> int:
        return self.text_characters * 8

    def _take(self, request: Request) -> float:
        """Seconds to wait, 0 if this submission may go on: per browser first, per address far above."""
        browser = self.tokens.browser(request)
        wait = self.browsers.take(browser) if browser else 0.0
        return wait or self.addresses.take(_address(request))

    def _give_back(self, request: Request) -> None:
        if browser := self.tokens.browser(request):
            self.browsers.give_back(browser)
        self.addresses.give_back(_address(request))

    def _busy(self, request: Request, entry: Entry, status: int = 503) -> Response:
        headers = {"Retry-After": str(_RETRY_SECONDS)}
        page = self._form(_language(request), entry, trouble="busy", status=status, headers=headers)
        return self._named(request, page)

    def _form(
        self,
        language: str,
        entry: Entry,
        *,
        trouble: str = "",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        return self.pages.render(
            "form.html",
            language,
            links=PATHS,
            status=status,
            headers=headers,
            entry=entry,
            trouble=trouble,
            categories=CATEGORIES,
            line_limits=LINES,
            text_characters=self.text_characters,
            limits=self.files.limits,
            kept=[(self.tokens.seal(file), file) for file in entry.files],
            action=PATHS[language],
            files_path=FILES_PATH,
            mails_codes=self.mails_codes,
        )

    def _answer(self, language: str, receipt: Receipt, entry: Entry) -> Response:
        return self.pages.render(
            "answer.html",
            language,
            links=PATHS,
            code=tracking.show(receipt.code) if receipt.code else "",
            is_first=receipt.first,
            is_question=receipt.outcome is Outcome.ANSWERED,
            is_mailed=self.mails_codes and bool(entry.lines["email"]),
            can_be_reached=bool(entry.lines["email"] or entry.lines["phone"]),
            form_path=PATHS[language],
        )

    def _named(self, request: Request, response: Response) -> Response:
        if self.tokens.browser(request) is None:
            self.tokens.name_browser(response)
        return response


def page_routes(page: FormPage) -> list[Route]:
    """The routes of the form in each language that is offered."""
    routes = [Route("/", page.start), Route(FILES_PATH, page.take_file, methods=["POST"])]
    for language in page.pages.languages:
        routes.append(Route(PATHS[language], page.show, methods=["GET"]))
        routes.append(Route(PATHS[language], page.submit, methods=["POST"]))
    return routes


def _language(request: Request) -> str:
    return next(language for language, path in PATHS.items() if path == request.url.path)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""

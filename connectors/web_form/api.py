"""The JSON API through which the operator's own site hands in complaints of customers it knows."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from connectors.web_form.answered import Answered
from connectors.web_form.entry import LINES, raw_message
from connectors.web_form.files import FileStore, FileTooLarge
from connectors.web_form.tokens import UploadedFile
from intake import tracking
from intake.errors import TransientError
from intake.ports import Core
from intake.schema import Category
from intake.web.body import pieces, read_whole
from intake.web.keys import bearer, owner
from intake.web.limits import Buckets
from intake.web.problems import Problem

_DELIVER_SECONDS = 30.0
_RETRY = {"Retry-After": "60"}


class FileRef(BaseModel):
    """A file sent before to `POST /v1/uploads`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str = Field(max_length=2000, description="the id that the upload was answered with")
    filename: str = Field("", max_length=500)


class Complaint(BaseModel):
    """A complaint as the operator's site hands it in."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: UUID = Field(
        description="made by the client; the same id again is the same complaint, whatever it says"
    )
    text: str = Field(min_length=1)
    subject: str = Field("", max_length=LINES["subject"])
    category: Category | None = None
    language: Literal["tr", "en"] = "tr"
    name: str = Field("", max_length=LINES["name"])
    email: str = Field("", max_length=LINES["email"])
    phone: str = Field("", max_length=LINES["phone"])
    account: str = Field("", max_length=LINES["account"])
    verified: bool = Field(False, description="the customer is signed in; the site vouches for these details")
    files: list[FileRef] = Field(default_factory=list)


class Registered(BaseModel):
    """The answer; `code` is null where no case was made of the message."""

    code: str | None
    status_url: str


class Upload(BaseModel):
    """A stored file; `id` is valid for a day."""

    id: str
    size: int


@dataclass(frozen=True, slots=True)
class Api:
    """The handlers of the API and what they work with."""

    core: Core
    keys: Mapping[str, SecretStr]
    files: FileStore
    answered: Answered
    text_characters: int
    calls: Buckets

    def caller(self, request: Request) -> str:
        """The name of the key. Raises a 401 or, over the key's limit, a 429."""
        name = owner(bearer(request.headers.get("authorization")), self.keys)
        if name is None:
            raise Problem(401, "A key is needed.", headers={"WWW-Authenticate": "Bearer"})
        if wait := self.calls.take(name):
            raise Problem(429, "This key is over its limit.", headers={"Retry-After": str(math.ceil(wait))})
        return name

    async def complain(self, request: Request) -> Response:
        """Register one complaint; answers after the commit."""
        source = self.caller(request)
        complaint = await self._read(request)
        fields = complaint.model_dump(mode="json", exclude={"id", "files"})
        raw = raw_message(
            source, str(complaint.id), {"via": "api", **fields}, self._files(complaint), self.core.clock()
        )
        try:
            async with asyncio.timeout(_DELIVER_SECONDS):
                receipt = await self.core.deliver(raw)
        except (TransientError, TimeoutError) as error:
            raise Problem(
                503, "Nothing was taken; please send the same again later.", headers=_RETRY
            ) from error
        # failpoint: before the call is answered
        if receipt.first:
            self.answered.count(source)
        code = tracking.show(receipt.code) if receipt.code else None
        # what stands after # never leaves a browser, so the code is in nobody's log
        url = f"{self.core.settings.public_url}/status" + (f"#{code}" if code else "")
        return JSONResponse({"code": code, "status_url": url}, 201 if receipt.first else 200)

    async def upload(self, request: Request) -> Response:
        """Store one file, the raw body, to be named in a complaint within a day."""
        self.caller(request)
        declared_type = request.headers.get("content-type", "")
        try:
            file = await self.files.store("", declared_type, pieces(request.receive))
        except FileTooLarge as error:
            limit = self.files.limits.attachment_bytes
            raise Problem(
                413, f"A file may have at most {limit} bytes.", headers={"Connection": "close"}
            ) from error
        except TransientError as error:
            raise Problem(
                503, "Nothing was taken; please send the same again later.", headers=_RETRY
            ) from error
        if not file.size:
            raise Problem(422, "The file is empty: the request's body is the file.")
        return JSONResponse({"id": self.files.tokens.seal(file), "size": file.size}, 201)

    async def _read(self, request: Request) -> Complaint:
        body = await read_whole(request.receive, self.text_characters * 8 + 100_000)
        try:
            complaint = Complaint.model_validate_json(body)
        except ValidationError as error:
            raise _invalid(
                {"pointer": "/" + "/".join(str(part) for part in e["loc"]), "detail": e["msg"]}
                for e in error.errors(include_url=False, include_context=False, include_input=False)
            ) from error
        if len(complaint.text) > self.text_characters:
            raise _invalid([{"pointer": "/text", "detail": f"at most {self.text_characters} characters"}])
        if not complaint.text.strip():
            raise _invalid([{"pointer": "/text", "detail": "must not be blank"}])
        return complaint

    def _files(self, complaint: Complaint) -> list[UploadedFile]:
        limits = self.files.limits
        if len(complaint.files) > limits.attachments:
            raise _invalid([{"pointer": "/files", "detail": f"at most {limits.attachments} files"}])
        files = []
        for index, reference in enumerate(complaint.files):
            file = self.files.tokens.unseal(reference.id)
            if file is None:
                raise _invalid(
                    [{"pointer": f"/files/{index}/id", "detail": "no such upload, or older than a day"}]
                )
            files.append(replace(file, filename=reference.filename))
        if sum(file.size for file in files) > limits.message_bytes:
            raise _invalid(
                [{"pointer": "/files", "detail": f"at most {limits.message_bytes} bytes together"}]
            )
        return files


def _invalid(errors: Any) -> Problem:
    return Problem(422, "The complaint cannot be taken as it is.", errors=list(errors))


def api_routes(api: Api) -> list[BaseRoute]:
    """The routes, described for the OpenAPI document."""
    router = APIRouter(tags=["complaints"])
    problems: dict[int | str, dict[str, Any]] = {
        status: {"description": text, "content": {"application/problem+json": {"schema": _PROBLEM}}}
        for status, text in _ERRORS.items()
    }
    router.add_api_route(
        "/v1/complaints",
        api.complain,
        methods=["POST"],
        status_code=201,
        summary="Hand in a complaint",
        response_class=JSONResponse,
        responses={
            201: {"model": Registered, "description": "Registered and durable"},
            200: {"model": Registered, "description": "This id was taken before; the first decision stands"},
            **problems,
        },
        openapi_extra=_secured("application/json", _inline(Complaint.model_json_schema())),
    )
    router.add_api_route(
        "/v1/uploads",
        api.upload,
        methods=["POST"],
        status_code=201,
        summary="Send a file ahead of its complaint",
        response_class=JSONResponse,
        responses={201: {"model": Upload, "description": "Stored and durable"}, **problems},
        openapi_extra=_secured(
            "application/octet-stream", {"type": "string", "format": "binary", "minLength": 1}
        ),
    )
    return list(router.routes)


_ERRORS = {
    401: "The key is missing or unknown",
    413: "Too large",
    422: "Not valid; `errors` names each field",
    429: "The key is over its limit; see Retry-After",
    503: "Nothing was taken; send the same again after Retry-After",
}
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


def _inline(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without `$defs`: where it is put in the document, their references would lead nowhere."""
    known = schema.pop("$defs", {})

    def resolve(value: Any) -> Any:
        if isinstance(value, list):
            return [resolve(one) for one in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return resolve(known[value["$ref"].rpartition("/")[2]])
        return {key: resolve(one) for key, one in value.items()}

    return {key: resolve(value) for key, value in schema.items()}


def _secured(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "requestBody": {"required": True, "content": {media_type: {"schema": schema}}},
        "parameters": [
            {
                "name": "Authorization",
                "in": "header",
                "required": True,
                "schema": {"type": "string"},
                "description": "Bearer and the key",
            }
        ],
    }

"""Errors of the JSON API as RFC 9457 problem documents."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response


class Problem(HTTPException):
    """An answer that is not a success; `detail` is one sentence, `errors` point at fields."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(status, detail, headers)
        self.errors = errors


def problem_response(error: HTTPException) -> Response:
    """The problem document of an error."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(error.status_code).phrase,
        "status": error.status_code,
        "detail": error.detail,
    }
    if isinstance(error, Problem) and error.errors:
        document["errors"] = list(error.errors)
    return Response(
        json.dumps(document, ensure_ascii=False),
        error.status_code,
        {"Cache-Control": "no-store", **(error.headers or {})},
        "application/problem+json",
    )


async def answer_problem(_: Request, error: Exception) -> Response:
    """Exception handler for an application that only speaks JSON."""
    if not isinstance(error, HTTPException):
        error = Problem(500, "Something went wrong here; it has been noted.")
    return problem_response(error)

"""Pages for customers: templates, their texts in each language, and the files they link to."""

from __future__ import annotations

import hashlib
import mimetypes
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from intake.settings import Settings

_HERE = Path(__file__).parent
_LANGUAGE_NAMES = {"tr": "Türkçe", "en": "English"}


def load_texts(*catalogues: Path) -> dict[str, dict[str, str]]:
    """Texts by language and name; later catalogues add to earlier ones."""
    texts: dict[str, dict[str, str]] = {}
    for catalogue in catalogues:
        for language, table in tomllib.loads(catalogue.read_text("utf-8")).items():
            texts.setdefault(language, {}).update(table)
    return texts


def static_files(prefix: str, folder: Path) -> dict[str, bytes]:
    """The files of a folder by the path they are served under; read once, so no request touches a path."""
    return {f"{prefix}/{file.name}": file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file()}


def static_route(prefix: str, folder: Path) -> Route:
    """Serves a folder's files, cacheable for ever because links carry their hash."""
    files = static_files(prefix, folder)

    async def serve(request: Request) -> Response:
        data = files.get(request.url.path)
        if data is None:
            return Response(status_code=404)
        media_type = mimetypes.guess_type(request.url.path)[0] or "application/octet-stream"
        return Response(data, 200, {"Cache-Control": "public, max-age=31536000, immutable"}, media_type)

    return Route(f"{prefix}/{{file}}", serve)


class Pages:
    """Renders templates; `extra` is a channel's folder with `templates/`, `static/` and `texts.toml`."""

    def __init__(self, settings: Settings, *, extra: Path | None = None, extra_prefix: str = "") -> None:
        folders = [_HERE, *([extra] if extra else [])]
        self._operator = settings.operator
        self._texts = load_texts(*(folder / "texts.toml" for folder in folders))
        files = static_files("/static", _HERE / "static")
        if extra:
            files |= static_files(extra_prefix, extra / "static")
        self._assets = {
            path: f"{path}?v={hashlib.sha256(data).hexdigest()[:12]}" for path, data in files.items()
        }
        self._environment = Environment(
            loader=FileSystemLoader([folder / "templates" for folder in folders]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            asset=self._assets.__getitem__,
            operator=self._operator,
            help_lines=self._operator.help_lines,
        )
        self._environment.filters.update(fill=_fill, size=readable_size)

    @property
    def languages(self) -> Sequence[str]:
        """The languages offered, the default first."""
        return self._operator.languages

    def texts(self, language: str) -> Mapping[str, str]:
        """The catalogue of one language."""
        return self._texts[language]

    def language(self, request: Request) -> str:
        """The offered language a browser likes best (RFC 9110 section 12.5.4), else the default."""
        return preferred(request.headers.get("accept-language", ""), self.languages)

    def render(
        self,
        template: str,
        language: str,
        *,
        links: Mapping[str, str],
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Response:
        """A page as a response that nobody stores; `links` is this page's address in each language."""
        html = self._environment.get_template(template).render(
            t=self._texts[language],
            lang=language,
            other_languages=[
                (other, _LANGUAGE_NAMES[other], links[other]) for other in self.languages if other != language
            ],
            **values,
        )
        return Response(
            html,
            status,
            {"Cache-Control": "no-store", "Content-Language": language, **(headers or {})},
            "text/html",
        )


def preferred(accept_language: str, offered: Sequence[str]) -> str:
    """The best of `offered` for an Accept-Language header; ties go to the order of the header."""
    wishes: list[tuple[float, str]] = []
    for part in accept_language.split(",")[:20]:
        tag, _, weight = part.strip().partition(";q=")
        try:
            wishes.append((float(weight or 1), tag.split("-")[0].lower()))
        except ValueError:
            continue
    for liking, language in sorted(wishes, key=lambda wish: -wish[0]):
        if liking > 0 and language in offered:
            return language
    return offered[0]


def readable_size(size: int) -> str:
    """Bytes as people read them."""
    if size >= 1_048_576:
        return f"{size / 1_048_576:.1f}".removesuffix(".0") + " MB"
    return f"{max(1, round(size / 1024))} KB" if size else "0 KB"


def _fill(text: str, **values: Any) -> str:
    return text.format(**values)

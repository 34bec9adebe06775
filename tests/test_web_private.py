"""The private listener: departments see their own cases and nobody else's, and files come as files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from intake.store import tables as t
from intake.web.disposition import content_disposition
from tests.web_site import FORM, PNG, Answer, Site, open_site, typed

KEYS = {
    "data_dir": "",
    "web": {"department_keys": {"payments": "pay-new pay-old", "games": "games-key"}, "admin_key": "ops-key"},
}


@dataclass
class Case:
    """One registered complaint with a file."""

    site: Site
    id: str
    file: str

    @property
    def file_url(self) -> str:
        return f"/v1/cases/{self.id}/attachments/{self.file}"

    @property
    def text_url(self) -> str:
        return f"/v1/cases/{self.id}/text"

    async def fetch(self, url: str, key: str) -> Answer:
        return await self.site.department(key).get(url)


@pytest.fixture
async def case(tmp_path: Path) -> AsyncIterator[Case]:
    async with open_site(tmp_path, web=KEYS["web"]) as site:
        fields = typed("My card 4111 1111 1111 1111 was charged twice.", category="payments")
        await site.browser().upload(FORM, fields, ('dekont ğ".png', "image/png", PNG))
        (file,) = await site.rows(t.attachments)
        yield Case(site, file["case_id"], file["id"])


@pytest.mark.parametrize("key", ["pay-new", "pay-old", "ops-key"])
async def test_a_department_fetches_its_files(case: Case, key: str) -> None:
    """With either of its two live keys, or with that of operations."""
    answer = await case.fetch(case.file_url, key)
    assert (answer.status, answer.body) == (200, PNG)
    assert answer.headers["content-length"] == str(len(PNG))


async def test_a_file_is_never_shown_by_a_browser(case: Case) -> None:
    """Saved under its name, its type not guessed, nothing in it run."""
    headers = (await case.fetch(case.file_url, "pay-new")).headers
    assert headers["content-disposition"].startswith("attachment; filename=")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert headers["cache-control"] == "no-store"


def test_a_name_cannot_break_its_header() -> None:
    """RFC 6266 with the true name in RFC 8187's form."""
    header = content_disposition('şikâyet";\r\nX: y.png')
    assert header.isascii()
    assert "\n" not in header
    assert header.count('"') == 2
    assert "filename*=UTF-8''%C5%9Fik%C3%A2yet%22%3B%0D%0AX%3A%20y.png" in header


@pytest.mark.parametrize("which", ["file_url", "text_url"])
async def test_a_foreign_case_looks_like_none(case: Case, which: str) -> None:
    """The wrong department gets the very answer an unknown case gets."""
    url: str = getattr(case, which)
    foreign = await case.fetch(url, "games-key")
    unknown = await case.fetch(url.replace(case.id, "01a209ef-0000-7000-8000-000000000000"), "games-key")
    assert foreign.status == 404
    assert foreign == unknown


@pytest.mark.parametrize("key", ["", "pay", "pay-new pay-old", "pay-newx", "ödeme"])
async def test_nobody_else_gets_in(case: Case, key: str) -> None:
    """401 with a problem document; half a key or both values at once are no key."""
    answer = await case.fetch(case.file_url, key)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("scan", "status"), [("pending", 423), ("infected", 403), ("clean", 200)])
async def test_the_scan_decides(case: Case, scan: str, status: int) -> None:
    """A file is not handed out before its scan, and never when it is infected."""
    await case.site.store.write(lambda c: c.execute(sa.update(t.attachments).values(scan=scan)))
    answer = await case.fetch(case.file_url, "pay-new")
    assert (answer.status, PNG in answer.body) == (status, status == 200)


async def test_a_file_that_is_gone_is_a_404(case: Case) -> None:
    """The answer has not begun when the bytes turn out to be missing."""
    for blob in (case.site.settings.data_dir / "blobs" / "sha256").rglob("*"):
        if blob.is_file():
            blob.unlink()
    assert (await case.fetch(case.file_url, "pay-new")).status == 404


async def test_a_text_is_whole_and_masked(case: Case) -> None:
    """Plain text to save, with card numbers masked as in the event."""
    answer = await case.fetch(case.text_url, "pay-new")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "************1111 was charged twice." in answer.text
    assert "4111" not in answer.text


async def test_a_text_of_one_message(case: Case) -> None:
    """What a follow-up's event links to: that message alone; 404 for a message of another case."""
    await case.site.store.write(lambda c: c.execute(_second_message(c)))
    one = await case.fetch(f"{case.text_url}?message=second", "pay-new")
    whole = await case.fetch(case.text_url, "pay-new")
    assert "charged twice" not in one.text
    assert "It is solved" in one.text
    assert whole.text.index("charged twice") < whole.text.index("It is solved")
    assert (await case.fetch(f"{case.text_url}?message=other", "pay-new")).status == 404


def _second_message(connection: sa.Connection) -> sa.Insert:
    first = connection.execute(sa.select(t.messages)).mappings().one()
    document = {**first["document"], "text": "It is solved."}
    return sa.insert(t.messages).values({**first, "id": "second", "document": document})


async def test_readiness_names_what_fails(case: Case) -> None:
    """200 while every check is ok, else 503 and the sentence."""
    ready = await case.fetch("/readyz", "")
    case.site.ready["disk"] = "only 3 MiB free"
    failing = await case.fetch("/readyz", "")
    assert (ready.status, failing.status) == (200, 503)
    assert "only 3 MiB free" in failing.text


async def test_metrics_name_routes_and_no_addresses(case: Case) -> None:
    """A label holds the pattern, so that neither codes nor case ids get into the metrics."""
    await case.fetch(case.text_url, "pay-new")
    metrics = (await case.fetch("/metrics", "")).text
    assert 'route="/v1/cases/{case_id}/text"' in metrics
    assert 'route="/complaint"' in metrics
    assert case.id not in metrics


async def test_health_needs_nothing(case: Case) -> None:
    """`/healthz` answers as long as the process does."""
    assert (await case.fetch("/healthz", "")).status == 200
    assert (await case.fetch("/health/components", "")).status == 200

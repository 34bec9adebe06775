"""The status page: a code tells the state of its case and nothing else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from intake import tracking
from intake.schema import Status
from intake.store import tables as t
from intake.web.limits import Buckets
from intake.web.pages import load_texts
from tests.web_site import FORM, Answer, Site, open_site, typed

TEXTS = load_texts(Path(__file__).parent.parent / "intake" / "web" / "texts.toml")
SECRETS = typed("My secret text.", name="Ayşe Öz", email="ayse@example.org", subject="My secret subject")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path) as opened:
        yield opened


async def look_up(site: Site, code: str, address: str = "192.0.2.1") -> Answer:
    return await site.browser(address).post("/status", {"code": code, "lang": "en"})


def shape(answer: Answer) -> list[str]:
    """The tags of a page, without what they hold."""
    return re.findall(r"</?\w+", answer.text)


@pytest.mark.parametrize("status", list(Status))
async def test_a_code_reveals_the_state_alone(site: Site, status: Status) -> None:
    """Each state has its sentence in both languages; no name, address, subject or text is on the page."""
    code = (await site.browser().post(FORM, SECRETS)).code
    await site.store.write(lambda c: c.execute(sa.update(t.cases).values(status=status.value)))
    answer = await look_up(site, code)
    assert TEXTS["en"][f"state_{status.value}"] in answer.text
    assert TEXTS["tr"][f"state_{status.value}_next"]
    assert "secret" not in answer.text
    assert "Ay" not in answer.text
    assert "ayse" not in answer.text


async def test_an_unknown_code_looks_like_a_known_one(site: Site) -> None:
    """The same status code, headers, tags and length; only the words differ."""
    known = await look_up(site, (await site.browser().post(FORM, SECRETS)).code)
    unknown = await look_up(site, tracking.show(tracking.new()))
    assert known.status == unknown.status == 200
    assert known.headers == unknown.headers
    assert shape(known) == shape(unknown)
    assert len(known.body) == len(unknown.body)
    assert TEXTS["en"]["state_unknown"] in unknown.text


async def test_a_code_is_read_as_people_type_it(site: Site) -> None:
    """Lower case, blanks instead of dashes, O for zero."""
    code = (await site.browser().post(FORM, typed())).code
    for spelling in (code.lower(), code.replace("-", " "), code.replace("0", "o").replace("1", "I")):
        assert TEXTS["en"]["state_registered"] in (await look_up(site, spelling)).text


@pytest.mark.parametrize(
    ("code", "problem"), [("", "status_empty"), ("4K7M-Q2XW-9HTB-6S", "status_mistyped")]
)
async def test_a_mistyped_code_is_told_from_an_unknown_one(site: Site, code: str, problem: str) -> None:
    """The check symbols are judged without the database; what was typed stays in the field."""
    answer = await look_up(site, code)
    assert TEXTS["en"][problem] in answer.text
    assert f'value="{code}"' in answer.text


async def test_guessing_is_slowed(site: Site) -> None:
    """429 after ten look-ups a minute from one address; another address goes on."""
    statuses = [(await look_up(site, tracking.show(tracking.new()))).status for _ in range(11)]
    assert statuses == [200] * 10 + [429]
    assert (await look_up(site, tracking.show(tracking.new()), "198.51.100.7")).status == 200


async def test_a_code_never_stands_in_an_address(site: Site) -> None:
    """A code in the query is not looked up, so nobody gets used to links that proxies would log."""
    code = (await site.browser().post(FORM, typed())).code
    assert code not in (await site.browser().get(f"/status?code={code}")).text
    answer = await site.browser().post(FORM, typed("Another."))
    assert f"/status?lang=en#{answer.code}" in answer.text


async def test_a_typed_code_is_text(site: Site) -> None:
    """Markup in the field comes back as text."""
    answer = await look_up(site, '"><script>alert(1)</script>')
    assert "<script>alert" not in answer.text


async def test_a_large_body_is_refused(site: Site) -> None:
    """A code needs no kilobytes."""
    assert (await look_up(site, "x" * 5000)).status == 413


def test_both_languages_say_the_same_things() -> None:
    """Every text of the frame exists in both."""
    assert TEXTS["tr"].keys() == TEXTS["en"].keys()


def test_a_bucket_refills_and_forgets() -> None:
    """Two at once, one more after half the time; beyond its bound the oldest key is forgotten."""
    now = 0.0
    buckets = Buckets(2, 10, keys=2, monotonic=lambda: now)
    assert [buckets.take("a"), buckets.take("a"), buckets.take("a")] == [0, 0, 5]
    now = 5.0
    assert buckets.take("a") == 0
    for key in ("b", "c"):
        buckets.take(key)
    assert len(buckets) == 2
    assert buckets.take("a") == 0

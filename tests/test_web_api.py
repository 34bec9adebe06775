"""The JSON API: one complaint per id, one answer per mistake, and nothing taken that is not answered for."""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from intake.errors import TransientError
from intake.schema import Message
from intake.store import tables as t
from intake.web import keys
from tests.web_site import PNG, Answer, Site, open_site

KEYS = {"shop": "shop-new shop-old", "app": "app-key"}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    limits = {"attachment_bytes": 1_000, "attachments": 2}
    web_form = {"api_keys": KEYS, "api_per_minute": 10, "text_characters": 500}
    async with open_site(tmp_path, web_form=web_form, limits=limits) as opened:
        yield opened


def complaint(**given: Any) -> dict[str, Any]:
    return {"id": str(uuid4()), "text": "My bonus was not credited.", **given}


async def hand_in(site: Site, document: object, key: str = "shop-new") -> Answer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    return await site.browser().send("POST", "/v1/complaints", [body], **headers)


async def upload(site: Site, data: bytes, key: str = "shop-new") -> Answer:
    return await site.browser().send("POST", "/v1/uploads", [data], authorization=f"Bearer {key}")


async def messages(site: Site) -> list[Message]:
    return [Message.model_validate(row["document"]) for row in await site.rows(t.messages)]


async def test_a_complaint_is_answered_with_its_code(site: Site) -> None:
    """201 with the code and where its state can be asked; the source is the key's name."""
    answer = await hand_in(site, complaint(category="payments", language="en"))
    (case,) = await site.cases()
    shown = json.loads(answer.body)
    assert answer.status == 201
    assert shown["code"].replace("-", "") == case["code"]
    assert shown["status_url"] == f"http://127.0.0.1:8080/status#{shown['code']}"
    assert (case["source"], case["department"], case["language"]) == ("shop", "payments", "en")


async def test_the_same_id_is_the_same_complaint(site: Site) -> None:
    """200 with the first code, whatever it says the second time; another key's ids are its own."""
    first = await hand_in(site, complaint(id="6f1d5f0a-3333-4444-8888-aaaaaaaaaaaa"))
    again = await hand_in(site, complaint(id="6F1D5F0A-3333-4444-8888-AAAAAAAAAAAA", text="Other words."))
    other = await hand_in(site, complaint(id="6f1d5f0a-3333-4444-8888-aaaaaaaaaaaa"), key="app-key")
    assert (first.status, again.status, other.status) == (201, 200, 201)
    assert first.body == again.body
    assert len(await site.cases()) == 2


@pytest.mark.parametrize("key", ["", "shop", "shop-new shop-old", "Shop-new", "ğ"])
async def test_only_known_keys_are_served(site: Site, key: str) -> None:
    """401 before anything is read."""
    for answer in (await hand_in(site, complaint(), key), await upload(site, PNG, key)):
        assert answer.status == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert json.loads(answer.body)["status"] == 401


async def test_both_live_values_of_a_key_open(site: Site) -> None:
    """While a key is being replaced the old one still works, and both are the same source."""
    await hand_in(site, complaint(), "shop-new")
    await hand_in(site, complaint(), "shop-old")
    assert {case["source"] for case in await site.cases()} == {"shop"}


def test_every_key_is_compared_whatever_matched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time taken does not tell which key came close: all values, each in constant time."""
    compared: list[bytes] = []
    compare = hmac.compare_digest

    def noted(a: bytes, b: bytes) -> bool:
        compared.append(a)
        return compare(a, b)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    given = {name: SecretStr(value) for name, value in KEYS.items()}
    assert keys.owner("shop-new", given) == "shop"
    assert compared == [b"shop-new", b"shop-old", b"app-key"]


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (b"{", "/"),
        (complaint(text=""), "/text"),
        (complaint(text="  \n"), "/text"),
        (complaint(text="x" * 501), "/text"),
        (complaint(id="7"), "/id"),
        (complaint(category="weather"), "/category"),
        (complaint(langauge="tr"), "/langauge"),
        (complaint(files=[{"id": "made up"}]), "/files/0/id"),
    ],
)
async def test_a_mistake_is_named_by_its_field(site: Site, document: object, pointer: str) -> None:
    """422 with a JSON pointer; nothing that was sent is quoted back, nothing is registered."""
    answer = await hand_in(site, document)
    errors = json.loads(answer.body)["errors"]
    assert answer.status == 422
    assert [error["pointer"] for error in errors] == [pointer]
    assert "weather" not in answer.text
    assert await site.cases() == []


async def test_files_are_sent_first_and_named_then(site: Site) -> None:
    """An upload's id attaches its bytes under the name the complaint gives them."""
    sent = json.loads((await upload(site, PNG)).body)
    answer = await hand_in(site, complaint(files=[{"id": sent["id"], "filename": "kupon.png"}]))
    (file,) = await site.rows(t.attachments)
    assert (sent["size"], answer.status) == (len(PNG), 201)
    assert (file["filename"], file["media_type"]) == ("kupon.png", "image/png")


async def test_files_have_limits(site: Site) -> None:
    """413 for one that is too large, 422 for too many."""
    sent = json.loads((await upload(site, PNG)).body)
    assert (await upload(site, b"x" * 1001)).status == 413
    assert (await hand_in(site, complaint(files=[{"id": sent["id"]}] * 3))).status == 422


async def test_a_large_document_is_refused(site: Site) -> None:
    """413 as a problem document."""
    answer = await hand_in(site, b'{"text":"' + b"x" * 200_000)
    assert (answer.status, answer.headers["content-type"]) == (413, "application/problem+json")


async def test_a_key_has_a_limit(site: Site) -> None:
    """429 with Retry-After; the other key goes on."""
    statuses = [(await hand_in(site, complaint())).status for _ in range(10)]
    over = await hand_in(site, complaint())
    assert statuses == [201] * 10
    assert (over.status, int(over.headers["retry-after"]) > 0) == (429, True)
    assert (await hand_in(site, complaint(), "app-key")).status == 201


async def test_nothing_is_taken_while_the_core_cannot(site: Site) -> None:
    """503 with Retry-After; the same again is then the first."""
    site.failure, document = TransientError("down"), complaint()
    refused = await hand_in(site, document)
    site.failure = None
    assert (refused.status, refused.headers["retry-after"]) == (503, "60")
    assert (await hand_in(site, document)).status == 201


@pytest.mark.parametrize(("verified", "trust"), [(True, "authenticated"), (False, "none")])
async def test_the_site_vouches_or_not(site: Site, verified: bool, trust: str) -> None:
    """Only `verified` makes the details more than typed."""
    await hand_in(site, complaint(email="Ayse@Example.org", account="ayse77", verified=verified))
    (message,) = await messages(site)
    assert (message.sender.trust, message.sender.account) == (trust, "ayse77")
    assert [point.value for point in message.sender.contact_points] == ["ayse@example.org"]


async def test_the_api_describes_itself(site: Site) -> None:
    """The OpenAPI document names both calls, their bodies and their answers."""
    document = json.loads((await site.browser().get("/v1/openapi.json")).body)
    post = document["paths"]["/v1/complaints"]["post"]
    assert set(post["responses"]) >= {"200", "201", "401", "413", "422", "429", "503"}
    assert "text" in post["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert "/v1/uploads" in document["paths"]

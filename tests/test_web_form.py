"""The form: nothing typed is lost, nothing is taken twice, and a code is shown only for what is durable."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from intake import tracking
from intake.errors import Overloaded, TransientError
from intake.store import tables as t
from intake.store.ledger import balance
from intake.web.pages import load_texts
from tests.web_site import FORM, PNG, Answer, Site, multipart, open_site, typed

TEXTS = Path(__file__).parent.parent / "connectors" / "web_form" / "texts.toml"
Open = Callable[..., Any]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path) as opened:
        yield opened


@pytest.fixture
async def small_site(tmp_path: Path) -> AsyncIterator[Site]:
    """Files of 1,000 bytes, 10,000 together, two of them; texts of 500 characters."""
    limits = {"attachment_bytes": 1_000, "message_bytes": 10_000, "attachments": 2}
    async with open_site(tmp_path, limits=limits, web_form={"text_characters": 500}) as opened:
        yield opened


def fields_of(answer: Answer) -> dict[str, str]:
    """Names and values of a page's inputs."""
    inputs = re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', answer.text)
    return dict(inputs)


async def test_a_complaint_gets_the_code_of_its_case(site: Site) -> None:
    """What the page shows is what is stored, with everything that was typed."""
    fields = typed(category="payments", name="Ayşe Öz", email="Ayse@Example.org", phone="0532 123 45 67")
    answer = await site.browser().post(FORM, {**fields, "account": "ayse77", "subject": "Çekim"})
    (case,) = await site.cases()
    assert (answer.status, answer.code) == (200, tracking.show(case["code"]))
    assert (case["department"], case["language"], case["subject"]) == ("payments", "en", "Çekim")


async def test_a_code_is_shown_after_the_commit(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the transaction has not ended there is no answer."""
    reached, go, write = asyncio.Event(), asyncio.Event(), site.store.write

    async def held(work: Callable[[sa.Connection], Any]) -> Any:
        reached.set()
        await go.wait()
        return await write(work)

    monkeypatch.setattr(site.store, "write", held)
    sending = asyncio.create_task(site.browser().post(FORM, typed()))
    await reached.wait()
    early, _ = await asyncio.wait({sending}, timeout=0.2)
    assert not early
    go.set()
    assert (await sending).code


async def test_a_double_click_makes_one_case(site: Site) -> None:
    """The same page sent twice at once: one case, and both answers show its code."""
    fields = typed()
    first, second = await asyncio.gather(site.browser().post(FORM, fields), site.browser().post(FORM, fields))
    assert first.code
    assert first.code == second.code
    assert len(await site.cases()) == 1


async def test_other_words_under_an_old_id_are_not_dropped(site: Site) -> None:
    """A page from the browser's history may hold a new complaint; it gets its own code."""
    fields, browser = typed(), site.browser()
    first = await browser.post(FORM, fields)
    second = await browser.post(FORM, {**fields, "text": "Now my account is locked, too."})
    assert first.code != second.code
    assert len(await site.cases()) == 2


async def test_a_bare_post_works(site: Site) -> None:
    """No id, no cookie, no Origin: an old phone still gets its code."""
    assert (await site.browser().post(FORM, {"text": "My bet was not paid."})).code


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("text", "  ", "Please write what happened."),
        ("text", "x" * 501, "up to 500 characters"),
        ("email", "ayse@", "e-mail address"),
        ("phone", "call me", "phone number"),
        ("name", "n" * 201, "up to 200 characters"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_typed_stays(
    small_site: Site, field: str, value: str, problem: str
) -> None:
    """422, one sentence at the field, and every field as it was."""
    fields = {**typed(account="ayse77", category="game"), field: value}
    answer = await small_site.browser().post(FORM, fields)
    assert answer.status == 422
    assert problem in answer.text
    assert f'aria-describedby="{field}' in answer.text
    assert 'value="ayse77"' in answer.text
    assert 'value="game" checked' in answer.text
    assert value in answer.text
    assert fields_of(answer)["id"] == fields["id"]
    assert await small_site.cases() == []


@pytest.mark.parametrize(
    ("failure", "status"), [(Overloaded("full"), 503), (TransientError("down"), 503), (KeyError("ours"), 500)]
)
async def test_typed_text_stays_when_nothing_can_be_taken(
    site: Site, failure: Exception, status: int
) -> None:
    """Text, id and files are on the page that says so; sent again it is registered."""
    site.failure, fields, browser = failure, typed(email="ayse@example.org"), site.browser()
    answer = await browser.upload(FORM, fields, ("shot.png", "image/png", PNG))
    assert (answer.status, answer.headers["retry-after"]) == (status, "60")
    assert fields["text"] in answer.text
    assert "support@operator.example" in answer.text
    site.failure = None
    shown = fields_of(answer)
    again = await browser.upload(FORM, {**fields, "id": shown["id"]}, kept=[shown["kept"]])
    assert again.code
    assert [file["filename"] for file in await site.rows(t.attachments)] == ["shot.png"]


async def test_over_the_limit_the_text_stays_and_other_ways_are_shown(tmp_path: Path) -> None:
    """429 for this browser; another one behind the same address goes on."""
    async with open_site(tmp_path, web_form={"browser_submissions": 1}) as site:
        browser, other = site.browser(), site.browser()
        await browser.get(FORM)
        await other.get(FORM)
        assert (await browser.post(FORM, typed())).code
        answer = await browser.post(FORM, typed("The second one."))
        assert answer.status == 429
        assert int(answer.headers["retry-after"]) > 0
        assert "The second one." in answer.text
        assert "support@operator.example" in answer.text
        assert (await other.post(FORM, typed())).code


async def test_an_address_has_its_own_far_limit(tmp_path: Path) -> None:
    """Without cookies the address alone counts."""
    async with open_site(tmp_path, web_form={"address_submissions": 2}) as site:
        statuses = [(await site.browser().post(FORM, typed())).status for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert (await site.browser("198.51.100.7").post(FORM, typed())).status == 200


async def test_mistakes_and_repeats_do_not_count_against_the_limit(tmp_path: Path) -> None:
    """Five corrections and a double click leave the one submission free."""
    async with open_site(tmp_path, web_form={"browser_submissions": 1}) as site:
        browser, fields = site.browser(), typed()
        await browser.get(FORM)
        wrong = [(await browser.post(FORM, typed(""))).status for _ in range(5)]
        assert wrong == [422] * 5
        assert (await browser.post(FORM, fields)).code


async def test_a_forged_cookie_is_nobody(tmp_path: Path) -> None:
    """A browser cannot make up names to get around its limit: it is told its name anew and counts by address."""
    async with open_site(tmp_path, web_form={"browser_submissions": 1}) as site:
        browser = site.browser()
        browser.cookies["intake_browser"] = "me.aaaa.bbbb"
        answer = await browser.get(FORM)
        assert "intake_browser=" in answer.headers["set-cookie"]
        assert "HttpOnly" in answer.headers["set-cookie"]


async def test_files_arrive_with_what_they_really_are(site: Site) -> None:
    """Names are made safe, types come from the bytes, bytes are in the blob store."""
    files = ("../../e\u202egnp.exe", "image/png", PNG), ("a.png", "image/png", b"<script>alert(1)</script>")
    assert (await site.browser().upload(FORM, typed(), *files)).code
    stored = await site.rows(t.attachments)
    assert [(f["filename"], f["media_type"]) for f in stored] == [
        ("egnp.exe", "image/png"),
        ("a.png", "text/html"),
    ]
    assert await site.blobs.get(stored[0]["sha256"]) == PNG


async def test_a_file_is_stored_while_it_arrives(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of a file is sent only after its beginning has reached the blob store."""
    reached, put_stream = asyncio.Event(), site.blobs.put_stream

    async def watched(chunks: AsyncIterator[bytes], limit: int) -> tuple[str, int, bytes]:
        async def noted() -> AsyncIterator[bytes]:
            async for chunk in chunks:
                reached.set()
                yield chunk

        return await put_stream(noted(), limit)

    async def slowly(body: bytes) -> AsyncIterator[bytes]:
        yield body[:-500]
        await reached.wait()
        yield body[-500:]

    monkeypatch.setattr(site.blobs, "put_stream", watched)
    content_type, body = multipart(typed().items(), [("big.bin", "application/octet-stream", b"x" * 5000)])
    async with asyncio.timeout(10):
        answer = await site.browser().send("POST", FORM, slowly(body), content_type=content_type)
    assert answer.code


async def test_a_file_over_the_limit_costs_no_text_and_no_other_file(small_site: Site) -> None:
    """413; text and the other file stay, and a second sending without it goes through."""
    files = ("big.bin", "", b"x" * 1001), ("small.png", "image/png", PNG)
    fields = typed(email="ayse@example.org")
    answer = await small_site.browser().upload(FORM, fields, *files)
    assert answer.status == 413
    assert fields["text"] in answer.text
    assert "small.png" in answer.text
    assert "big.bin" not in answer.text
    kept = fields_of(answer)["kept"]
    assert (await small_site.browser().upload(FORM, fields, kept=[kept])).code


async def test_a_request_over_the_limit_costs_no_text(small_site: Site) -> None:
    """413 with the text, though the body is larger than what is read."""
    files = [(f"{n}.bin", "", b"x" * 900) for n in range(20)]
    answer = await small_site.browser().upload(FORM, typed(), *files)
    assert answer.status == 413
    assert "My withdrawal of 1250 TL" in answer.text
    assert await small_site.cases() == []


async def test_too_many_files_are_said_not_dropped_in_silence(small_site: Site) -> None:
    """422 with the first ones kept."""
    files = [(f"{n}.png", "image/png", PNG) for n in range(3)]
    answer = await small_site.browser().upload(FORM, typed(), *files)
    assert answer.status == 422
    assert "up to 2" in answer.text
    assert re.findall(r'class="name">([^<]+)', answer.text) == ["0.png", "1.png"]


async def test_a_file_token_cannot_be_made_up(site: Site) -> None:
    """A forged one names no blob; the customer is asked to choose the file again."""
    answer = await site.browser().upload(FORM, typed(), kept=["eyJzaGEyNTYiOiAiMCJ9.aaaa.bbbb"])
    assert answer.status == 422
    assert "choose them again" in answer.text


async def test_a_file_sent_ahead_belongs_to_the_complaint(site: Site) -> None:
    """The page's script sends a file by itself; the form then carries its token."""
    browser = site.browser()
    await browser.get(FORM)
    headers = {"content-type": "image/png", "x-file-name": "ekran%20g%C3%B6r%C3%BCnt%C3%BCs%C3%BC.png"}
    sent = await browser.send("POST", "/complaint/files", [PNG], **headers)
    token = re.findall(r'"token":"([^"]+)"', sent.text)
    assert sent.status == 201
    assert (await browser.upload(FORM, typed(), kept=token)).code
    assert [f["filename"] for f in await site.rows(t.attachments)] == ["ekran görüntüsü.png"]


async def test_files_sent_ahead_have_limits(small_site: Site) -> None:
    """413 for a large one, 429 for a browser that was never on the page."""
    browser = small_site.browser()
    assert (await browser.send("POST", "/complaint/files", [PNG])).status == 429
    await browser.get(FORM)
    assert (await browser.send("POST", "/complaint/files", [b"x" * 1001])).status == 413


async def test_typed_markup_is_text(small_site: Site) -> None:
    """Nothing typed becomes markup on the page that shows it again, file names included."""
    attack = '"><img src=x onerror=alert(1)></textarea><script>alert(1)</script>'
    fields = {**typed(attack), "email": attack, "name": attack, "category": attack, "id": attack}
    file = (attack.replace('"', "%22"), "image/png", PNG)
    answer = await small_site.browser().upload(FORM, fields, file)
    assert answer.status == 422
    assert "<img" not in answer.text
    assert "alert(1)</script>" not in answer.text
    assert answer.text.count("&lt;img src=x onerror=alert(1)&gt;") == 4


async def test_a_first_line_that_is_empty_stays(site: Site) -> None:
    """HTML drops one line break after <textarea>; the page adds one of its own."""
    answer = await site.browser().post(FORM, typed("\nSecond line", email="wrong"))
    assert ">\n\nSecond line</textarea>" in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": "http://127.0.0.1:8080"}, 200),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, 200),
        ({}, 200),
    ],
)
async def test_forms_on_other_sites_are_refused(site: Site, headers: dict[str, str], status: int) -> None:
    """What another site's page makes a browser send is 403 and leaves nothing behind."""
    answer = await site.browser().post(FORM, typed(), **headers)
    assert answer.status == status
    assert len(await site.cases()) == (status == 200)


async def test_the_books_count_what_was_answered_once(site: Site) -> None:
    """A repeat is not seen twice, a refused form not at all."""
    fields, browser = typed(), site.browser()
    for sent in (fields, fields, typed("Another one."), typed("")):
        await browser.post(FORM, sent)
    assert site.channel.close
    await site.channel.close()
    (books,) = await site.store.read(balance)
    assert (books["seen"], books["registered"], books["gap"]) == (2, 2, 0)


async def test_a_question_for_the_state_opens_no_case(site: Site) -> None:
    """The page says so instead of pretending to a new complaint."""
    browser = site.browser()
    code = (await browser.post(FORM, typed())).code
    answer = await browser.post(FORM, typed(f"What is the status of {code}?"))
    assert "so we opened no new one" in answer.text
    assert len(await site.cases()) == 1


async def test_the_start_page_goes_to_the_browsers_language(site: Site) -> None:
    """Turkish first; the header decides where it names a language that is offered."""
    wishes = {
        "en-GB,tr;q=0.5": "/complaint",
        "de,tr;q=0.3,en;q=0.2": "/sikayet",
        "ja": "/sikayet",
        "": "/sikayet",
    }
    for wish, path in wishes.items():
        answer = await site.browser().get("/", accept_language=wish)
        assert (answer.status, answer.headers["location"]) == (302, path)


async def test_the_page_tells_browsers_to_keep_and_run_nothing(site: Site) -> None:
    """Not stored, not framed, no foreign or inline script."""
    headers = (await site.browser().get("/sikayet")).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy


async def test_cookies_of_a_site_with_tls_never_travel_without(tmp_path: Path) -> None:
    """`__Host-`, Secure, and HSTS where `public_url` is https."""
    async with open_site(tmp_path, web={"public_url": "https://sikayet.example"}) as site:
        headers = (await site.browser().get(FORM)).headers
    assert headers["set-cookie"].startswith("__Host-intake_browser=")
    assert "Secure" in headers["set-cookie"]
    assert "max-age" in headers["strict-transport-security"]


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/static/..%2ftexts.toml", 404)])
async def test_unknown_addresses_get_a_page(site: Site, path: str, status: int) -> None:
    """In the browser's language, with a way on."""
    answer = await site.browser().get(path, accept_language="en")
    assert answer.status == status


async def test_a_body_that_is_no_form_is_a_400(site: Site) -> None:
    """A broken client gets an answer, not an exception."""
    headers = {"content-type": "multipart/form-data; boundary=xyz"}
    for body in (b"nonsense", b"--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\nb"):
        assert (await site.browser().send("POST", FORM, [body], **headers)).status == 400
    no_boundary = {"content-type": "multipart/form-data"}
    assert (await site.browser().send("POST", FORM, [b"x"], **no_boundary)).status == 400


def test_both_languages_say_the_same_things() -> None:
    """Every text exists in both, with the same places to fill."""
    texts = load_texts(TEXTS)
    places = {
        lang: {k: sorted(re.findall(r"{\w+}", v)) for k, v in names.items()} for lang, names in texts.items()
    }
    assert places["tr"] == places["en"]

"""The pages in a real Chromium: without JavaScript, on the smallest phone, in the dark, and clicked twice."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright

from intake.listeners import Listener
from intake.store import tables as t
from tests.conftest import IN_CI
from tests.web_site import FORM, PNG, Site, open_site

pytestmark = pytest.mark.browser

CHROMIUM = os.environ.get("DEV_CHROMIUM") or shutil.which("chromium") or ""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
TEXT = "My withdrawal of 1250 TL has not arrived."
UNLABELLED = """() => [...document.querySelectorAll('input:not([type=hidden]), textarea, button, select')]
  .filter((e) => !(e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim())).map((e) => e.outerHTML)"""
OUTSIDE = """() => document.documentElement.scrollWidth - document.documentElement.clientWidth"""
CONTRAST = """() => {
  const light = (c) => c.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$/.test(c)) return c;
    }
    return 'rgb(255, 255, 255)';
  };
  const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  return [...document.querySelectorAll('h1,h2,p,a,label,legend,small,button,li,span')]
    .filter((e) => e.textContent.trim() && e.getClientRects().length)
    .map((e) => [ratio(light(getComputedStyle(e).color), light(ground(e))), e.outerHTML])
    .filter(([r]) => r < 4.5);
}"""


class Pages:
    """Opens pages of a site, and collects what the browser complains about."""

    def __init__(self, browser: Browser, site: Site, url: str) -> None:
        self.site, self.url = site, url
        self._browser = browser
        self.complaints: list[str] = []

    async def open(self, path: str = FORM, **given: Any) -> Page:
        context: BrowserContext = await self._browser.new_context(locale="en-GB", **given)
        page = await context.new_page()
        page.on("console", lambda m: self.complaints.append(m.text) if "422" not in m.text else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(self.url + path)
        return page


@asynccontextmanager
async def listening(site: Site) -> AsyncIterator[str]:
    """The public application on a loopback port."""
    listener = Listener("public", site.public, "127.0.0.1", 0, 1)
    running = asyncio.create_task(listener.run())
    try:
        yield f"http://127.0.0.1:{listener.port}"
    finally:
        listener.stop()
        await running


@pytest.fixture
async def pages(tmp_path: Path) -> AsyncIterator[Pages]:
    if not CHROMIUM:
        (pytest.fail if IN_CI else pytest.skip)(
            "Chromium is not there; install it with: scripts/services up chromium"
        )
    async with (
        open_site(tmp_path) as site,
        listening(site) as url,
        async_playwright() as playwright,
        await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS) as browser,
    ):
        opened = Pages(browser, site, url)
        yield opened
        assert opened.complaints == []


def shot(name: str = "ekran görüntüsü.png", data: bytes = PNG) -> Any:
    return {"name": name, "mimeType": "image/png", "buffer": data}


async def send(page: Page) -> None:
    async with page.expect_navigation():
        await page.click("button[type=submit]")


async def code_on(page: Page) -> str:
    return (await page.text_content("#code") or "").strip()


@pytest.mark.parametrize("javascript", [True, False])
async def test_a_complaint_with_a_file(pages: Pages, javascript: bool) -> None:
    """The form works with JavaScript and without: code, case, file, and the way on to the state."""
    page = await pages.open(java_script_enabled=javascript)
    await page.check("input[value=payments]")
    await page.fill("#text", TEXT)
    await page.set_input_files("#files", [shot()])
    await send(page)
    code = await code_on(page)
    (case,) = await pages.site.cases()
    assert code.replace("-", "") == case["code"]
    assert [f["filename"] for f in await pages.site.rows(t.attachments)] == ["ekran görüntüsü.png"]
    async with page.expect_navigation():  # the page's own script fills the field as well
        await page.click("text=Show the status")
    await page.fill("#code", code)
    await send(page)
    assert await page.text_content(".state") == "Registered"


async def test_a_link_with_a_code_fills_the_field(pages: Pages) -> None:
    """From the answer page to the state without typing, and the code leaves the address bar."""
    page = await pages.open()
    await page.fill("#text", TEXT)
    await send(page)
    code = await code_on(page)
    async with page.expect_navigation():
        await page.click("text=Show the status")
    assert await page.input_value("#code") == code
    assert code not in page.url


async def test_two_clicks_send_once(pages: Pages) -> None:
    """The second click does nothing, and one case is registered."""
    page = await pages.open()
    await page.fill("#text", TEXT)
    async with page.expect_navigation():
        await page.evaluate(
            "() => { const b = document.querySelector('button[type=submit]'); b.click(); b.click(); }"
        )
    assert await code_on(page)
    assert len(pages.site.taken) == 1


async def test_files_are_sent_ahead_shown_and_removed(pages: Pages) -> None:
    """A removed file stays out of the complaint, and its neighbour does not."""
    page = await pages.open()
    await page.set_input_files("#files", [shot("one.png"), shot("two.png")])
    await page.wait_for_function("() => document.querySelectorAll('input[name=kept]').length === 2")
    await page.click("button[aria-label='Remove one.png']")
    await page.fill("#text", TEXT)
    await send(page)
    assert [f["filename"] for f in await pages.site.rows(t.attachments)] == ["two.png"]


async def test_a_file_that_cannot_be_sent_ahead_goes_with_the_form(pages: Pages) -> None:
    """Sending ahead is comfort: when it fails, nothing is lost."""

    async def refuse(route: Route) -> None:
        await route.fulfill(status=204)

    page = await pages.open()
    await page.route("**/complaint/files", refuse)
    await page.set_input_files("#files", [shot()])
    await page.wait_for_selector("text=Will be sent with the form")
    await page.fill("#text", TEXT)
    await send(page)
    assert len(await pages.site.rows(t.attachments)) == 1


async def test_a_draft_outlives_a_reload_and_ends_with_the_complaint(pages: Pages) -> None:
    """What was typed comes back in this tab until it is registered."""
    page = await pages.open()
    await page.fill("#text", TEXT)
    await page.check("input[value=game]")
    await page.set_input_files("#files", [shot()])
    await page.wait_for_selector("input[name=kept]", state="attached")
    identity = await page.input_value("input[name=id]")
    await page.reload()
    assert await page.input_value("#text") == TEXT
    assert await page.is_checked("input[value=game]")
    assert await page.input_value("input[name=id]") == identity
    await send(page)
    assert len(await pages.site.rows(t.attachments)) == 1
    await page.goto(pages.url + FORM)
    assert await page.input_value("#text") == ""


async def test_mistakes_are_found_by_keyboard_and_screen_reader(pages: Pages) -> None:
    """The summary has the focus, its links lead to the fields, and fields name their mistakes."""
    page = await pages.open()
    await page.fill("#email", "nobody")
    await send(page)
    assert await page.evaluate("() => document.activeElement.className") == "notice"
    assert (await page.title()).startswith("Error:")
    await page.click(".notice a[href='#email']")
    assert await page.evaluate("() => document.activeElement.id") == "email"
    for name in ("text", "email"):
        described = await page.get_attribute(f"#{name}", "aria-describedby") or ""
        assert f"{name}-error" in described.split()
        assert await page.is_visible(f"#{name}-error")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_fits_and_can_be_read(pages: Pages, scheme: Any) -> None:
    """At 320 px nothing is cut off sideways; every control has a name; contrast is at least 4.5 to 1."""
    page = await pages.open(viewport={"width": 320, "height": 640}, color_scheme=scheme)
    for path in ("/sikayet", "/complaint", "/status?lang=tr", "/nothing"):
        await page.goto(pages.url + path)
        assert await page.evaluate(OUTSIDE) == 0
        assert await page.evaluate(UNLABELLED) == []
        assert await page.evaluate(CONTRAST) == []
    pages.complaints[:] = [c for c in pages.complaints if "404" not in c]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_long_words_and_mistakes_fit_too(pages: Pages, scheme: Any) -> None:
    """The page with mistakes and files, and the answer, at 320 px."""
    page = await pages.open(viewport={"width": 320, "height": 640}, color_scheme=scheme)
    await page.set_input_files("#files", [shot("a" * 120 + ".png")])
    await page.wait_for_selector("input[name=kept]", state="attached")
    await send(page)
    assert await page.evaluate(OUTSIDE) == 0
    assert await page.evaluate(CONTRAST) == []
    await page.fill("#text", "w" * 500)
    await send(page)
    assert await code_on(page)
    assert await page.evaluate(OUTSIDE) == 0
    assert await page.evaluate(CONTRAST) == []

"""The way back: notices become letters, within the limits, and go out through their channels."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog

from intake import identity, letters, telemetry
from intake.errors import RejectedNotice, TransientError
from intake.ports import Channel, Clock, Store
from intake.schema import Letter
from intake.settings import Settings
from intake.store import postbox
from intake.store.outbox import Bell

log = structlog.get_logger(__name__)

_IDLE_SECONDS = 5.0  # a look even when nothing was committed here: another process may have written
_FIRST_RETRY = timedelta(seconds=5)
_LAST_RETRY = timedelta(minutes=15)
_SLICE = 50  # letters claimed at once
_PER_RECIPIENT_HOUR = 5


class Postman:
    """Sends what is due. One runs at a time (a lease); `bell`, rung after each commit, makes it look at once."""

    def __init__(
        self,
        store: Store,
        channels: Mapping[str, Channel],
        settings: Settings,
        secret: bytes,
        clock: Clock,
        bell: Bell,
    ) -> None:
        self._store, self._settings, self._secret, self._clock = store, settings, secret, clock
        self._bell = bell
        self._channels = {name: channel for name, channel in channels.items() if channel.send}
        self._pace = {name: _Pace(channel.send_rate) for name, channel in self._channels.items()}

    async def run(self) -> None:
        """Send until cancelled. Letters on their way at a cancel or a crash go out again under their id."""
        if not self._channels:
            return
        names = list(self._channels)
        again = await self._store.write(lambda c: postbox.recover(c, names))
        if again:
            log.info("letters that were on their way are sent again", count=again)
        while True:
            heard = self._bell.listen()
            if not await self._send_due(names):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(heard.wait(), _IDLE_SECONDS)

    async def _send_due(self, names: list[str]) -> bool:
        now = self._clock()
        rate = min(channel.send_rate for channel in self._channels.values())
        groups = await self._store.write(
            lambda c: postbox.claim(
                c, names, now, letters=min(_SLICE, max(1, int(rate))), per_hour=_PER_RECIPIENT_HOUR
            )
        )
        oldest = await self._store.read(postbox.oldest_open)
        telemetry.oldest_notice_seconds.set((now - oldest).total_seconds() if oldest else 0)
        if not groups:
            return False
        results = await asyncio.gather(*(self._send(group) for group in groups))
        await self._record(dict(zip((g[0]["letter"] for g in groups), results, strict=True)), groups)
        return True

    async def _send(self, group: list[postbox.Row]) -> Exception | None:
        first = group[0]
        await self._pace[first["channel"]].turn()
        send = self._channels[first["channel"]].send
        assert send is not None  # noqa: S101  only channels that can send are kept
        try:
            await send(self._letter(group))
        except Exception as error:
            return error
        return None

    def _letter(self, group: list[postbox.Row]) -> Letter:
        first = group[0]
        url = f"{self._settings.public_url}/status"
        subject, text = letters.render(group, first["language"], self._settings.operator, url)
        return Letter(
            id=first["letter"],
            channel=first["channel"],
            source=first["source"],
            recipient=first["recipient"],
            language=first["language"],
            subject=subject,
            text=text,
            message_id=identity.letter_message_id(self._secret, first["letter"], first["recipient"]),
            in_reply_to=first["data"].get("in_reply_to", ""),
            references=tuple(first["data"].get("references", ())),
        )

    async def _record(self, results: dict[str, Exception | None], groups: list[list[postbox.Row]]) -> None:
        now = self._clock()
        rows = {group[0]["letter"]: group for group in groups}

        def work(connection: Any) -> None:
            sent = [letter for letter, error in results.items() if error is None]
            if sent:
                postbox.mark(connection, sent, "sent", now)
            for letter, error in results.items():
                if isinstance(error, RejectedNotice):
                    postbox.mark(connection, [letter], "failed", now, _describe(error))
                elif error is not None:
                    pause = min(_LAST_RETRY, _FIRST_RETRY * 2 ** min(10, rows[letter][0]["attempts"]))
                    postbox.retry(connection, letter, now + pause, _describe(error))

        await self._store.write(work)
        for letter, error in results.items():
            self._count(rows[letter], error)

    def _count(self, group: list[postbox.Row], error: Exception | None) -> None:
        channel = group[0]["channel"]
        state = "sent" if error is None else "failed" if isinstance(error, RejectedNotice) else "retried"
        telemetry.notices.labels(channel, state).inc()
        if error is not None:
            log.warning(
                "a letter was not taken", channel=channel, letter=group[0]["letter"], error=_describe(error)
            )
            return
        for row in group:
            if row["kind"] == "acknowledgement":
                waited = (self._clock() - row["created_at"]).total_seconds()
                telemetry.acknowledgement_seconds.labels(channel).observe(waited)


class _Pace:
    """At most so many a second, evenly spaced."""

    def __init__(self, rate: float) -> None:
        self._gap = 1.0 / rate
        self._next = 0.0

    async def turn(self) -> None:
        now = asyncio.get_running_loop().time()
        self._next = max(self._next, now)
        wait, self._next = self._next - now, self._next + self._gap
        if wait > 0:
            await asyncio.sleep(wait)


def _describe(error: Exception) -> str:
    known = isinstance(error, TransientError | RejectedNotice)
    return telemetry.redact(str(error)) if known else type(error).__name__

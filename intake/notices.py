"""The way back: notices become letters, within the limits, and go out through their channels."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from intake import identity, letters, telemetry
from intake.errors import RejectedNotice, TransientError
from intake.ports import Channel, Clock, Store
from intake.schema import Letter
from intake.settings import Settings
from intake.store import postbox
from intake.store.outbox import Bell

log = structlog.get_logger(__name__)

Fate = tuple[list[postbox.Row], Exception | None]
"""A letter's notices, and what went wrong with it."""

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
        still_mine: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store, self._settings, self._secret, self._clock = store, settings, secret, clock
        self._bell, self._still_mine = bell, still_mine
        self._channels = {name: channel for name, channel in channels.items() if channel.send}
        self._fates: list[Fate] = []
        self._recording = asyncio.Lock()
        self._pace = {name: _Pace(channel.send_rate) for name, channel in self._channels.items()}

    async def run(self) -> None:
        """Send until cancelled or the lease is lost. What was on its way then goes out again under its id."""
        names = list(self._channels)
        await self._record()  # what the database was told of but did not take
        while self._still_mine():
            heard = self._bell.listen()
            if not await self._send_due(names):
                # not wait_for: on Python 3.11 it can swallow a cancellation that comes with the event
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_IDLE_SECONDS):
                        await heard.wait()

    async def _send_due(self, names: list[str]) -> bool:
        """Claim a slice of what is due and send it; False where there was nothing."""
        now = self._clock()
        rate = min(channel.send_rate for channel in self._channels.values())
        letters = min(_SLICE, max(1, int(rate)))
        again, groups = await self._store.write(lambda c: _claim(c, names, now, letters))
        # failpoint: letters claimed
        if again:
            log.info("letters that were on their way are sent again", count=again)
        oldest = await self._store.read(postbox.oldest_open)
        telemetry.oldest_notice_seconds.set((now - oldest).total_seconds() if oldest else 0)
        by_channel: dict[str, deque[list[postbox.Row]]] = defaultdict(deque)
        for group in groups:
            by_channel[group[0]["channel"]].append(group)
        async with asyncio.TaskGroup() as senders:
            for name, waiting in by_channel.items():
                for _ in range(self._channels[name].send_at_once):
                    senders.create_task(self._send_all(waiting))
        return bool(groups)

    async def _send_all(self, waiting: deque[list[postbox.Row]]) -> None:
        """Letter after letter; the next one only after the fate of this one is stored, and while it is ours to send."""
        while waiting and self._still_mine():
            group = waiting.popleft()
            error = await self._send(group)
            # failpoint: letter sent
            self._fates.append((group, error))
            await self._record()
            # failpoint: letter marked
            self._count(group, error)

    async def _record(self) -> None:
        """Store the fate of every letter that has one by now; whoever waits meanwhile shares the transaction."""
        async with self._recording:
            fates, self._fates = self._fates, []
            try:
                if fates:
                    await self._store.write(lambda c: _store_fates(c, fates, self._clock()))
            except TransientError:
                self._fates = fates + self._fates
                raise

    async def _send(self, group: list[postbox.Row]) -> Exception | None:
        first = group[0]
        await self._pace[first["channel"]].turn()
        send = self._channels[first["channel"]].send
        assert send is not None  # noqa: S101  only channels that can send are kept
        try:
            await send(self._letter(group))
        except Exception as error:  # one letter never stops the others
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


def _claim(
    connection: sa.Connection, names: Sequence[str], now: datetime, letters: int
) -> tuple[int, list[list[postbox.Row]]]:
    """What to send next. One postman looks at a time, when nothing of his is under way: what is, nobody sends."""
    again = postbox.recover(connection, names)
    return again, postbox.claim(connection, names, now, letters=letters, per_hour=_PER_RECIPIENT_HOUR)


def _store_fates(connection: sa.Connection, fates: Sequence[Fate], now: datetime) -> None:
    sent = [group[0]["letter"] for group, error in fates if error is None]
    if sent:
        postbox.mark(connection, sent, "sent", now)
    for group, error in fates:
        letter = group[0]["letter"]
        if isinstance(error, RejectedNotice):
            postbox.mark(connection, [letter], "failed", now, _describe(error))
        elif error is not None:
            pause = min(_LAST_RETRY, _FIRST_RETRY * 2 ** min(10, group[0]["attempts"]))
            postbox.retry(connection, letter, now + pause, _describe(error))


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

"""The wall clock jumps while complaints come in: durable time is UTC, waiting is on the monotonic clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
import sqlalchemy as sa

from intake.app import Service, channel_settings
from intake.schema import Letter, Outcome, RawMessage
from intake.settings import Settings, load
from intake.store import schema_version
from intake.store import tables as t
from intake.store.database import AnyStore, open_store


class JumpingClock:
    """The real time, and a jump."""

    def __init__(self) -> None:
        self.jump = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.jump


class Postbox:
    """Takes every letter, and says when there are so many."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self._arrived = asyncio.Event()

    async def send(self, letter: Letter) -> None:
        self.letters.append(letter)
        self._arrived.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.letters) < count:
                self._arrived.clear()
                await self._arrived.wait()



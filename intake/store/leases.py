"""Who may do what only one process may do at a time: poll a mailbox, publish, send letters."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from secrets import token_hex

import sqlalchemy as sa
import structlog

from intake.ports import Store
from intake.store.ledger import insert_new
from intake.store.tables import leases

log = structlog.get_logger(__name__)

LIFE = timedelta(seconds=15)
_RENEW_SECONDS = 5.0
_MARGIN_SECONDS = 3.0  # stop acting this long before others may take over
_RELEASE_SECONDS = 2.0


class Lease:
    """A named lease of this process. `still_mine` may be asked at any moment; it never touches the store."""

    def __init__(self, store: Store, name: str) -> None:
        self._store, self.name = store, name
        self._holder = f"{socket.gethostname()[:60]}:{os.getpid()}:{token_hex(4)}"
        self._good_until = float("-inf")
        self.token = 0

    def still_mine(self) -> bool:
        """Whether nobody else can hold it yet. On SQLite one process owns the file and with it every lease."""
        return self._store.dialect == "sqlite" or time.monotonic() < self._good_until

    async def hold(self, run: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, then run while it is held. Returns when `run` does, or when the lease is lost."""
        if self._store.dialect == "sqlite":
            await run()
            return
        while not await self._take():  # noqa: ASYNC110  another process's time runs out
            await asyncio.sleep(_RENEW_SECONDS)
        work = asyncio.ensure_future(run())
        renewal = asyncio.create_task(self._renew())
        try:
            await asyncio.wait({work, renewal}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                log.warning("a lease was lost", lease=self.name)
        finally:
            renewal.cancel()
            work.cancel()
            results = await asyncio.gather(work, renewal, return_exceptions=True)
            self._good_until = float("-inf")
            with contextlib.suppress(Exception):  # a database that hangs must not hold up a stop; it runs out
                async with asyncio.timeout(_RELEASE_SECONDS):
                    await self._store.write(self._release)
        if isinstance(results[0], Exception):
            raise results[0]

    async def _renew(self) -> None:
        while self.still_mine():
            await asyncio.sleep(_RENEW_SECONDS)
            with contextlib.suppress(Exception):  # until it runs out there is time to try again
                async with asyncio.timeout(max(0.0, self._good_until - time.monotonic())):
                    if not await self._take():
                        return

    async def _take(self) -> bool:
        asked = time.monotonic()
        token = await self._store.write(lambda c: take(c, self.name, self._holder, _now(c)))
        if token is None:
            return False
        self.token = token
        self._good_until = asked + LIFE.total_seconds() - _MARGIN_SECONDS
        return True

    def _release(self, connection: sa.Connection) -> None:
        mine = sa.and_(leases.c.name == self.name, leases.c.holder == self._holder)
        connection.execute(sa.update(leases).where(mine).values(expires_at=_now(connection)))


def _now(connection: sa.Connection) -> datetime:
    """The database's clock: those of two machines may be further apart than a lease lives."""
    if connection.dialect.name == "sqlite":  # a file has one machine, and no clock
        return datetime.now(UTC)
    clock = sa.func.clock_timestamp(type_=sa.DateTime(timezone=True))
    return connection.execute(sa.select(clock)).scalar_one()


def take(connection: sa.Connection, name: str, holder: str, now: datetime) -> int | None:
    """Take or renew a lease; its fencing token, or None while another holds it."""
    free = {"name": name, "holder": "", "token": 0, "expires_at": now - timedelta(seconds=1)}
    connection.execute(insert_new(connection, leases), [free])
    row = connection.execute(sa.select(leases).where(leases.c.name == name).with_for_update()).one()
    if row.holder != holder and row.expires_at > now:
        return None
    token = int(row.token) if row.holder == holder else int(row.token) + 1
    connection.execute(
        sa.update(leases)
        .where(leases.c.name == name)
        .values(holder=holder, token=token, expires_at=now + LIFE)
    )
    return token

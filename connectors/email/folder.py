"""Reads one folder by cursor and ledger, never by flags: a mail is offered until it has a receipt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from connectors.email.offer import Offering
from connectors.email.session import Session, View
from connectors.email.settings import Mailbox, Settings
from intake.ports import Core

_OVERLAP_UIDS = 1_000  # below the cursor: a UID may become visible after its neighbours
_WINDOW_UIDS = 10_000  # listed at once; imaplib refuses lines above 1,000,000 bytes


class Folder:
    """One folder of one mailbox. Outlives connections, so that it remembers what is still open."""

    def __init__(self, name: str, mailbox: Mailbox, settings: Settings, core: Core) -> None:
        self.name = name
        self._mailbox = mailbox
        self._settings = settings
        self._core = core
        self._ledger = core.ledger
        self._offering: Offering | None = None
        self._tidied_for: Session | None = None

    @property
    def held_for(self) -> float | None:
        """Seconds until a mail that could not be delivered is due again; None when nothing is held."""
        return self._offering.held_for if self._offering else None

    async def look(self, session: Session) -> View:
        """Select the folder and offer every mail in it that the ledger does not have.

        Raises `TransientError` when the connection is of no more use. A mail that the core does not take for
        now stays open and is offered again by a later look, after growing pauses.
        """
        view = await session.call(session.select, self.name)
        offering = await self._enter(view)
        known, offering.cut_off = await self._first_connection(session, view, offering.scope)
        position = await self._ledger.position(self._mailbox.name, offering.scope)
        cursor = position.cursor
        for low, high in _windows(max(1, cursor + 1 - _OVERLAP_UIDS), view):
            listed = await session.call(session.uids, low, high)
            if listed and listed[-1] > position.sighted_to:
                await self._ledger.sight(self._mailbox.name, offering.scope, listed)
                # failpoint: mails sighted
            missing = await offering.missing(listed)
            if known and self._tidied_for is not session:
                earlier = {uid for uid in listed if uid > cursor} - set(missing)
                await offering.tidy_again(session, sorted(earlier))
            end = max([view.next_uid - 1, *listed[-1:]]) if high is None else high
            await offering.offer(session, listed, missing, range(low, end + 1))
            if known:
                cursor = await self._advance(offering, cursor, end)
        self._tidied_for = session
        if not known:
            await self._advance(offering, -1, view.next_uid - 1)
        return view

    async def expect(self) -> None:
        """The folder is not there: what it holds when it appears is new."""
        await self._first_seen()

    async def _first_seen(self) -> datetime | None:
        """When the folder was looked for the first time; None where that is now."""
        source, marker = self._mailbox.name, f"{self.name}/first-connection"
        first = await self._ledger.position(source, marker)
        if first.known:
            return datetime.fromtimestamp(first.cursor, UTC)
        await self._ledger.advance(source, marker, int(self._core.clock().timestamp()))
        return None

    async def _enter(self, view: View) -> Offering:
        """What is open belongs to one UIDVALIDITY: under another the same numbers are other mails."""
        if self._offering is None or self._offering.validity != view.validity:
            if self._offering:
                await self._offering.abandon()
            self._offering = Offering(self.name, view.validity, self._mailbox, self._settings, self._core)
        return self._offering

    async def _first_connection(
        self, session: Session, view: View, scope: str
    ) -> tuple[bool, datetime | None]:
        """Whether the cursor may move as mails are read, and the moment before which mails are set aside.

        A configured cut-off holds for every mail. Without one, all that is there at the first connection is
        set aside by UID (the server's clock may differ from ours). The moment is kept in a scope of its own,
        because under a new UIDVALIDITY the mails have to be told apart by date; until all of them have been,
        a crash must find the scope unknown again.
        """
        if (await self._ledger.position(self._mailbox.name, scope)).known:
            return True, self._mailbox.cut_off
        first_seen = await self._first_seen()
        if self._mailbox.cut_off is not None:
            return True, self._mailbox.cut_off
        if first_seen is not None:
            return False, first_seen
        await self._set_aside_all(session, view, scope)
        return True, None

    async def _set_aside_all(self, session: Session, view: View, scope: str) -> None:
        source, last = self._mailbox.name, view.next_uid - 1
        for low, high in _windows(1, view):
            listed = [uid for uid in await session.call(session.uids, low, high) if uid <= last]
            await self._ledger.sight(source, scope, listed)
            open_ones = await self._ledger.missing("email", source, scope, listed)
            await self._ledger.set_aside("email", source, scope, open_ones, "before_cut_off")
        await self._ledger.advance(source, scope, last)

    async def _advance(self, offering: Offering, cursor: int, end: int) -> int:
        settled = offering.settled(end)
        if settled > cursor:
            # failpoint: before the cursor moves
            await self._ledger.advance(self._mailbox.name, offering.scope, settled)
            # failpoint: cursor moved
        return max(settled, cursor)


def _windows(start: int, view: View) -> Iterator[tuple[int, int | None]]:
    """UID ranges from `start` on, each listing at most `_WINDOW_UIDS` mails; None: to the end."""
    end = view.next_uid - 1
    if view.exists <= _WINDOW_UIDS or end - start < _WINDOW_UIDS:
        yield start, None
        return
    for low in range(start, end + 1, _WINDOW_UIDS):
        yield low, min(low + _WINDOW_UIDS - 1, end)

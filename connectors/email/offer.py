"""Fetches mails in bounded batches and offers them to the core, several batches side by side."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from connectors.email.session import Facts, Session
from connectors.email.settings import Mailbox, Settings
from intake.errors import TransientError
from intake.ports import Core
from intake.schema import RawMessage

log = structlog.get_logger(__name__)

_ASK_UIDS = 200  # in one command; some servers refuse lines above 8,000 bytes
_BATCH_MAILS = 50
_BATCH_BYTES = 8 * 1024 * 1024
_BATCHES_AHEAD = 3  # being delivered while the next is fetched
_BEGINNING_BYTES = 512 * 1024  # kept of a mail above the limit: its headers and what follows them
_LONGEST_HOLD_S = 60.0
_NEVER = datetime.max.replace(tzinfo=UTC)
_FETCHES = 5  # connections that one mail may break before it is left to a person


@dataclass(slots=True)
class _Open:
    """A mail without a receipt yet. `due` is on the monotonic clock; `fetches` did not come back."""

    due: float = 0.0
    offers: int = 0
    fetches: int = 0

    def hold(self) -> None:
        self.offers += 1
        self.due = time.monotonic() + min(_LONGEST_HOLD_S, 2.0 ** (self.offers - 1))


class Offering:
    """The mails of one folder under one UIDVALIDITY that have no receipt yet."""

    def __init__(self, folder: str, validity: int, mailbox: Mailbox, settings: Settings, core: Core) -> None:
        self.scope = f"{folder}/{validity}"
        self.validity = validity
        self.cut_off: datetime | None = None
        self._mailbox = mailbox
        self._core = core
        self._open: dict[int, _Open] = {}
        limits = core.settings.limits
        self._limit: int = limits.message_bytes
        self._meta: dict[str, str | int | bool | list[str] | None] = {
            "folder": folder,
            "junk": folder in mailbox.junk_folders,
            "uid_validity": validity,
            "authserv_ids": list(settings.authserv_ids),
            "own_addresses": settings.ours,
            "own_message_domain": settings.smtp.domain if settings.smtp else "",
            "max_attachments": limits.attachments,
            "max_attachment_bytes": limits.attachment_bytes,
        }

    @property
    def held_for(self) -> float | None:
        """Seconds until an open mail is due; None when there is none."""
        due = min((mail.due for mail in self._open.values()), default=None)
        return None if due is None else max(0.0, due - time.monotonic())

    def settled(self, end: int) -> int:
        """The highest UID up to `end` below which nothing is open."""
        return min([end + 1, *self._open]) - 1

    async def missing(self, listed: Sequence[int]) -> list[int]:
        """Those of `listed` that the ledger does not have."""
        if not listed:
            return []
        return await self._core.ledger.missing("email", self._mailbox.name, self.scope, listed)

    async def offer(
        self, session: Session, listed: Sequence[int], missing: Sequence[int], span: range
    ) -> None:
        """Offer those of `missing` that are due; set aside what was open in `span` and is not listed."""
        vanished = {uid for uid in self._open if uid in span}.difference(listed)
        await self._set_aside(await self.missing(sorted(vanished)), "expunged")
        # a delivery may have been committed although we were interrupted while waiting for its receipt
        for uid in {uid for uid in self._open if uid in span}.difference(missing):
            del self._open[uid]
        for uid in missing:
            self._open.setdefault(uid, _Open())
        now = time.monotonic()
        due = [uid for uid in missing if self._open[uid].due <= now]
        # a mail at which the connection broke comes last and alone: it may have been the reason
        due.sort(key=lambda uid: (self._open[uid].fetches, uid))
        if due:
            await self._run(session, due)

    async def tidy_again(self, session: Session, uids: Sequence[int]) -> None:
        """Mark or move mails that were registered before an interruption; those before the cut-off stay."""
        for some in _chunks(uids, _ASK_UIDS):
            facts = await session.call(session.facts, some)
            ours = [mail.uid for mail in facts if not self._is_old(mail)]
            if ours:
                await session.call(session.tidy, ours, self._mailbox.processed_folder)

    async def abandon(self) -> None:
        """The server has renumbered the folder: what is open here can never be asked for again."""
        await self._set_aside(await self.missing(sorted(self._open)), "renumbered")

    async def _run(self, session: Session, uids: Sequence[int]) -> None:
        slots = asyncio.Semaphore(_BATCHES_AHEAD)
        with _one_error():
            async with asyncio.TaskGroup() as deliveries:
                for some in _chunks(uids, _ASK_UIDS):
                    for batch in self._batches(await self._examine(session, some)):
                        await slots.acquire()
                        mails = await self._fetch(session, batch)
                        # failpoint: mails fetched
                        deliveries.create_task(self._deliver(session, mails, slots))

    async def _examine(self, session: Session, uids: Sequence[int]) -> list[Facts]:
        """Size and date of `uids`, without those that are gone, old, or have broken too many connections."""
        facts = await session.call(session.facts, uids)
        await self._absent(session, set(uids) - {mail.uid for mail in facts})
        old = [mail.uid for mail in facts if self._is_old(mail)]
        await self._set_aside(old, "before_cut_off")
        broken = [uid for uid in uids if uid in self._open and self._open[uid].fetches >= _FETCHES]
        if broken:
            log.error(
                "Mails that cannot be fetched are set aside", mailbox=self._mailbox.name, mails=len(broken)
            )
        await self._set_aside(broken, "unreadable")
        return sorted((mail for mail in facts if mail.uid in self._open), key=self._arrival)

    def _arrival(self, mail: Facts) -> tuple[int, datetime, int]:
        """By arrival: a server may number an answer before the mail it answers (seen with Maildir, under load)."""
        return self._open[mail.uid].fetches, mail.received_at or _NEVER, mail.uid

    def _is_old(self, mail: Facts) -> bool:
        return bool(self.cut_off and mail.received_at and mail.received_at < self.cut_off)

    def _batches(self, facts: Iterable[Facts]) -> Iterator[list[Facts]]:
        batch: list[Facts] = []
        size = 0
        for mail in facts:
            alone = mail.size > self._limit or self._open[mail.uid].fetches > 0
            if batch and (alone or len(batch) == _BATCH_MAILS or size + mail.size > _BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(mail)
            # nothing joins a mail that has to be alone
            size += _BATCH_BYTES if alone else mail.size
        if batch:
            yield batch

    async def _fetch(self, session: Session, batch: Sequence[Facts]) -> list[RawMessage]:
        for mail in batch:
            self._open[mail.uid].fetches += 1
        bodies: dict[int, bytes] = {}
        for _ in range(2):  # an answer may lack a mail that is there
            lacking = [mail for mail in batch if mail.uid not in bodies]
            if lacking and lacking[0].size > self._limit:
                bodies |= await session.call(session.beginning, lacking[0].uid, _BEGINNING_BYTES)
            elif lacking:
                bodies |= await session.call(session.bodies, [mail.uid for mail in lacking])
        for mail in batch:
            self._open[mail.uid].fetches -= 1
        await self._absent(session, {mail.uid for mail in batch} - bodies.keys())
        return [self._raw(mail, bodies[mail.uid]) for mail in batch if mail.uid in bodies]

    def _raw(self, mail: Facts, body: bytes) -> RawMessage:
        truncated = mail.size if mail.size > self._limit else None
        return RawMessage(
            channel="email",
            source=self._mailbox.name,
            content_type="message/rfc822",
            body=body,
            received_at=mail.received_at or self._core.clock(),
            scope=self.scope,
            position=mail.uid,
            meta={**self._meta, "size": mail.size, "truncated": truncated},
        )

    async def _absent(self, session: Session, uids: set[int]) -> None:
        """The server did not answer for `uids`: gone for good, or to be asked for again."""
        if not uids:
            return
        present = await session.call(session.present, sorted(uids))
        await self._set_aside(sorted(uids - present), "expunged")
        for uid in uids & present:
            self._open[uid].hold()

    async def _deliver(self, session: Session, mails: Sequence[RawMessage], slots: asyncio.Semaphore) -> None:
        """Offer a batch, all of it at once; the server learns of it only after the receipts."""
        try:
            taken = await asyncio.gather(*map(self._taken, mails))
            uids = [mail.position for mail, yes in zip(mails, taken, strict=True) if yes and mail.position]
            if uids:
                # failpoint: before mails are marked
                await session.call(session.tidy, uids, self._mailbox.processed_folder)
                # failpoint: mails marked
        finally:
            slots.release()

    async def _taken(self, mail: RawMessage) -> bool:
        uid = mail.position or 0
        try:
            await self._core.deliver(mail)
        except TransientError:
            self._open[uid].hold()
            return False
        except Exception:
            log.exception("The core failed on a mail; it will be offered again", mailbox=self._mailbox.name)
            self._open[uid].hold()
            return False
        self._open.pop(uid, None)
        return True

    async def _set_aside(self, uids: Sequence[int], reason: str) -> None:
        if uids:
            await self._core.ledger.set_aside("email", self._mailbox.name, self.scope, uids, reason)
        for uid in uids:
            self._open.pop(uid, None)


def _chunks(uids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(uids), size):
        yield uids[start : start + size]


@contextmanager
def _one_error() -> Iterator[None]:
    """Callers know single errors: the first of a group stands for it."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group

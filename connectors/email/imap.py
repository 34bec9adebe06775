"""Watches one mailbox over IMAP until it is cancelled or the connection is lost."""

from __future__ import annotations

import asyncio
import logging

import structlog

from connectors.email.folder import Folder
from connectors.email.session import Session, View
from connectors.email.settings import Mailbox, Settings, tls_context
from intake.errors import TransientError
from intake.ports import Core

log = structlog.get_logger(__name__)

_SHORTEST_WAIT_S = 0.1


class Watcher:
    """One mailbox. `poll` is the channel's poll for it."""

    def __init__(self, mailbox: Mailbox, settings: Settings, core: Core) -> None:
        self.name = mailbox.name
        self._mailbox = mailbox
        self._tls = tls_context(mailbox.ca_file)
        # the library logs what it reads: mails
        logging.getLogger("imapclient").setLevel(logging.CRITICAL)
        self._folders = {name: Folder(name, mailbox, settings, core) for name in mailbox.folders}
        self._skipped: frozenset[str] = frozenset()

    async def poll(self) -> None:
        """Read the mailbox and wait for more, in one connection with a thread of its own.

        Ends only by an error: `TransientError` for a lost connection or a refused sign-in; what was read is
        safe and the next call goes on from there. Being cancelled closes the socket at once.
        """
        session = Session(self._mailbox, self._tls)
        try:
            await session.call(session.open)
            if self._mailbox.processed_folder:
                await session.call(session.ensure, self._mailbox.processed_folder)
            await self._watch(session)
        finally:
            session.end()

    async def _watch(self, session: Session) -> None:
        folders = await self._existing(session)
        log.info("Mailbox connected", mailbox=self.name, folders=len(folders), idle=session.can_idle)
        while True:
            # the folder that gets news at once comes last, so that its view is fresh
            for folder in reversed(folders):
                view = await folder.look(session)
            if not await self._news(session, folders, view):
                folders = await self._existing(session)

    async def _existing(self, session: Session) -> list[Folder]:
        names = await session.call(session.existing, self._mailbox.folders)
        skipped = frozenset(self._mailbox.folders) - set(names)
        if skipped and skipped != self._skipped:
            log.warning("Folders that are not there are skipped", mailbox=self.name, folders=sorted(skipped))
            for name in skipped:
                await self._folders[name].expect()
        self._skipped = skipped
        if not names:
            raise TransientError(f"mailbox {self.name}: none of the folders to read is there")
        return [self._folders[name] for name in names]

    async def _news(self, session: Session, folders: list[Folder], view: View) -> bool:
        """Wait for news of the first folder, or until something else is due; False: nothing was announced.

        What arrived while we read was announced then and will not be announced again, so the folder is
        selected afresh and compared with what was read.
        """
        now = await session.call(session.select, folders[0].name)
        if (now.validity, now.next_uid) != (view.validity, view.next_uid):
            return True
        held = [seconds for folder in folders if (seconds := folder.held_for) is not None]
        alone = len(self._mailbox.folders) == 1 and session.can_idle
        patience = min([self._mailbox.idle_seconds if alone else self._mailbox.poll_seconds, *held])
        if session.can_idle:
            return await session.call(session.idle, max(_SHORTEST_WAIT_S, patience))
        await asyncio.sleep(max(_SHORTEST_WAIT_S, patience))
        return False

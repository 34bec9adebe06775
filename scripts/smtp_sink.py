"""The mail sink of tests and demos: keeps every mail it is given as files, and delivers nothing."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"
MAX_BYTES = 32 * 1024 * 1024
# recipients of these domains are refused, so that a client's failures can be tried
REFUSED = {"refused.invalid": "550 5.1.1 No such mailbox here", "busy.invalid": "451 4.3.0 Try again later"}


class Sink:
    """Writes `new/<time>-<process>-<number>.json` (the envelope), then `.eml` (the mail), whole or absent.

    A reader looks for `new/*.eml`: once it is there, its envelope is there. The names sort by arrival.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        for part in ("tmp", "new"):
            (folder / part).mkdir(parents=True, exist_ok=True)

    async def handle_RCPT(  # noqa: N802  (aiosmtpd looks handlers up by the command's name)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accepts every recipient except those of the two domains kept for failures."""
        refusal = REFUSED.get(address.rpartition("@")[2].lower())
        if refusal is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Answers 250 only after both files stand under their final names."""
        name = f"{time.time_ns()}-{os.getpid()}-{next(self._numbers):06d}"
        facts = {
            "mail_from": envelope.mail_from,
            "rcpt_tos": envelope.rcpt_tos,
            "mail_options": envelope.mail_options,
            "helo": session.host_name,
            "received_at": datetime.now(UTC).isoformat(),
        }
        self._write(f"{name}.json", json.dumps(facts, ensure_ascii=False).encode())
        self._write(f"{name}.eml", envelope.original_content or b"")
        return f"250 2.0.0 Kept as {name}"

    def _write(self, name: str, content: bytes) -> None:
        unfinished = self._folder / "tmp" / name
        unfinished.write_bytes(content)
        unfinished.rename(self._folder / "new" / name)


async def serve(port: int, folder: Path) -> None:
    """Listens on 127.0.0.1 until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    sink = Sink(folder)

    def session() -> SMTP:
        return SMTP(sink, data_size_limit=MAX_BYTES, enable_SMTPUTF8=True, hostname="localhost", loop=loop)

    server = await loop.create_server(session, HOST, port)
    await stopped.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    wanted = parser.parse_args()
    asyncio.run(serve(wanted.port, wanted.folder))


if __name__ == "__main__":
    main()

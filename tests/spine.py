"""One installation on the real servers: its own mailbox, topics, database and mail sink folder, and its books."""

from __future__ import annotations

import asyncio
import json
import os
import smtplib
import socket
import subprocess
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiokafka
import aiokafka.admin
import sqlalchemy as sa

from intake.settings import Settings, load
from intake.store import tables as t
from intake.store.database import open_store
from intake.store.outbox import IS_SENT
from tests.running import Running, intake

BROKER = os.environ.get("DEV_KAFKA_BOOTSTRAP", "")
_CONFIG = """
data_dir = "{folder}/data"
[store]
url = "{store_url}"
[log]
level = "info"
[kafka]
bootstrap_servers = "{broker}"
topic_prefix = "{run}"
partitions = 3
[web]
public_port = {public}
private_port = {private}
[web.department_keys]
general = "general-key"
[web_form]
address_submissions = 100000
browser_submissions = 100000
[[email.mailboxes]]
name = "support"
host = "{imap_host}"
port = {imap_port}
user = "{run}"
password = "secret"
ca_file = "{ca}"
cut_off = 2000-01-01T00:00:00Z
folders = ["INBOX"]
[email.smtp]
host = "{smtp_host}"
port = {smtp_port}
security = "none"
from_address = "support@{run}.example"
rate = 1000

"""


def free_port() -> int:
    """A loopback port nobody listens on at the moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@dataclass
class Installation:
    """Where one run of the service lives, and what can be read back from the outside."""

    folder: Path
    store_url: str
    run: str = field(default_factory=lambda: f"t{uuid4().hex[:12]}")
    broker: str = BROKER

    def __post_init__(self) -> None:
        self.public, self.private = free_port(), free_port()
        self.config = self.folder / "intake.toml"
        text = _CONFIG.format(
            folder=self.folder,
            store_url=self.store_url,
            broker=self.broker,
            run=self.run,
            public=self.public,
            private=self.private,
            imap_host=os.environ["DEV_DOVECOT_HOST"],
            imap_port=os.environ["DEV_DOVECOT_IMAPS_PORT"],
            ca=os.environ["DEV_DOVECOT_CERT"],
            smtp_host=os.environ["DEV_SMTP_HOST"],
            smtp_port=os.environ["DEV_SMTP_PORT"],
        )
        self.config.write_text(text, "utf-8")
        intake("db", "upgrade", config=self.config)
        if self.broker:
            intake("topics", "create", config=self.config)

    def start(self) -> Running:
        """The service, ready."""
        running = Running(self.config, self.folder / "service.log")
        running.until_ready()
        return running

    def settings(self) -> Settings:
        """The core's settings of this installation."""
        return load(None, {}, data_dir=self.folder / "data", store={"url": self.store_url})

    def ask(self, statement: sa.Select[Any]) -> list[Any]:
        """Rows of the store, read beside the service."""

        async def run() -> list[Any]:
            store = open_store(self.settings(), read_only=True)
            try:
                return await store.read(lambda c: list(c.execute(statement)))
            finally:
                await store.close()

        return asyncio.run(run())

    def count(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
        """How many rows there are."""
        return int(self.ask(sa.select(sa.func.count()).select_from(table).where(*where))[0][0])

    def unsent(self) -> int:
        """Events and letters that are still on their way."""
        open_notices = t.notices.c.state.in_(("pending", "sending"))
        return self.count(t.outbox, ~IS_SENT) + self.count(t.notices, open_notices)

    def inject(self, first: int, count: int) -> None:
        """Mails by LMTP, each from a sender of its own."""
        with smtplib.LMTP(os.environ["DEV_DOVECOT_HOST"], int(os.environ["DEV_LMTP_PORT"])) as lmtp:
            for number in range(first, first + count):
                sender = f"u{number}@{self.run}.example"
                lmtp.send_message(self.mail(number, sender), sender, [f"{self.run}@localhost"])

    def send(self, mail: EmailMessage) -> None:
        """One mail by LMTP."""
        with smtplib.LMTP(os.environ["DEV_DOVECOT_HOST"], int(os.environ["DEV_LMTP_PORT"])) as lmtp:
            lmtp.send_message(mail, str(mail["From"]), [f"{self.run}@localhost"])

    def mail(self, number: int, sender: str) -> EmailMessage:
        """A complaint."""
        mail = EmailMessage()
        mail["From"], mail["To"] = sender, f"support@{self.run}.example"
        mail["Subject"] = f"Şikâyet {number}"
        mail["Message-ID"] = f"<{number}.{self.run}@mail.example>"
        mail["Date"] = "Mon, 23 Nov 2026 10:00:00 +0300"
        mail.set_content(f"Merhaba, {number} numaralı çekim talebim üç gündür hesabıma geçmedi.\n")
        return mail

    def kick(self) -> None:
        """Dovecot throws our connections out."""
        command = ["doveadm", "-c", os.environ["DEV_DOVEADM_CONFIG"], "kick", self.run]
        subprocess.run(command, capture_output=True, check=False, timeout=20)

    def letters(self) -> Counter[str]:
        """The mail sink: how often each Message-ID arrived for this installation's customers."""
        arrived: Counter[str] = Counter()
        for path in (Path(os.environ["DEV_SMTP_DIR"]) / "new").glob("*.eml"):
            headers = BytesHeaderParser().parsebytes(path.read_bytes())
            if f"@{self.run}.example" in str(headers["To"]):
                arrived[str(headers["Message-ID"])] += 1
        return arrived

    def recipients(self) -> set[str]:
        """The mail sink: whom the letters went to."""
        found = set()
        for path in (Path(os.environ["DEV_SMTP_DIR"]) / "new").glob("*.json"):
            for recipient in json.loads(path.read_text("utf-8"))["rcpt_tos"]:
                if recipient.endswith(f"@{self.run}.example"):
                    found.add(recipient)
        return found

    def records(self) -> list[aiokafka.ConsumerRecord[bytes, bytes]]:
        """Everything in this installation's topics, as the broker has it."""
        return asyncio.run(self._records())

    async def _records(self) -> list[aiokafka.ConsumerRecord[bytes, bytes]]:
        admin = aiokafka.admin.AIOKafkaAdminClient(bootstrap_servers=self.broker)
        await admin.start()
        names = [name for name in await admin.list_topics() if name.startswith(f"{self.run}.")]
        described = await admin.describe_topics(names)
        await admin.close()
        places = [
            aiokafka.TopicPartition(topic["topic"], part["partition"])
            for topic in described
            for part in topic["partitions"]
        ]
        consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=self.broker, auto_offset_reset="earliest")
        await consumer.start()
        try:
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            await consumer.seek_to_beginning(*places)
            found: list[aiokafka.ConsumerRecord[bytes, bytes]] = []
            while any([await consumer.position(p) < ends[p] for p in places]):
                for batch in (await consumer.getmany(timeout_ms=500)).values():
                    found += batch
        finally:
            await consumer.stop()
        return found


def once(records: list[Any]) -> list[Any]:
    """The records a reader is left with who drops repeated `ce_id`s, per topic."""
    seen: set[bytes] = set()
    kept = []
    for record in records:
        ce_id = dict(record.headers)["ce_id"]
        if ce_id not in seen:
            seen.add(ce_id)
            kept.append(record)
    return kept


def sequences(records: list[Any]) -> dict[tuple[str, bytes], list[int]]:
    """Per topic and case, the sequence numbers in the order of the partition."""
    found: dict[tuple[str, bytes], list[int]] = defaultdict(list)
    for record in sorted(records, key=lambda r: (r.topic, r.partition, r.offset)):
        found[record.topic, record.key].append(json.loads(record.value)["sequence"])
    return found

"""The script most teams write: one mail after the other, parsed, stored, committed, sent, and on to the next.

It stands here to be compared with. It reads what an `imaplib` FETCH would return, and is given every advantage
of doing less: it looks for no duplicates, no language, no thread and no code, and sends no acknowledgement.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import sqlite3
import sys
from collections.abc import Iterable
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer

_TABLES = """
CREATE TABLE IF NOT EXISTS complaints (
    id TEXT PRIMARY KEY, message_id TEXT UNIQUE, sender TEXT, name TEXT, subject TEXT, body TEXT, html TEXT,
    sent_at TEXT, department TEXT, raw BLOB
);
CREATE TABLE IF NOT EXISTS attachments (complaint_id TEXT, filename TEXT, media_type TEXT, path TEXT);
"""
_DEPARTMENTS = {
    "payments": ("çekim", "yatır", "withdraw", "deposit", "banka", "iban"),
    "accounts": ("şifre", "giriş", "hesabım", "login", "password", "account"),
    "games": ("bonus", "kupon", "oyun", "game", "slip", "bet"),
    "technical": ("uygulama", "hata", "app", "error", "crash"),
}


def connect(path: Path) -> sqlite3.Connection:
    """The database, with the same durability as ours."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(_TABLES)
    return connection


def department_of(text: str) -> str:
    """The first department one of whose words is there."""
    lowered = text.lower()
    for department, words in _DEPARTMENTS.items():
        if any(word in lowered for word in words):
            return department
    return "general"


def parse(raw: bytes) -> dict[str, Any]:
    """What is kept of a mail."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    body = plain.get_content() if plain else ""
    sender = message["from"].addresses[0]
    return {
        "id": str(uuid4()),
        "message_id": str(message["message-id"]),
        "sender": sender.addr_spec,
        "name": sender.display_name,
        "subject": str(message["subject"]),
        "body": body,
        "html": html.get_content() if html else "",
        "sent_at": message["date"].datetime.isoformat(),
        "department": department_of(f"{message['subject']} {body}"),
        "files": [
            (part.get_filename() or "file", part.get_content_type(), part.get_content())
            for part in message.iter_attachments()
        ],
    }


def store(connection: sqlite3.Connection, folder: Path, found: dict[str, Any], raw: bytes) -> None:
    """One complaint, one commit; files beside the database."""
    columns = ("id", "message_id", "sender", "name", "subject", "body", "html", "sent_at", "department")
    row = [found[column] for column in columns]
    connection.execute(f"INSERT INTO complaints VALUES ({', '.join('?' * 10)})", [*row, raw])
    for filename, media_type, content in found["files"]:
        path = folder / f"{found['id']}-{uuid4()}"
        path.write_bytes(content if isinstance(content, bytes) else str(content).encode())
        values = (found["id"], filename, media_type, str(path))
        connection.execute("INSERT INTO attachments VALUES (?, ?, ?, ?)", values)
    connection.commit()


async def run(
    raws: Iterable[bytes],
    connection: sqlite3.Connection,
    producer: AIOKafkaProducer,
    folder: Path,
    topic: str,
) -> int:
    """Take every mail in and send it on; returns how many."""
    count = 0
    for raw in raws:
        found = parse(raw)
        store(connection, folder, found, raw)
        event = {key: value for key, value in found.items() if key not in ("files", "html")}
        event["attachments"] = [filename for filename, _, _ in found["files"]]
        value = json.dumps(event, ensure_ascii=False).encode()
        await producer.send_and_wait(topic.format(**found), value, key=found["id"].encode())
        count += 1
    return count


async def main(folder: Path, paths: list[Path], bootstrap: str, database: Path) -> None:
    """The mails of a folder, as a team would run it from cron."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    try:
        raws = (path.read_bytes() for path in paths)
        print(await run(raws, connect(database), producer, folder, "complaints.{department}.v1"))
    finally:
        await producer.stop()


if __name__ == "__main__":
    mails = sorted(Path(sys.argv[1]).glob("*.eml"))
    asyncio.run(main(Path(sys.argv[1]), mails, sys.argv[2], Path(sys.argv[3])))

"""What workers are given in tests: a body names what reading it does to the process."""

from __future__ import annotations

import os
import struct
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from intake.errors import RejectedMessage
from intake.schema import Message, Normalized, RawMessage, Triage


def normalize(raw: RawMessage) -> Normalized:
    """Hang, crash, hog or raise as the body says; a named pipe after a blank is told the process first."""
    verb, _, path = raw.body.decode().partition(" ")
    if path:
        Path(path).write_bytes(struct.pack("i", os.getpid()))
    match verb:
        case "hang":
            while True:
                pass
        case "sleep":
            time.sleep(0.5)
        case "crash":
            os._exit(3)
        case "hog":
            bytearray(1 << 40)
        case "reject":
            raise RejectedMessage("empty", "no parts")
        case "fail":
            raise ValueError("secret")
        case "panic":
            raise BaseException("a panic in Rust code")  # noqa: TRY002  (what it looks like here)
    message = Message(channel=raw.channel, source=raw.source, received_at=raw.received_at, text=verb)
    return Normalized(message, verb, {"0" * 64: b"\xff\0"} if verb == "file" else {})


def triage(messages: Sequence[Message]) -> list[Triage]:
    """Tell what the process has imported as its main module; fail where a text says so."""
    if any(message.text == "untriageable" for message in messages):
        raise KeyError("secret")
    main = str(getattr(sys.modules.get("__mp_main__"), "__file__", ""))
    return [Triage(department="payments", reasons=(str("program" in main),)) for _ in messages]

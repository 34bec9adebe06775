"""Every error this service raises on purpose, grouped by what the caller has to do about it.

IntakeError
├── ConfigError        stop: the operator has to change something; exit 2, one line per mistake
├── TransientError     nothing was taken: back off and offer the same thing again
│   ├── Conflict       two transactions met (deadlock, serialisation): the same one again, at once
│   └── Overloaded     a limit is reached: the caller should be told to come back later (HTTP 503)
├── RejectedMessage    this one message cannot be read: quarantine it, acknowledge it, go on
└── RejectedNotice     this one notice can never be delivered: mark it failed, tell operations
"""

from __future__ import annotations


class IntakeError(Exception):
    """Root of the tree; the message is one sentence for a person, without personal data."""


class ConfigError(IntakeError):
    """The configuration or the environment is wrong; `problems` holds one line per mistake."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class TransientError(IntakeError):
    """Nothing was taken; the same call may succeed later."""


class Conflict(TransientError):
    """The database undid the transaction because of another one; running it again is the cure."""


class Overloaded(TransientError):
    """A limit (disk, memory in flight, draining) is reached for now."""


class RejectedMessage(IntakeError):
    """A message that cannot be normalised; `reason` is a short machine-readable word."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class RejectedNotice(IntakeError):
    """A notice its channel will never deliver (unknown recipient, refused content)."""

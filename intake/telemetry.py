"""What the service says about itself: structured logs without personal data, and metrics."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from intake.text import mask_numbers

registry = CollectorRegistry()

deliveries = Counter(
    "intake_deliveries", "Deliveries by what became of them", ["channel", "outcome"], registry=registry
)
commit_seconds = Histogram("intake_commit_seconds", "Duration of one group commit", registry=registry)
batch_messages = Histogram(
    "intake_batch_messages",
    "Messages in one transaction",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
    registry=registry,
)
in_flight_bytes = Gauge("intake_in_flight_bytes", "Raw bytes taken in, not committed yet", registry=registry)
worker_failures = Counter(
    "intake_worker_failures", "Tasks that died or ran out of time in a worker", ["reason"], registry=registry
)
acknowledgement_seconds = Histogram(
    "intake_acknowledgement_seconds",
    "From receipt to the acknowledgement taken by its channel",
    ["channel"],
    buckets=(1, 2, 5, 10, 30, 60, 300, 900, 3600, 14_400, 43_200, 86_400),
    registry=registry,
)
notices = Counter("intake_notices", "Letters by what became of them", ["channel", "state"], registry=registry)
oldest_notice_seconds = Gauge(
    "intake_oldest_notice_seconds", "Age of the oldest notice not sent yet", registry=registry
)
published = Counter("intake_published", "Records the broker has taken", ["topic"], registry=registry)
publish_errors = Counter("intake_publish_errors", "Records refused or failed", ["reason"], registry=registry)
unsent_records = Gauge("intake_unsent_records", "Outbox rows not sent yet", registry=registry)
oldest_unsent_seconds = Gauge(
    "intake_oldest_unsent_seconds", "Age of the oldest outbox row not sent yet", registry=registry
)
dead_records = Gauge("intake_dead_records", "Outbox rows given up; a person has to look", registry=registry)
quarantined = Gauge("intake_quarantined", "Messages waiting in quarantine", registry=registry)
source_up = Gauge(
    "intake_source_up", "1 while a source is being watched", ["channel", "source"], registry=registry
)
source_failures = Counter(
    "intake_source_failures",
    "Times watching a source ended in an error",
    ["channel", "source"],
    registry=registry,
)
loop_delay_seconds = Gauge(
    "intake_loop_delay_seconds", "Latest measured delay of the event loop", registry=registry
)

_ADDRESS = re.compile(r"[^\s@<>\"'=:,;]{1,64}@[^\s@<>\"'=:,;]{1,255}")
_LONG_NUMBER = re.compile(r"(?<![\w.-])\+?\d[\d ()-]{8,}\d(?![\w.-])")
_KEEP = frozenset({"timestamp", "level", "logger", "case_id", "source_key", "event_id", "topic"})


def redact(text: str) -> str:
    """Mail addresses, phone, card and national-id numbers, blanked out."""
    return _LONG_NUMBER.sub("[number]", _ADDRESS.sub("[address]", mask_numbers(text)))


def _redact_fields(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str) and key not in _KEEP:
            event[key] = redact(value)
    return event


def configure_logging(level: str = "info", style: str = "json") -> None:
    """Send everything, the libraries' logging included, as lines to stderr, masked."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact_fields,
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if style == "console"
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # libraries name addresses, hosts and payloads below WARNING
    root.setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
    for own in ("intake", "connectors", "normalizers", "router"):
        logging.getLogger(own).setLevel(level.upper())
    # in an outage ten lines a second; the relay tells it in one
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

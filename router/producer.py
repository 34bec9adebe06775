"""The way to the broker: how it is reached, how a producer starts, and how it ends for certain."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from intake.errors import ConfigError, TransientError
from intake.settings import Kafka, Settings

MAX_REQUEST_BYTES: Final = 1_048_576
"""The usual limit of a broker; the largest event is a quarter of it."""
BATCH_BYTES: Final = 262_144
"""Uncompressed records of one partition sent together; a larger record goes alone."""

_LINGER_MS = 2
_START_SECONDS = 30.0  # start() waits for a producer id, which a broker just lost never gives
_END_SECONDS = 1.0


def connection(settings: Settings) -> dict[str, Any]:
    """How every aiokafka client reaches the broker. Raises `ConfigError` for TLS files that do not load."""
    kafka = settings.kafka
    options: dict[str, Any] = {
        "bootstrap_servers": [server.strip() for server in kafka.bootstrap_servers.split(",")],
        "security_protocol": kafka.security_protocol,
        "request_timeout_ms": kafka.request_timeout_ms,
        "client_id": "intake",
    }
    if kafka.security_protocol.endswith("SSL"):
        options["ssl_context"] = _tls(kafka)
    if kafka.security_protocol.startswith("SASL"):
        options |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": kafka.username,
            "sasl_plain_password": kafka.password.get_secret_value() if kafka.password else "",
        }
    return options


def _tls(kafka: Kafka) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(kafka.ca_file) if kafka.ca_file else None)
        if kafka.cert_file:
            context.load_cert_chain(kafka.cert_file, kafka.key_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"kafka: the certificates cannot be loaded: {error}") from error
    return context


def create(settings: Settings) -> AIOKafkaProducer:
    """A producer that repeats nothing and reorders nothing by itself; not connected yet."""
    return AIOKafkaProducer(
        **connection(settings),
        enable_idempotence=True,
        acks="all",
        compression_type="zstd",
        linger_ms=_LINGER_MS,
        max_batch_size=BATCH_BYTES,
        max_request_size=MAX_REQUEST_BYTES,
    )


async def connect(settings: Settings) -> AIOKafkaProducer:
    """A connected producer. Raises `TransientError`, leaving nothing behind, when the broker is away."""
    producer = create(settings)
    try:
        async with asyncio.timeout(_START_SECONDS):
            await producer.start()
    except (KafkaError, OSError, TimeoutError) as error:
        await end_hard(producer)
        raise TransientError(f"Kafka cannot be reached: {type(error).__name__}") from error
    except BaseException:
        await end_hard(producer)
        raise
    return producer


async def end_hard(producer: AIOKafkaProducer) -> None:
    """End a producer at once; nothing it still holds is ever delivered.

    `stop()` waits for the broker without a limit, and a producer merely abandoned delivers its old records
    when the broker is back. There is no public way to do this.
    """
    producer._closed = True  # noqa: SLF001
    task = producer._sender.sender_task  # noqa: SLF001
    if task is not None:
        task.cancel()
    await producer.client.close()
    if task is not None and (await asyncio.wait({task}, timeout=_END_SECONDS))[1]:
        # it waits for a request to a broker that hangs: the second time the request is cancelled too
        task.cancel()
        await asyncio.wait({task}, timeout=_END_SECONDS)


async def end(producer: AIOKafkaProducer, seconds: float) -> None:
    """End a producer: after it has delivered what it holds, or hard after so many seconds or when cancelled."""
    try:
        async with asyncio.timeout(seconds):
            await producer.flush()
        async with asyncio.timeout(_END_SECONDS):
            await producer.stop()
    except (KafkaError, OSError, TimeoutError):
        await end_hard(producer)
    except asyncio.CancelledError:
        await end_hard(producer)
        raise

"""How the broker is reached: what the settings become."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest

from intake.errors import TransientError
from intake.settings import Settings
from router import producer as producers


def test_without_tls_and_sasl_nothing_secret_is_asked(make_settings: Callable[..., Settings]) -> None:
    """Several servers are one list."""
    options = producers.connection(make_settings(kafka={"bootstrap_servers": "a:9092, b:9092"}))
    assert options["bootstrap_servers"] == ["a:9092", "b:9092"]
    assert options["security_protocol"] == "PLAINTEXT"
    assert not {"ssl_context", "sasl_plain_password"} & set(options)


def test_sasl_over_tls_checks_the_brokers_name(make_settings: Callable[..., Settings]) -> None:
    """User, password and mechanism go to the client; certificate and host name are checked."""
    kafka = {
        "bootstrap_servers": "a:9093",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-256",
        "username": "intake",
        "password": "secret",
    }
    options = producers.connection(make_settings(kafka=kafka))
    assert options["sasl_mechanism"] == "SCRAM-SHA-256"
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("intake", "secret")
    assert options["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    assert options["ssl_context"].check_hostname


def test_sasl_without_tls_has_no_certificate(make_settings: Callable[..., Settings]) -> None:
    """Inside a network that is trusted."""
    kafka = {"bootstrap_servers": "a:9092", "security_protocol": "SASL_PLAINTEXT", "username": "intake"}
    assert "ssl_context" not in producers.connection(make_settings(kafka=kafka))


async def test_the_producer_is_idempotent(make_settings: Callable[..., Settings]) -> None:
    """All replicas in sync acknowledge, repeats are dropped by the broker, batches are compressed."""
    producer = producers.create(make_settings(kafka={"bootstrap_servers": "127.0.0.1:1"}))
    assert producer._txn_manager is not None
    assert producer._sender._acks == -1
    assert producer._compression_type == "zstd"
    await producers.end_hard(producer)


async def test_a_broker_that_is_away_is_transient(make_settings: Callable[..., Settings]) -> None:
    """`connect` leaves nothing behind, and says it in one sentence."""
    with pytest.raises(TransientError, match="Kafka cannot be reached"):
        await producers.connect(make_settings(kafka={"bootstrap_servers": "127.0.0.1:1"}))

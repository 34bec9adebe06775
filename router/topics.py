"""The topics: their names, what they are made with, and how a broker's differ from that."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from intake.errors import TransientError
from intake.schema import Department
from intake.settings import Settings
from router.producer import connection

DEPARTMENTS: Final[tuple[str, ...]] = get_args(Department)
URGENT: Final = "urgent.v1"
EVENTS: Final = "events.v1"
FEEDBACK: Final = "feedback.v1"
DEAD_LETTER: Final = "dead-letter.v1"

_UPDATE_PARTITIONS = 3
_MOST_REPLICAS = 3
_MIN_IN_SYNC = 2
_DAY_MS = 86_400_000
_KNOWN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is made; `name` is without the configured prefix."""

    name: str
    partitions: int
    configs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """What `create` did: full names of the topics made, of those that were there, and what to know."""

    created: tuple[str, ...]
    existing: tuple[str, ...]
    remarks: tuple[str, ...]


def department_topic(department: str) -> str:
    """Where a department's events go, without the prefix."""
    return f"{department}.v1"


def updates_topic(department: str) -> str:
    """Where a department writes its updates, without the prefix."""
    return f"updates.{department}.v1"


def full_name(settings: Settings, name: str) -> str:
    """The name the broker knows."""
    return f"{settings.kafka.topic_prefix}.{name}"


def outgoing() -> tuple[str, ...]:
    """What the relay writes to, most urgent first."""
    return (URGENT, *(department_topic(d) for d in DEPARTMENTS), EVENTS, FEEDBACK)


def wanted(settings: Settings, brokers: int) -> list[Topic]:
    """Every topic as a cluster of so many brokers should hold it.

    The life-cycle topic has no content to forget, so it keeps what the broker's own default keeps.
    """
    kafka = settings.kafka
    safe = {"min.insync.replicas": str(_MIN_IN_SYNC)} if brokers >= _MOST_REPLICAS else {}
    content = safe | {"retention.ms": str(kafka.retention_days * _DAY_MS)}
    names = (URGENT, *(department_topic(d) for d in DEPARTMENTS), FEEDBACK, DEAD_LETTER)
    topics = [Topic(name, kafka.partitions, content) for name in names]
    topics.append(Topic(EVENTS, kafka.partitions, safe))
    topics += [Topic(updates_topic(d), _UPDATE_PARTITIONS, content) for d in DEPARTMENTS]
    return topics


async def create(settings: Settings) -> Report:
    """Make the topics that are missing and change nothing else.

    Raises `TransientError` when the broker cannot be reached or refuses to make a topic.
    """
    admin = AIOKafkaAdminClient(**connection(settings))
    try:
        await admin.start()
        brokers = len((await admin.describe_cluster())["brokers"])
        topics = wanted(settings, brokers)
        names = {full_name(settings, topic.name): topic for topic in topics}
        present = await _present(admin, names)
        missing = {name: topic for name, topic in names.items() if name not in present}
        created = await _create(admin, missing, min(_MOST_REPLICAS, brokers))
        await _until_known(admin, created)
        remarks = [*_few_brokers(brokers), *await _drift(admin, names, present)]
    except (KafkaError, OSError) as error:
        raise TransientError(f"Kafka at {settings.kafka.bootstrap_servers}: {error}") from error
    finally:
        await admin.close()
    existing = sorted(names.keys() - set(created))
    return Report(tuple(created), tuple(existing), tuple(remarks))


async def _present(admin: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, int]:
    """The number of partitions of each topic that is there."""
    listed = set(await admin.list_topics())
    there = [name for name in names if name in listed]
    if not there:
        return {}
    return {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics(there)}


async def _create(admin: AIOKafkaAdminClient, missing: Mapping[str, Topic], replicas: int) -> list[str]:
    """Errors come inside the answer: one per topic. Somebody else may have made it just now."""
    if not missing:
        return []
    answer = await admin.create_topics(
        [NewTopic(name, t.partitions, replicas, topic_configs=dict(t.configs)) for name, t in missing.items()]
    )
    created = []
    for name, code, *rest in answer.topic_errors:
        error = for_code(code)
        if code == 0:
            created.append(name)
        elif error is not TopicAlreadyExistsError:
            reason = next((part for part in rest if part), "") or error.__name__
            raise TransientError(f"topic {name} was not made: {reason}")
    return created


async def _until_known(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    """The controller has made them; wait a little until the brokers know, so that what follows finds them."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_KNOWN_SECONDS):
            while not set(names) <= set(await admin.list_topics()):  # noqa: ASYNC110  nobody tells
                await asyncio.sleep(0.05)


def _few_brokers(brokers: int) -> list[str]:
    if brokers >= _MOST_REPLICAS:
        return []
    return [
        f"{brokers} broker(s): {min(_MOST_REPLICAS, brokers)} replica(s) of each topic and no "
        f"min.insync.replicas; with {_MOST_REPLICAS} brokers no single failure could lose an event"
    ]


async def _drift(
    admin: AIOKafkaAdminClient, names: Mapping[str, Topic], present: Mapping[str, int]
) -> list[str]:
    """One line for each way in which a topic that was there differs from how it would be made."""
    remarks = [
        f"{name}: {count} partitions, not {names[name].partitions}; left as it is, because a change of the "
        "number breaks the order of events per case"
        for name, count in sorted(present.items())
        if count != names[name].partitions
    ]
    configs = await _configs(admin, sorted(present))
    for name in sorted(present):
        for key, value in names[name].configs.items():
            actual = configs.get(name, {}).get(key, "")
            if actual != value:
                remarks.append(f"{name}: {key} is {actual or 'unknown'}, not {value}; left as it is")
    return remarks


async def _configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, n) for n in names])
    resources: list[Any] = [resource for answer in answers for resource in answer.resources]
    # each: error code, error message, type, name, entries of (key, value, …)
    return {resource[3]: {entry[0]: entry[1] for entry in resource[4]} for resource in resources}

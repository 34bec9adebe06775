"""Neighbours and resources that fail under load: what the service does meanwhile, and that nothing is lost."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import aiokafka.admin
import pytest
import sqlalchemy as sa

from intake.store import tables as t
from intake.store.outbox import IS_SENT
from tests.crash_books import compare
from tests.crash_load import Place, own_sink
from tests.faults import Trial, filled, mounted, need_servers, own_server, read_only
from tests.running import intake, wait_for

pytestmark = [pytest.mark.kafka, pytest.mark.dovecot, pytest.mark.slow]

Places = Callable[..., Place]
_MIB = 1024 * 1024


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    """Makes installations on SQLite by default; `change` edits the configuration first."""
    need_servers()

    def make(
        change: Callable[[str], str] = str, url: str = "", broker: str = os.environ["DEV_KAFKA_BOOTSTRAP"]
    ) -> Place:
        (tmp_path / "data").mkdir(exist_ok=True)
        place = Place(tmp_path, url or f"sqlite:///{tmp_path}/data/intake.db", broker=broker)
        place.config.write_text(change(place.config.read_text("utf-8")), "utf-8")
        return place

    with own_sink(tmp_path):
        yield make


def test_a_frozen_broker_stops_only_the_relay(places: Places, tmp_path: Path) -> None:
    """Kafka stands still for longer than a request may take: intake and readiness go on, then all drains.

    The connections stay open and nothing answers, which is worse than a broker that is down.
    """
    with own_server("kafka", tmp_path / "kafka") as kafka:
        place = places(broker=f"127.0.0.1:{kafka.port}")
        with Trial(place) as trial:
            trial.until_cases(10)
            with kafka.frozen():
                trial.until_offered(150)  # some 20 s
                assert trial.service.get("/readyz")[0] == 200
                trial.until_cases(5)
            found = trial.over()
    assert not found.faults


def test_a_topic_deleted_and_made_again_is_filled_again(places: Places, tmp_path: Path) -> None:
    """Only the deleted topic's lane waits, the others go on; made again it gets what waits, and the rest on request."""
    with own_server("kafka", tmp_path / "kafka") as kafka:
        place = places(broker=f"127.0.0.1:{kafka.port}")
        with Trial(place) as trial:
            trial.until_cases(10)
            delete_topic(place, f"{place.run}.payments.v1")
            trial.until_said("A topic takes no events")
            others = t.outbox.c.topic != "payments.v1"
            before = place.count(t.outbox, others, IS_SENT)
            wait_for(lambda: place.count(t.outbox, others, IS_SENT) > before + 10, 60, "other topics go on")
            assert trial.service.get("/readyz")[0] == 200
            intake("topics", "create", config=place.config)
            trial.drain()
            since = "2000-01-01T00:00:00Z"
            intake("republish", "--department", "payments", "--since", since, config=place.config)
            found = compare(place, trial.ledger)
    # of a case from before, the second event was there first; whoever read the old topic had the first
    assert found.faults.keys() <= {"out_of_order"}


def delete_topic(place: Place, name: str) -> None:
    """As an administrator would."""

    async def delete() -> None:
        admin = aiokafka.admin.AIOKafkaAdminClient(bootstrap_servers=place.broker)
        await admin.start()
        await admin.delete_topics([name])
        await admin.close()

    asyncio.run(delete())


@pytest.mark.postgres
def test_a_database_that_goes_away_is_waited_for(places: Places, tmp_path: Path) -> None:
    """PostgreSQL is killed and starts again: posts are refused, mails wait, readiness says so, and all is taken."""
    with own_server("postgres", tmp_path / "postgres") as postgres:
        url = f"postgresql://postgres@127.0.0.1:{postgres.port}/intake"
        with Trial(places(url=url)) as trial:
            trial.until_cases(10)
            postgres("kill")
            trial.until_offered(20)
            status, said = trial.service.get("/readyz")
            assert (status, "database" in said) == (503, True)
            assert trial.ledger.unanswered()
            postgres("start")
            trial.until_cases(10)
            found = trial.over()
    assert not found.faults


def with_free_disk(least: int) -> Callable[[str], str]:
    """The configuration with another limit of free disk."""
    return lambda text: f"{text}\n[limits]\nfree_disk_bytes = {least}\n"


@pytest.mark.parametrize("least", [0, 16 * _MIB], ids=["to the last byte", "down to the limit"])
def test_a_full_disk_refuses_and_recovers(places: Places, tmp_path: Path, least: int) -> None:
    """A disk without room takes nothing in and acknowledges nothing; with room again everything is taken by itself."""
    data = tmp_path / "data"
    data.mkdir()
    with (
        mounted(["-t", "tmpfs", "-o", "size=96m", "tmpfs"], data),
        Trial(places(with_free_disk(least))) as trial,
    ):
        trial.until_cases(10)
        with filled(data, leave=least // 2):
            wait_for(lambda: len(trial.ledger.unanswered()) > 5, 60, "posts are refused")
            before = trial.place.count(t.cases)
            trial.until_offered(20)
            assert trial.place.count(t.cases) <= before + 5
        trial.until_cases(10)
        found = trial.over()
    assert not found.faults


def test_a_process_without_file_descriptors_recovers(places: Places) -> None:
    """Nothing more can be opened for a while: what is refused is offered again, and nothing is lost."""
    with Trial(places()) as trial:
        trial.until_cases(10)
        pid = trial.service.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_files(pid), before[1]))
        trial.place.kick()  # and the mailbox cannot be connected again
        trial.until_offered(40)
        assert trial.service.process.poll() is None
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        trial.until_cases(10)
        found = trial.over()
    assert not found.faults


def open_files(pid: int) -> int:
    """How many file descriptors a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def test_a_kicked_mailbox_is_read_on(places: Places) -> None:
    """The mail server throws the connection out again and again: every mail is still taken once."""
    with Trial(places()) as trial:
        for _ in range(5):
            trial.until_cases(5)
            trial.place.kick()
        found = trial.over()
    assert not found.faults


_SECOND = """
[[email.mailboxes]]
name = "other"
host = "imap.nowhere.invalid"
user = "other"
password = "secret"
[email.smtp]
"""


def test_names_that_do_not_resolve_stop_only_their_part(places: Places) -> None:
    """Neither a second mailbox nor the mail server has an address: the rest goes on, letters wait and do not fail."""

    def change(text: str) -> str:
        text = text.replace("\n[email.smtp]\n", _SECOND).replace('security = "none"', 'security = "starttls"')
        return text.replace('host = "127.0.0.1"\nport = ' + os.environ["DEV_SMTP_PORT"], UNKNOWN)

    place = places()
    sound = place.config.read_text("utf-8")
    place.config.write_text(change(sound), "utf-8")
    with Trial(place) as trial:
        trial.until_cases(20)
        assert trial.service.get("/readyz")[0] == 200
        states = [str(row.state) for row in place.ask(sa.select(t.notices.c.state))]
        assert set(states) <= {"pending", "sending"}
        assert '"email/other"' in trial.service.get("/health/components")[1]
        assert trial.service.terminate()[0] == 0
        place.config.write_text(sound, "utf-8")
        trial.service.restart()
        found = trial.over()
    assert not found.faults


UNKNOWN = 'host = "smtp.nowhere.invalid"\nport = 587'


def test_blobs_that_cannot_be_written_hold_up_only_their_mails(places: Places, tmp_path: Path) -> None:
    """The blob folder turns read-only: mails without files go on, those with files wait and are taken afterwards."""
    blobs = tmp_path / "data" / "blobs"
    blobs.mkdir(parents=True)
    with mounted(["--bind", str(blobs)], blobs), Trial(places()) as trial:
        trial.until_cases(10)
        with read_only(blobs):
            trial.until_offered(30)
            trial.until_cases(5)
        found = trial.over()
    assert not found.faults
    assert found.blobs > 3


def test_workers_that_hang_or_die_cost_no_message(places: Places) -> None:
    """One worker is frozen, the other is killed: both are replaced, and every message is read all the same."""

    def quick(text: str) -> str:
        return f"{text}\n[workers]\nseconds = 4\nprocesses = 2\n"

    with Trial(places(quick)) as trial:
        trial.until_cases(10)
        hanging, dying = trial.workers()
        os.kill(hanging, signal.SIGSTOP)
        os.kill(dying, signal.SIGKILL)
        trial.until_said("a worker was lost")
        trial.until_cases(10)
        found = trial.over()
        quarantined = trial.place.count(t.quarantine)
    assert not found.faults
    assert quarantined == 0

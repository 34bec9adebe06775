"""The command line: every command of `intake`, and how its mistakes are told."""

from __future__ import annotations

import asyncio
import io
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number

from intake import __version__, telemetry
from intake.display import console, errors, write_books, write_json, write_record, write_rows, write_way
from intake.errors import ConfigError, IntakeError
from intake.schema import Department

T = TypeVar("T")

Config = Annotated[
    Path | None,
    Parameter(name="--config", help="Configuration file (TOML). Default: intake.toml here, if there is one."),
]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON lines for programs.")]
Limit = Annotated[
    int, Parameter(name="--limit", help="Most rows shown.", validator=Number(gte=1, lte=1_000_000))
]
_ID = Parameter(help="Id from the list.", validator=Number(gte=1, lt=2**63))

app = App(
    name="intake",
    help="Takes customers' complaints from every channel, registers each once, hands it to its department.",
    version=__version__,
    help_epilogue="Exit codes: 0 fine, 1 failed, 2 wrong configuration or usage.",
)
db = App(name="db", help="The database's schema.")
topics_app = App(name="topics", help="The Kafka topics.")
quarantine_app = App(
    name="quarantine", help="Messages that could not be read; each has a case and its bytes."
)
aside_app = App(name="aside", help="Messages set aside: automatic, lists, bounces, spam, before the cut-off.")
dead_app = App(name="dead-letter", help="Events given up after permanent failures.")
notices_app = App(name="notices", help="Letters to customers that are not sent yet, or never will be.")
for sub in (db, topics_app, quarantine_app, aside_app, dead_app, notices_app):
    app.command(sub)


def _load(config: Path | None, **given: Any) -> Any:
    from intake.app import channel_settings, data_folder
    from intake.settings import load

    default = Path("intake.toml")
    settings = load(config or (default if default.exists() else None), channel_settings(), **given)
    telemetry.configure_logging(settings.log.level, settings.log.format)
    data_folder(settings)
    return settings


@asynccontextmanager
async def _store(settings: Any, *, read_only: bool = True) -> AsyncIterator[Any]:
    from intake.store import schema_version
    from intake.store.database import open_store

    store = open_store(settings, read_only=read_only)
    try:
        await schema_version.require(store)
        yield store
    finally:
        await store.close()


def _read(settings: Any, work: Callable[[Any], T]) -> T:
    async def run() -> T:
        async with _store(settings) as store:
            found: T = await store.read(work)
            return found

    return asyncio.run(run())


def _write(settings: Any, work: Callable[[Any], T]) -> T:
    async def run() -> T:
        async with _store(settings, read_only=False) as store:
            found: T = await store.write(work)
            return found

    return asyncio.run(run())


@app.command
def run(
    *,
    config: Config = None,
    roles: Annotated[str, Parameter(help="Parts to run here, e.g. web,relay (PostgreSQL only).")] = "",
) -> None:
    """Run the service until SIGTERM; a second signal ends it at once."""
    from intake.app import ROLES, serve

    chosen = tuple(role.strip() for role in roles.split(",") if role.strip()) or ROLES
    if unknown := set(chosen) - set(ROLES):
        raise ConfigError(
            f"--roles: no such role: {', '.join(sorted(unknown))}; there are {', '.join(ROLES)}"
        )
    settings = _load(config)
    _run_loop(serve(settings, chosen))


def _run_loop(main: Any) -> None:
    import uvloop

    uvloop.run(main)


@app.command
def demo(
    *,
    once: Annotated[bool, Parameter(negative="", help="End after the sample complaints.")] = False,
    config: Config = None,
) -> None:
    """Play sample complaints through the real channels and show where they arrive.

    Embedded by default, with nothing but Python; on a broker where INTAKE_KAFKA__BOOTSTRAP_SERVERS names one.
    """
    import tempfile

    import uvloop

    from intake.app import channel_settings
    from intake.demo_settings import demo_settings

    with tempfile.TemporaryDirectory(prefix="intake-demo-", ignore_cleanup_errors=True) as folder:
        settings = demo_settings(config, Path(folder), channel_settings())
        code = uvloop.run(_play(settings, once=once))
    sys.exit(code)


async def _play(settings: Any, *, once: bool) -> int:
    from intake.app import Service
    from intake.demo import play
    from intake.store import schema_version
    from intake.store.database import open_store
    from router import producer, topics

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # people write characters that not every terminal has
    servers, kafka = settings.kafka.bootstrap_servers, None
    if servers:
        console.print(f"With the real Kafka at {servers}; all else in {settings.data_dir}")
        made, kafka = await topics.create(settings), producer.connection(settings)
        console.print(f"Topics: {len(made.created)} created, {len(made.existing)} there already")
    else:
        console.print(f"Embedded: SQLite and the outbox as the log, in {settings.data_dir}")
    store = open_store(settings)
    await schema_version.upgrade(store)
    await store.close()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return await play(Service(settings), topics.outgoing(), kafka, once=once, stopped=stopped)


@app.command(name="check-config")
def check_config(*, config: Config = None) -> None:
    """Read the configuration and say what it switches on; exit 2 with a line per mistake."""
    settings = _load(config)
    on = list(settings.channels())
    console.print(f"The configuration is fine. Channels: {', '.join(on) or 'none'}.")
    console.print(
        f"Store: {settings.store_url.partition('://')[0]}. Broker: {settings.kafka.bootstrap_servers or 'none'}."
    )


@db.command
def upgrade(*, config: Config = None) -> None:
    """Bring the database to the schema of this release; harmless to repeat."""
    from intake.store import schema_version
    from intake.store.database import open_store

    async def work() -> tuple[str, str]:
        store = open_store(_load(config))
        try:
            return await schema_version.upgrade(store)
        finally:
            await store.close()

    before, after = asyncio.run(work())
    console.print(
        f"schema {after}, nothing to do" if before == after else f"schema {before or 'empty'} -> {after}"
    )


@topics_app.command
def create(*, config: Config = None, as_json: Json = False) -> None:
    """Make the topics that are missing; changes nothing that exists."""
    from router import topics

    settings = _load(config)
    _need_broker(settings)
    report = asyncio.run(topics.create(settings))
    if as_json:
        write_json(
            {
                "created": list(report.created),
                "existing": list(report.existing),
                "remarks": list(report.remarks),
            }
        )
        return
    console.print(f"{len(report.created)} created, {len(report.existing)} there already")
    for line in report.remarks:
        console.print(line)


def _need_broker(settings: Any) -> None:
    if not settings.kafka.bootstrap_servers:
        raise ConfigError("kafka.bootstrap_servers: not set; this command needs a broker")


@app.command
def normalize(
    channel: str,
    files: Annotated[list[Path], Parameter(help="Files to read, each by a worker with limits.")],
    /,
    *,
    config: Config = None,
) -> None:
    """Print one JSON line per file: the message as the service would understand it.

    A file that cannot be read gives "ok": false; the batch goes on.
    """
    import normalizers
    from intake.batch import normalize_files
    from intake.workers import Workers, normalize_only
    from normalizers.report import to_json
    from router.triage import triage_all

    settings = _load(config)
    workers = Workers(normalizers.normalize, triage_all, settings.workers, task=normalize_only)
    try:
        asyncio.run(normalize_files(workers, channel, files, settings.limits.message_bytes, to_json))
    finally:
        workers.close()


@app.command
def triage(
    *,
    explain: Annotated[
        bool, Parameter(negative="", help="A block for people to read, instead of JSON lines.")
    ] = False,
    rules: Annotated[Path | None, Parameter(help="Rules to try, instead of the packaged ones.")] = None,
) -> None:
    """Read JSON lines {id, channel, text, subject?, sent_at?} and print where each goes and why."""
    from intake.given import batches
    from intake.workers import spare_memory_checks
    from router.rules import load
    from router.triage import Config as TriageConfig
    from router.triage import explained, from_lines

    if rules is not None:
        load(rules)
    config = TriageConfig(rules_file=rules)
    spare_memory_checks()
    for lines in batches(sys.stdin.buffer):
        if explain:
            print("\n".join(explained(line, config) for line in lines))
        else:
            for answer in from_lines(lines, config):
                write_json(answer)


def _code(text: str) -> str:
    from intake import tracking

    try:
        return tracking.parse(text)
    except ValueError as error:
        raise ConfigError(f"{text}: {error}") from error


@app.command
def show(code: str, /, *, config: Config = None, as_json: Json = False) -> None:
    """Print the whole way of a case: received, committed, where each event went, each letter and its state."""
    from intake.store import inspection

    settings, canonical = _load(config), _code(code)
    way = _read(settings, lambda c: inspection.way_of_case(c, canonical))
    if way is None:
        raise IntakeError(f"{code}: there is no such case")
    write_json(way) if as_json else write_way(way, settings.kafka.topic_prefix)


@app.command
def status(code: str, /, *, config: Config = None) -> None:
    """Print the state of a case and nothing else."""
    from intake.store import lookups

    canonical = _code(code)
    state = _read(_load(config), lambda c: lookups.status_of(c, canonical))
    if state is None:
        raise IntakeError(f"{code}: there is no such case")
    console.print(str(state))


@app.command
def unlink(code: str, /, *, config: Config = None) -> None:
    """Make a duplicate a case of its own again; its department gets its `registered`."""
    from intake import links, tracking
    from intake.app import utc_now
    from intake.events import Origin

    settings, canonical = _load(config), _code(code)
    origin = Origin.of(settings)
    first = _write(settings, lambda c: links.unlink(c, canonical, origin, utc_now()))
    console.print(
        f"{tracking.show(canonical)} is a case of its own, no longer linked to {tracking.show(first)}"
    )


@app.command(name="compare")
def compare_pairs() -> None:
    """Read JSON lines {id, a, b, channel_a?, channel_b?, sent_at_a?, sent_at_b?} and print whether b repeats a.

    The same customer is assumed to have written both, a first. A moment not given is now.
    """
    from intake.pairs import from_line
    from router.triage import triage_all

    for line in filter(str.strip, sys.stdin):
        write_json(from_line(line, triage_all))


@app.command
def find(term: str, /, *, limit: Limit = 50, config: Config = None, as_json: Json = False) -> None:
    """Find cases by e-mail address, phone, platform account or Message-ID."""
    from intake.store import inspection

    rows = _read(_load(config), lambda c: inspection.cases_of(c, term.strip(), limit))
    columns = ("code", "registered_at", "channel", "department", "priority", "status")
    write_rows(rows, columns, "Cases", as_json=as_json)


@app.command
def tail(
    department: str,
    /,
    *,
    after: Annotated[int, Parameter(help="Position to go on from.")] = 0,
    follow: Annotated[bool, Parameter(negative="", help="Wait for what is to come.")] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Read a department's events from the outbox, where there is no broker."""
    from intake.store import outbox
    from router.topics import department_topic, outgoing

    if department_topic(department) not in outgoing():
        known = ", ".join(topic.removesuffix(".v1") for topic in outgoing())
        raise ConfigError(f"{department}: there is no such department; there are {known}")

    async def work() -> None:
        async with _store(settings) as store:
            async for record in outbox.tail(store, department_topic(department), after=after, follow=follow):
                write_record(record, as_json=as_json)

    settings = _load(config)
    asyncio.run(work())


@app.command
def reconcile(*, config: Config = None, as_json: Json = False) -> None:
    """Check the books: for each channel, what its sources showed and what became of it. Exit 1 on a gap."""
    from intake.store.ledger import balance

    books = _read(_load(config), balance)
    if as_json:
        write_rows(books, (), "", as_json=True)
    else:
        write_books(books)
    if any(book["gap"] > 0 for book in books):
        raise IntakeError("the books do not balance: a source showed more than the ledger accounts for")


@app.command
def republish(
    *,
    department: Department | None = None,
    since: Annotated[datetime | None, Parameter(help="Events made after this moment (RFC 3339).")] = None,
    case: Annotated[str, Parameter(help="A tracking code, instead of a department.")] = "",
    config: Config = None,
) -> None:
    """Send events again to Kafka: the same ids, the same bytes."""
    settings = _load(config)
    _need_broker(settings)
    if bool(case) == bool(department):
        raise ConfigError("republish: give either --department with --since, or --case")
    count = asyncio.run(_republish(settings, department, since, _code(case) if case else None))
    console.print(f"{count} events sent again")


async def _republish(settings: Any, department: str | None, since: datetime | None, code: str | None) -> int:
    from intake.batch import progress
    from router.relay import republish as send_again
    from router.topics import department_topic

    moment = since.astimezone() if since else None
    async with _store(settings) as store:
        with progress("sending again", 0) as advance:
            return await send_again(
                store,
                settings,
                topic=department_topic(department) if department else None,
                code=code,
                since=moment,
                progress=advance,
            )


@quarantine_app.command(name="list")
def quarantine_list(*, limit: Limit = 50, config: Config = None, as_json: Json = False) -> None:
    """List what waits, the oldest first."""
    from intake.store import inspection

    rows = _read(_load(config), lambda c: inspection.in_quarantine(c, limit))
    columns = ("source_key", "code", "reason", "attempts", "first_seen")
    write_rows(rows, columns, "Quarantine", as_json=as_json)


@aside_app.command(name="list")
def aside_list(*, limit: Limit = 50, config: Config = None, as_json: Json = False) -> None:
    """List what was set aside, the newest first."""
    from intake.store import inspection

    rows = _read(_load(config), lambda c: inspection.set_aside(c, limit))
    write_rows(rows, ("source_key", "reason", "size", "committed_at"), "Set aside", as_json=as_json)


@quarantine_app.command(name="show")
@aside_app.command(name="show")
def show_raw(source_key: str, /, *, config: Config = None) -> None:
    """Write the kept bytes of a delivery to standard output."""
    from intake.blobs import open_blobs
    from intake.replay import raw_message

    async def work() -> bytes:
        async with _store(settings) as store:
            return (await raw_message(store, open_blobs(settings), source_key)).body

    settings = _load(config)
    sys.stdout.buffer.write(asyncio.run(work()))
    sys.stdout.buffer.flush()


@quarantine_app.command(name="replay")
@aside_app.command(name="replay")
def replay_keys(source_keys: list[str], /, *, config: Config = None, as_json: Json = False) -> None:
    """Read the kept bytes again and register them. A quarantined message keeps its case and code."""
    rows = asyncio.run(_replay(_load(config), source_keys))
    write_rows(rows, ("source_key", "outcome", "code", "error"), "Replayed", as_json=as_json)
    if any(row["error"] for row in rows):
        raise IntakeError("not everything could be replayed")


async def _replay(settings: Any, source_keys: list[str]) -> list[dict[str, Any]]:
    import normalizers
    from intake.app import load_secret, mail_source, policy_of, utc_now
    from intake.batch import replay_all
    from intake.blobs import open_blobs
    from intake.replay import replay
    from intake.workers import Workers
    from router.triage import triage_all

    policy = policy_of(settings, load_secret(settings), mail_source(settings))
    workers = Workers(normalizers.normalize, triage_all, settings.workers)
    try:
        async with _store(settings, read_only=False) as store:
            blobs = open_blobs(settings)
            return await replay_all(
                source_keys, lambda key: replay(store, blobs, workers, policy, key, utc_now())
            )
    finally:
        workers.close()


@quarantine_app.command(name="discard")
def quarantine_discard(
    source_key: str, /, *, reason: Annotated[str, Parameter(help="Why; kept.")], config: Config = None
) -> None:
    """Take a message off the list; its case and its bytes stay."""
    from intake.app import utc_now
    from intake.replay import discard

    if not _write(_load(config), lambda c: discard(c, source_key, reason, utc_now())):
        raise IntakeError(f"{source_key}: does not wait in quarantine")


@dead_app.command(name="list")
def dead_list(*, limit: Limit = 50, config: Config = None, as_json: Json = False) -> None:
    """List events that were given up."""
    from intake.store import outbox

    rows = _read(_load(config), lambda c: outbox.dead_letters(c, limit))
    write_rows(
        rows, ("id", "code", "topic", "type", "attempts", "error", "dead_at"), "Dead letters", as_json=as_json
    )


@dead_app.command(name="show")
def dead_show(event: Annotated[int, _ID], /, *, config: Config = None) -> None:
    """Print one event given up, headers and value, as JSON."""
    from intake.store import inspection

    row = _read(_load(config), lambda c: inspection.event(c, event))
    if row is None:
        raise IntakeError(f"{event}: there is no such event")
    write_json(row)


@dead_app.command(name="replay")
def dead_replay(
    events: Annotated[list[int] | None, _ID] = None,
    /,
    *,
    config: Config = None,
) -> None:
    """Let the relay try again, after the cause is mended."""
    from intake.store import outbox

    count = _write(_load(config), lambda c: outbox.replay_dead(c, events or None))
    console.print(f"{count} events go to the relay again")


@notices_app.command(name="list")
def notices_list(*, limit: Limit = 50, config: Config = None, as_json: Json = False) -> None:
    """List letters that are not sent, the failed ones first."""
    from intake.store import inspection

    rows = _read(_load(config), lambda c: inspection.open_notices(c, limit))
    columns = ("id", "code", "kind", "channel", "state", "attempts", "due_at", "error")
    write_rows(rows, columns, "Notices", as_json=as_json)


@notices_app.command(name="show")
def notices_show(notice: str, /, *, config: Config = None) -> None:
    """Print one notice as JSON."""
    from intake.store import inspection

    row = _read(_load(config), lambda c: inspection.notice(c, notice))
    if row is None:
        raise IntakeError(f"{notice}: there is no such notice")
    write_json(row)


@notices_app.command(name="replay")
def notices_replay(notice: str, /, *, config: Config = None) -> None:
    """Send a notice that failed, or whose fate is unknown, once more."""
    from intake.app import utc_now
    from intake.store import inspection

    if not _write(_load(config), lambda c: inspection.send_again(c, notice, utc_now())):
        raise IntakeError(f"{notice}: is not waiting, or was sent already")


def main(arguments: list[str] | None = None) -> None:
    """Run a command; every mistake is one line on standard error, and its kind is the exit code."""
    telemetry.configure_logging("warning", "console")  # what a command prints is for programs too
    try:
        app(arguments, exit_on_error=False, print_error=True, result_action="return_value")
    except CycloptsError:
        sys.exit(2)
    except ConfigError as error:
        for problem in error.problems:
            errors.print(f"intake: {problem}")
        sys.exit(2)
    except IntakeError as error:
        errors.print(f"intake: {error}")
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
    except (OSError, UnicodeError) as error:
        errors.print(f"intake: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

"""The composition root: the one place where channels, store, router and pages meet. Nobody imports it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import os
import pkgutil
import secrets
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
from pydantic import BaseModel, SecretStr

import connectors
import normalizers
from intake import telemetry
from intake.accept import Acceptor, free_bytes
from intake.blobs import open_blobs
from intake.errors import ConfigError, IntakeError
from intake.events import Origin
from intake.listeners import Listener
from intake.notices import Postman
from intake.ports import Channel, Core
from intake.register import Policy
from intake.settings import Settings
from intake.store import outbox, schema_version
from intake.store.database import AnyStore, open_store
from intake.store.leases import Lease
from intake.store.ledger import StoreLedger
from intake.supervision import Supervisor
from intake.web import topics as topic_pages
from intake.web.private import private_app
from intake.web.public import public_app
from intake.workers import Workers
from router import triage
from router.relay import Numberer, Relay

log = structlog.get_logger(__name__)

ROLES: Final = ("connectors", "web", "relay", "notices")
_DRAIN_SECONDS = 10.0
_HTTP_GRACE_SECONDS = 8
_LOOP_TICK_SECONDS = 1.0
_GC_THRESHOLD = 50_000
_EXPIRE_SECONDS = 3600.0
_EXPIRE_SLICE = 500


def utc_now() -> datetime:
    """The time now, aware, UTC."""
    return datetime.now(UTC)


def channel_modules() -> dict[str, Any]:
    """The channels by the name of their file in `connectors/`; the file's name is the registration."""
    names = sorted(module.name for module in pkgutil.iter_modules(connectors.__path__))
    return {name: f"connectors.{name}" for name in names}


def channel_settings() -> dict[str, type[BaseModel]]:
    """Every channel's `Settings`."""
    return {name: importlib.import_module(path).Settings for name, path in channel_modules().items()}


def load_secret(settings: Settings) -> bytes:
    """The configured secret, or one made at the first start and kept in `data_dir`, readable by us alone."""
    if settings.secret:
        return settings.secret.get_secret_value().encode()
    path = settings.data_dir / "secret"
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
    return path.read_text("ascii").encode()


def policy_of(settings: Settings, secret: bytes, mail_source: str | None) -> Policy:
    """What registration needs to know of the configuration."""
    window = timedelta(days=settings.sameness.window_days)
    return Policy(secret, Origin.of(settings), settings.operator.languages, mail_source, window)


class Service:
    """The whole service in one process. `start`, then `run` until `stop` is called."""

    def __init__(self, settings: Settings, roles: tuple[str, ...] = ROLES) -> None:
        self.settings, self._roles, self.clock = settings, roles, utc_now
        self.supervisor = Supervisor(self.clock)
        self._bell = outbox.Bell()
        self.draining = False
        self._stopping = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.listeners: dict[str, Listener] = {}

    async def start(self) -> None:
        """Open everything; raises `ConfigError` for what the operator has to change."""
        settings = self.settings
        if set(self._roles) != set(ROLES) and settings.store_url.startswith("sqlite"):
            raise ConfigError("--roles: a part of the roles needs PostgreSQL; SQLite belongs to one process")
        self.secret = load_secret(settings)
        # channels sign browser tokens and links with the same secret
        settings = self.settings = settings.model_copy(update={"secret": SecretStr(self.secret.decode())})
        self.store: AnyStore = open_store(settings)
        try:
            await schema_version.require(self.store)
        except BaseException:
            await self.store.close()
            raise
        self.blobs = open_blobs(settings)
        judge = triage.configured(settings.triage, settings.operator.time_zone)
        self.workers = Workers(normalizers.normalize, judge, settings.workers)
        self.channels: dict[str, Channel] = {}
        policy = policy_of(settings, self.secret, mail_source(settings))
        self.acceptor = Acceptor(
            self.store,
            self.blobs,
            self.workers.prepare,
            policy,
            settings.limits,
            self.clock,
            settings.data_dir,
            self._bell.ring,
        )
        for name, section in settings.channels().items():
            module = importlib.import_module(channel_modules()[name])
            self.channels[name] = module.connect(section, self._core(name))
        self.workers.start_soon()  # seconds, in which the service is up already; the first message waits for it
        # what start-up made stays for ever: the collector need not look at it again (measured: a fifth less CPU)
        gc.freeze()
        gc.set_threshold(_GC_THRESHOLD, 20, 50)
        self._letters = Lease(self.store, "notices")
        self.postman = Postman(
            self.store, self.channels, settings, self.secret, self.clock, self._bell, self._letters.still_mine
        )
        self._lease = Lease(self.store, "relay")
        self.relay = self._publisher()
        if "web" in self._roles:
            self._listen()
        self._log_channels()

    def _core(self, channel: str) -> Core:
        ledger = StoreLedger(self.store, self.clock, channel)
        return Core(self.acceptor.deliver, ledger, self.blobs, self.clock, self.settings)

    def _publisher(self) -> Relay | Numberer:
        mine = self._lease.still_mine
        if self.settings.kafka.bootstrap_servers:
            return Relay(self.store, self.settings, self.clock, bell=self._bell, still_mine=mine)
        return Numberer(self.store, self.clock, bell=self._bell, still_mine=mine)

    def _listen(self) -> None:
        settings, web = self.settings, self.settings.web
        routes = [route for channel in self.channels.values() for route in channel.routes]
        public = public_app(routes, self.store, settings, self.clock, lambda: self.draining)
        news = self.relay.numbered if isinstance(self.relay, Numberer) else self._bell
        extra = topic_pages.routes(self.store, settings, news, self._stopping)
        private = private_app(
            self.store, self.blobs, settings, self.clock, self.ready, self.supervisor.shown, extra
        )
        self.listeners["public"] = Listener(
            "public", public, web.public_host, web.public_port, _HTTP_GRACE_SECONDS
        )
        self.listeners["private"] = Listener("private", private, web.private_host, web.private_port, 1)

    def _log_channels(self) -> None:
        off = [name for name in channel_modules() if name not in self.channels]
        broker = (
            "Kafka" if self.settings.kafka.bootstrap_servers else "no broker: departments read the outbox"
        )
        log.info("channels", on=list(self.channels), off=off, publishing=broker)

    async def ready(self) -> Mapping[str, str]:
        """The checks of `/readyz`; Kafka is not among them, the outbox absorbs its outages."""
        checks = {"draining": "the service is stopping" if self.draining else "ok"}
        try:
            await schema_version.require(self.store)
            checks["database"] = checks["schema"] = "ok"
        except ConfigError as error:
            checks["schema"] = str(error)
        except IntakeError as error:
            checks["database"] = str(error)
        free = free_bytes(self.settings.data_dir)
        enough = free >= self.settings.limits.free_disk_bytes
        checks["disk"] = "ok" if enough else f"only {free // 1_048_576} MiB free"
        return checks

    async def run(self) -> None:
        """Run until `stop`, then drain: sources first, then what was taken in, then what goes out."""
        self._spawn("accept", self.acceptor.run)
        self._spawn("loop", self._watch_loop)
        if "relay" in self._roles:
            self._spawn("relay", lambda: self._lease.hold(self.relay.run))
            self._spawn("expiry", self._expire)
        if "notices" in self._roles and any(channel.send for channel in self.channels.values()):
            self._spawn("notices", lambda: self._letters.hold(self.postman.run))
        if "connectors" in self._roles:
            self._spawn_polls()
        for name, listener in self.listeners.items():
            self._spawn(f"listener {name}", listener.run)
        notify("READY=1")
        await self._stopping.wait()
        await self._drain()

    def _spawn(
        self, name: str, run: Callable[[], Awaitable[None]], labels: tuple[str, str] | None = None
    ) -> None:
        self._tasks[name] = asyncio.create_task(self.supervisor.keep(name, run, labels), name=name)

    def _spawn_polls(self) -> None:
        for channel in self.channels.values():
            for source, poll in channel.polls.items():
                lease = Lease(self.store, f"{channel.name}/{source}")
                self._spawn(f"{channel.name}/{source}", _held(lease, poll), (channel.name, source))

    def stop(self) -> None:
        """Begin the drain; `run` returns when it is over, at most 25 s later."""
        self.draining = self.supervisor.stopping = True
        self._stopping.set()

    async def _drain(self) -> None:
        notify("STOPPING=1")
        log.info("stopping")
        await self._cancel([name for name in self._tasks if "/" in name])
        if public := self.listeners.get("public"):
            public.stop()
            await asyncio.wait({self._tasks["listener public"]}, timeout=_HTTP_GRACE_SECONDS + 1)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.acceptor.close(), _DRAIN_SECONDS / 2)
        await self._cancel(["notices", "relay"])
        await self._cancel(list(self._tasks))
        await self.close()
        log.info("stopped")

    async def _cancel(self, names: list[str]) -> None:
        tasks = [task for name in names if (task := self._tasks.pop(name, None))]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_DRAIN_SECONDS + 1)

    async def close(self) -> None:
        """Let go of everything."""
        for channel in self.channels.values():
            if channel.close:
                with contextlib.suppress(Exception):
                    await channel.close()
        await asyncio.to_thread(self.workers.close)
        await self.blobs.close()
        await self.store.close()

    async def _watch_loop(self) -> None:
        """How late the event loop is, and the watchdog's heartbeat."""
        while True:
            expected = time.monotonic() + _LOOP_TICK_SECONDS
            await asyncio.sleep(_LOOP_TICK_SECONDS)
            telemetry.loop_delay_seconds.set(max(0.0, time.monotonic() - expected))
            notify("WATCHDOG=1")

    async def _expire(self) -> None:
        """Forget sent events after the retention, a slice at a time."""
        while True:
            before = self.clock().timestamp() - self.settings.retention.outbox_days * 86_400
            moment = datetime.fromtimestamp(before, UTC)
            forget = partial(outbox.expire, before=moment, limit=_EXPIRE_SLICE)
            pause = 0.0 if await self.store.write(forget) else _EXPIRE_SECONDS
            await asyncio.sleep(pause)


def _held(lease: Lease, poll: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    return lambda: lease.hold(poll)


def mail_source(settings: Settings) -> str | None:
    """The source letters to typed addresses go out through, where e-mail can be sent at all."""
    email = settings.channels().get("email")
    if email is None or getattr(email, "smtp", None) is None:
        return None
    mailboxes = getattr(email, "mailboxes", ())
    return str(mailboxes[0].name) if mailboxes else "email"


def notify(state: str) -> None:
    """Tell systemd (sd_notify(3)); nothing happens where it is not there."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.connect("\0" + address[1:] if address.startswith("@") else address)
        sock.sendall(state.encode())


async def serve(settings: Settings, roles: tuple[str, ...] = ROLES) -> None:
    """`intake run`: the service until SIGTERM or SIGINT; a second signal ends it at once."""
    service = Service(settings, roles)
    await service.start()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if service.draining:
            os._exit(1)  # the second signal: now; nothing durable depends on the drain
        service.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    await service.run()


def data_folder(settings: Settings) -> Path:
    """The data folder, made where it is missing. Raises `ConfigError` where it cannot be."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"data_dir: cannot make {settings.data_dir}: {error.strerror}") from error
    return settings.data_dir

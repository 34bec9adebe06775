"""A complaint over HTTP with its durable commit, against a bare answer of the same server."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from uuid import UUID

import uvloop
from starlette.types import Receive, Scope, Send

from benchmarks import places
from benchmarks.corpus import text_of_complaint
from benchmarks.options import Options, postgres
from benchmarks.timing import Figure, Timed, interleaved_async, ratio
from intake.app import channel_settings, serve
from intake.errors import ConfigError
from intake.listeners import Listener
from intake.settings import load
from intake.store import schema_version
from intake.store.database import open_store

_CONNECTIONS = 64
_REQUESTS = 3_000
_KEY = "benchmark-key"
_START_SECONDS = 120.0


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body and answer: what any application on this server costs at least."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    body = b'{"code":"0000-0000-0000-00","status_url":"https://complaints.example/status"}'
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _serve(what: str, where: Path, port: int, url: str) -> None:
    if what == "bare":
        await Listener("public", bare, "127.0.0.1", port, 1).run()
        return
    settings = load(
        None,
        channel_settings(),
        data_dir=where,
        store={"url": url},
        limits={"free_disk_bytes": 0},
        log={"level": "error"},
        web={"public_port": port, "private_port": 0},
        web_form={"api_keys": {"site": _KEY}, "api_per_minute": 10_000_000},
    )
    store = open_store(settings)
    await schema_version.upgrade(store)
    await store.close()
    await serve(settings)


def free_port() -> int:
    """A loopback port nobody listens on at the moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def server(what: str, where: Path, url: str = "", **variables: str) -> Iterator[int]:
    """A server ("bare" or "form") in a process of its own, with `variables` as settings; gives its port."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.form", what, str(where), str(port), url]
    root = Path(__file__).resolve().parent.parent
    environment = {k: v for k, v in os.environ.items() if not k.startswith("INTAKE_")} | variables
    process = subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.DEVNULL)
    try:
        _until_it_listens(port, process)
        yield port
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()
        process.wait()


def _until_it_listens(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/status", timeout=5):
            return
        time.sleep(0.05)
    raise ConfigError(f"the server of this benchmark does not answer; exit code {process.poll()}")


def requests(count: int, seed: int) -> list[bytes]:
    """Whole HTTP requests, each another complaint of another customer."""
    source = random.Random(seed)
    found = []
    for number in range(count):
        complaint = {
            "id": str(UUID(int=source.getrandbits(128), version=4)),
            "text": text_of_complaint(f"{seed}/{number}"),
            "email": f"form.{seed}.{number}@ornek.example",
            "name": "Ayşe Yılmaz",
        }
        body = json.dumps(complaint, ensure_ascii=False).encode()
        head = (
            f"POST /v1/complaints HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {_KEY}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        found.append(head.encode() + body)
    return found


async def hand_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    """One request on an open connection, and its whole answer. Raises `ConfigError` where it is not taken."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 201"):
        raise ConfigError(f"the form answered {head.splitlines()[0].decode()}")
    length = int(head.lower().split(b"content-length: ", 1)[1].split(b"\r", 1)[0])
    await reader.readexactly(length)


async def _load(port: int, offered: list[bytes]) -> float:
    """Seconds a request with all connections busy. Raises `ConfigError` where one is not taken."""
    waiting = iter(offered)

    async def one_connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            await hand_in(reader, writer, request)
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(one_connection() for _ in range(_CONNECTIONS)))
    return (time.perf_counter() - started) / len(offered)


async def _of_store(kind: str, options: Options) -> list[Figure]:
    count = options.size(_REQUESTS)

    async def measured(number: int, port: int, seed: int) -> float:
        return await _load(port, requests(count, seed + number))

    with places.folder() as where:
        async with places.store_url(kind, where) as url:
            with server("bare", where) as bare_port, server("form", where, url) as form_port:
                variants: dict[str, Timed] = {
                    "bare": partial(measured, port=bare_port, seed=1000),
                    "form": partial(measured, port=form_port, seed=2000),
                }
                seconds = await interleaved_async(f"form: {kind}", variants, options.few_rounds)
    name = f"{kind}: complaint by HTTP with its commit / bare answer"
    note = "both with a client on the same cores"
    return [ratio("form", name, seconds["bare"], seconds["form"], note=note)]


def run(options: Options) -> list[Figure]:
    """Ratios on both stores."""
    figures = []
    for kind in ("sqlite", *(["postgresql"] if postgres() else [])):
        figures += asyncio.run(_of_store(kind, options))
    return figures


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))

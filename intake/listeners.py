"""The two HTTP listeners: uvicorn on sockets of our own, inside our own event loop and signals."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from intake.errors import ConfigError

_BACKLOG = 2048
_KEEP_ALIVE_SECONDS = 15
_CONNECTIONS = 2000  # more are told 503; headers that never end are a proxy's business


class Listener:
    """One application on one address. Raises `ConfigError` where it cannot listen."""

    def __init__(self, name: str, app: ASGIApp, host: str, port: int, grace: int) -> None:
        self._socket = _bind(name, host, port)
        self.port: int = self._socket.getsockname()[1]
        self._server = _Server(
            uvicorn.Config(
                app,
                loop="none",
                http="httptools",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # whose X-Forwarded-For is believed, `web.trusted_proxies` says
                limit_concurrency=_CONNECTIONS,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=grace,
                ws="none",
            )
        )

    async def run(self) -> None:
        """Serve until `stop`, or until cancelled."""
        await self._server.serve(sockets=[self._socket])

    def stop(self) -> None:
        """Take no new connection; requests under way are answered within the grace."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """uvicorn takes SIGTERM for itself; here the service decides what a signal means."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _bind(name: str, host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ConfigError(f"web.{name}_port: cannot listen on {host}:{port}: {error.strerror}") from error
    listening.listen(_BACKLOG)
    listening.setblocking(False)
    return listening

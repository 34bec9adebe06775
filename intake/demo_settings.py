"""The configuration of the demonstration: everything embedded, in a folder of its own."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intake import telemetry
from intake.settings import Settings, load


def demo_settings(config: Path | None, folder: Path, channels: Mapping[str, Any]) -> Settings:
    """Everything in a folder of its own and only the form as a channel: nothing real is read, written or told.

    A configuration file counts only where it is named, so that a real one lying here is left alone.
    """
    given: dict[str, Any] = dict.fromkeys(channels, None) | {"web_form": {}}
    given |= {"data_dir": folder, "store": {"url": ""}, "blobs": {"url": ""}}
    given["operator"] = {"languages": ("tr", "en")}
    given["web"] = dict.fromkeys(("public_host", "private_host"), "127.0.0.1")
    given["web"] |= dict.fromkeys(("public_url", "private_url"), "")
    settings = load(config, channels, **given)
    telemetry.configure_logging("warning", settings.log.format)
    ports = {name: _free_port(getattr(settings.web, name)) for name in ("public_port", "private_port")}
    return settings.model_copy(update={"web": settings.web.model_copy(update=ports)})


def _free_port(wanted: int) -> int:
    """The wanted port on loopback, or any other where it is in use."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found

"""The composition root: what it refuses, what it makes at the first start."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from intake.app import ROLES, Service, channel_settings, load_secret
from intake.errors import ConfigError
from intake.settings import load
from intake.store import schema_version
from intake.store.database import open_store


def test_the_secret_is_made_once_and_is_ours_alone(make_settings: Any, tmp_path: Path) -> None:
    """Sixty-four hex digits, the same at the next start, readable by nobody else."""
    settings = make_settings()
    first = load_secret(settings)
    assert load_secret(settings) == first
    assert len(first) == 64
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


async def test_a_part_of_the_roles_needs_postgresql(make_settings: Any) -> None:
    """SQLite belongs to one process, which then has to be all of it."""
    with pytest.raises(ConfigError, match="--roles: a part of the roles needs PostgreSQL"):
        await Service(make_settings(), ROLES[:1]).start()


async def test_an_old_schema_is_refused_with_the_command_to_run(make_settings: Any) -> None:
    """The service does not migrate by itself."""
    with pytest.raises(ConfigError, match="run: intake db upgrade"):
        await Service(make_settings()).start()


async def test_it_is_ready_until_it_drains(tmp_path: Path) -> None:
    """Every check says ok; a stopping service is not ready any more; it ends in order."""
    settings = load(
        None,
        channel_settings(),
        data_dir=tmp_path,
        web={"public_port": 0, "private_port": 0},
        limits={"free_disk_bytes": 0},
    )
    store = open_store(settings)
    await schema_version.upgrade(store)
    await store.close()
    service = Service(settings)
    await service.start()
    assert set((await service.ready()).values()) == {"ok"}
    service.stop()
    assert (await service.ready())["draining"] == "the service is stopping"
    await service.run()

"""Bringing the database to the schema this release needs, and telling when it is not."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from intake.errors import ConfigError
from intake.ports import Store

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x1A7A_4E01  # PostgreSQL advisory lock: two instances may start at once


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    return config


def newest() -> str:
    """The revision this release needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


async def current(store: Store) -> str:
    """The revision the database is at; empty where it has none."""
    return await store.read(lambda c: MigrationContext.configure(c).get_current_revision() or "")


async def upgrade(store: Store) -> tuple[str, str]:
    """Apply what is missing; returns the revisions before and after."""

    def work(connection: sa.Connection) -> tuple[str, str]:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:k)"), {"k": _LOCK})
        before = MigrationContext.configure(connection).get_current_revision() or ""
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return before, newest()

    return await store.write(work)


async def require(store: Store) -> None:
    """Raises `ConfigError` with the command to run where the schema is older than this release's."""
    found, needed = await current(store), newest()
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found != needed and (not found or found in known):
        at = found or "empty"
        raise ConfigError(f"the database schema is {at}, this release needs {needed}; run: intake db upgrade")

"""Where Alembic gets its connection: from the caller, who holds it open."""

from __future__ import annotations

from alembic import context

from intake.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()

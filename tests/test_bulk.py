"""Many rows at once: what is written, and what a refusal looks like, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from intake.store.bulk import COPY_FROM, insert_rows
from intake.store.database import AnyStore
from intake.store.tables import outbox, raw

NOW = datetime(2026, 11, 23, 9, 0, 0, 123_456, tzinfo=UTC)


def raws(count: int) -> list[dict[str, Any]]:
    """Rows with Turkish JSON, bytes and NULL; `blob` is left out."""
    return [
        {
            "source_key": f"key {n:03}",
            "content_type": "message/rfc822",
            "meta": {"ad": "Şikâyet Çığ", "n": n, "list": ["ı", None]},
            "body": None if n % 2 else bytes(range(256)),
            "size": 2**40 + n,
        }
        for n in range(count)
    ]


def events(count: int) -> list[dict[str, Any]]:
    """Rows of a table that numbers them and has defaults; headers are JSON already in every other."""
    return [
        {"event_id": f"e{n}", "case_id": "c", "sequence": n, "topic": "general.v1", "type": "t"}
        | {"headers": '{"a":"ö"}' if n % 2 else {"a": "ö"}, "value": b"{}"}
        | {"created_at": NOW + timedelta(microseconds=n)}
        for n in range(count)
    ]


async def stored(store: AnyStore, table: sa.Table) -> list[dict[str, Any]]:
    """Every row of a table, in order."""
    chosen = sa.select(table).order_by(*table.primary_key.columns)
    return await store.read(lambda c: [dict(row) for row in c.execute(chosen).mappings()])


@pytest.mark.parametrize("count", [1, COPY_FROM - 1, COPY_FROM, 3 * COPY_FROM])
async def test_rows_come_back_as_they_were_given(store: AnyStore, count: int) -> None:
    """However many there are: JSON, bytes, large numbers and NULL; also as the first statement."""
    given = raws(count)
    await store.write(lambda c: insert_rows(c, raw, given))
    assert await stored(store, raw) == [{**row, "blob": None} for row in given]


@pytest.mark.parametrize("count", [1, 2 * COPY_FROM])
async def test_what_is_left_out_is_the_default(store: AnyStore, count: int) -> None:
    """Numbers are given in the order of the rows, defaults filled in, the rest is NULL."""
    await store.write(lambda c: insert_rows(c, outbox, events(count)))
    found = await stored(store, outbox)
    assert [row["id"] for row in found] == list(range(1, count + 1))
    assert [row["created_at"] for row in found] == [row["created_at"] for row in events(count)]
    assert {row["headers"]["a"] for row in found} == {"ö"}
    assert {(row["attempts"], row["error"], row["dead_at"]) for row in found} == {(0, "", None)}


@pytest.mark.parametrize("count", [2, 2 * COPY_FROM])
async def test_a_refused_row_takes_its_transaction_along(store: AnyStore, count: int) -> None:
    """A key that is there twice: an error of the database, and nothing of the rows is kept."""
    given = [*raws(count), raws(1)[0]]

    def work(connection: sa.Connection) -> None:
        insert_rows(connection, outbox, events(count))
        insert_rows(connection, raw, given)

    with pytest.raises(sa.exc.DBAPIError) as refused:
        await store.write(work)
    assert not refused.value.connection_invalidated
    assert await stored(store, raw) == await stored(store, outbox) == []
    await store.write(lambda c: insert_rows(c, raw, raws(count)))
    assert len(await stored(store, raw)) == count


@pytest.mark.postgres
@pytest.mark.parametrize("count", [1, 2 * COPY_FROM])
@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_value_that_does_not_fit_is_a_refusal(store: AnyStore, count: int) -> None:
    """Not a lost connection: the message would be offered again for ever."""
    given = [*raws(count), {**raws(1)[0], "source_key": "large", "size": 2**70}]
    with pytest.raises(sa.exc.DBAPIError) as refused:
        await store.write(lambda c: insert_rows(c, raw, given))
    assert not refused.value.connection_invalidated

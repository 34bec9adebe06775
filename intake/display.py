"""What commands print: tables for people on a terminal, JSON lines for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from intake import tracking

# what is shown was written by strangers: "[x]" is no style, and ":mail:" in a key no picture
console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def write_json(value: Any) -> None:
    """One line of JSON on standard output."""
    line = json.dumps(value, ensure_ascii=False, default=_plain)
    try:
        line.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # a file name that is no text, or a terminal that knows few letters
        line = json.dumps(value, default=_plain)
    sys.stdout.write(line + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    raise TypeError(f"not JSON: {type(value).__name__}")


def write_rows(rows: Iterable[dict[str, Any]], columns: Sequence[str], title: str, *, as_json: bool) -> None:
    """Rows as a table, or as JSON lines."""
    if as_json:
        for row in rows:
            write_json(row)
        return
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in ("code", "id"))
    shown = 0
    for row in rows:
        table.add_row(*(Text(_cell(column, row.get(column))) for column in columns))
        shown += 1
    console.print(table if shown else f"{title}: none")


def _cell(column: str, value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.strftime("%m-%d %H:%M:%S") if column else value.strftime("%Y-%m-%d %H:%M:%S")
    if column == "code" and value:
        return tracking.show(value)
    return str(value)


def write_books(books: Sequence[dict[str, Any]]) -> None:
    """The books, a column per channel: what its sources showed, what became of it, and the gap."""
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for book in books:
        table.add_column(book["channel"], justify="right")
    for name in [key for key in (books[0] if books else {}) if key != "channel"]:
        style = "bold" if name in ("seen", "gap") else ""
        table.add_row(name.replace("_", " "), *(str(book[name]) for book in books), style=style)
    console.print(table if books else "The books are empty: nothing was received yet.")


def write_way(way: dict[str, Any], prefix: str) -> None:
    """The whole way of a case for a person: received, committed, published, told."""
    state = f"  {way['status']}  {way['department']}  {way['priority']}"
    console.print(Text.assemble((tracking.show(way["code"]), "bold"), state))
    console.print(f"  case {way['id']}  language {way['language']}  customer {way['customer_id'] or '-'}")
    for row in way["deliveries"]:
        console.print(f"  received  {_cell('', row['received_at'])}  {row['source_key']}")
        console.print(
            f"  committed {_cell('', row['committed_at'])}  {row['outcome']} {row['reason']}".rstrip()
        )
    for row in way["relations"]:
        said = "" if row["confirmed"] else "  to be reviewed"
        what = "duplicate of" if row["first"] else row["relation"]
        console.print(f"  related   {what} {tracking.show(row['code'])}  {row['status']}{said}")
    for row in way["attachments"]:
        console.print(
            f"  file      {row['filename']}  {row['media_type']}  {row['size']} bytes  scan {row['scan']}"
        )
    for row in way["events"]:
        console.print(f"  event     {row['sequence']:>3} {row['type']}  {_place(row, prefix)}")
    for row in way["notices"]:
        sent = f" at {_cell('', row['sent_at'])}" if row["sent_at"] else ""
        error = f"  {row['error']}" if row["error"] else ""
        console.print(f"  notice    {row['kind']} by {row['channel']}: {row['state']}{sent}{error}")


def _place(row: dict[str, Any], prefix: str) -> str:
    topic = f"{prefix}.{row['topic']}"
    if row["offset"] is not None:
        return f"{topic}-{row['partition']}-{row['offset']}"
    if row["position"] is not None:
        return f"{topic} position {row['position']}"
    if row["dead_at"]:
        return f"{topic} given up: {row['error']}"
    return f"{topic} not sent yet" + (f": {row['error']}" if row["error"] else "")


def write_record(record: Any, *, as_json: bool) -> None:
    """One event of a topic: the whole of it for a program, a line for a person."""
    value = json.loads(record.value)
    if as_json:
        write_json(
            {"position": record.position, "type": record.type, "headers": record.headers, "value": value}
        )
        return
    subject = value.get("subject") or "-"
    console.print(
        f"{record.position:>6}  {value['tracking_code']}  {record.type}  {value['priority']}  {subject}"
    )

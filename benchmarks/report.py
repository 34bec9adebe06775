"""What a run has found: a table on the terminal, JSON in a file, and a table in the documentation."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.plot import plot
from benchmarks.timing import Figure

_LIBRARIES = (
    "aiokafka",
    "asyncpg",
    "fast-mail-parser",
    "pydantic",
    "selectolax",
    "SQLAlchemy",
    "uvicorn",
    "uvloop",
)
_BEGIN, _END = "<!-- figures of the last run: begin -->", "<!-- figures of the last run: end -->"


def environment(load: Sequence[float]) -> dict[str, Any]:
    """Where the figures come from; nothing that names a machine or its folders. `load` is the one at the start."""
    import sqlite3  # noqa: PLC0415  only its version is wanted

    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load_before": [round(one, 2) for one in load],
        "load_after": [round(one, 2) for one in os.getloadavg()],
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text("ascii"), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def show(figures: Sequence[Figure], where: dict[str, Any]) -> None:
    """The table, on standard output."""
    console = Console(width=None if sys.stdout.isatty() else 150)
    table = Table(box=box.SIMPLE, pad_edge=False)
    for title in ("", "ratio", "rounds from … to", "target", ""):
        table.add_column(title, justify="left" if title == "" else "right", no_wrap=title != "")
    group = ""
    for figure in figures:
        if figure.group != group:
            group = figure.group
            table.add_row(f"[bold]{group}[/bold]")
        verdict = {True: "[green]met[/green]", False: "[red]missed[/red]", None: ""}[figure.is_met]
        note = f" [dim]{figure.note}[/dim]" if figure.note else ""
        spread = f"{_number(figure.low)} … {_number(figure.high)}"
        table.add_row(f"  {figure.name}{note}", _number(figure.ratio), spread, _target(figure), verdict)
    console.print(table)
    loads = f"load {where['load_before'][0]} before, {where['load_after'][0]} after"
    console.print(
        f"{where['processor']}, {where['cores']} cores, {where['memory_gib']} GiB, {where['system']}, "
        f"Python {where['python']}, SQLite {where['sqlite']}; {loads}"
    )
    console.print(", ".join(f"{name} {number}" for name, number in where["libraries"].items()), style="dim")
    missed = sum(figure.is_met is False for figure in figures)
    console.print(f"{len(figures)} figures, {missed} targets missed" if missed else f"{len(figures)} figures")


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _target(figure: Figure) -> str:
    if figure.target is None:
        return ""
    return f"{'≥' if figure.at_least else '≤'} {figure.target:g}"


def keep(path: Path, figures: Sequence[Figure], where: dict[str, Any], kind: str) -> None:
    """The same as JSON. Figures of groups that were not run this time stay as they were in that file."""
    groups = {figure.group for figure in figures}
    before: list[dict[str, Any]] = []
    if path.exists():
        before = [old for old in json.loads(path.read_text("utf-8"))["figures"] if old["group"] not in groups]
    new = [{**figure.as_json(), "environment": where} for figure in figures]
    document = {"run": kind, "environment": where, "figures": before + new}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8")


def as_markdown(document: dict[str, Any]) -> str:
    """A table of what a result file holds."""
    lines, group = [], ""
    for figure in document["figures"]:
        if figure["group"] != group:
            group = figure["group"]
            lines += [
                "",
                f"### {group.replace('_', ' ')}",
                "",
                "| | ratio | rounds | target | |",
                "|---|--:|--:|--:|---|",
            ]
        target = figure["target"]
        sign = "≥" if figure["at_least"] else "≤"
        spread = f"{_number(figure['low'])} … {_number(figure['high'])}"
        verdict = {True: "met", False: "**missed**", None: ""}[figure["met"]]
        note = f" ({figure['note']})" if figure["note"] else ""
        aim = "" if target is None else f"{sign} {target:g}"
        lines.append(
            f"| {figure['name']}{note} | {_number(figure['ratio'])} | {spread} | {aim} | {verdict} |"
        )
    where = document["environment"]
    lines += [
        "",
        f"A {document['run']} run of {where['date']}: {where['processor']}, {where['cores']} cores, "
        f"{where['memory_gib']} GiB, {where['system']}, Python {where['python']}, SQLite {where['sqlite']}; "
        f"load {where['load_before'][0]} before and {where['load_after'][0]} after.",
    ]
    return "\n".join(lines).strip() + "\n"


def write_into(page: Path, document: dict[str, Any]) -> None:
    """Put the table between its two marks in a page, and the picture beside it."""
    text = page.read_text("utf-8")
    head, _, rest = text.partition(_BEGIN)
    _, _, tail = rest.partition(_END)
    picture = page.with_suffix(".svg")
    picture.write_text(plot(document), "utf-8")
    shown = f"![How far each figure is from its target]({picture.name})\n\n{as_markdown(document)}"
    page.write_text(f"{head}{_BEGIN}\n\n{shown}\n{_END}{tail}", "utf-8")

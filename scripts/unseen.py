"""Judges the untouched test part and prints figures only, so that its texts stay unread: `python scripts/unseen.py`.

Whoever works on triage or sameness reads neither `router/data/unseen` nor `tests/data/pairs/unseen.jsonl`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from intake import pairs  # noqa: E402  found only once the root is on the path
from router.model import CATEGORIES  # noqa: E402
from router.triage import from_line, triage_all  # noqa: E402

Row = dict[str, Any]
Both = tuple[Row, Row]
"""What the writer says of a message, and what triage says."""


def rows(path: Path) -> list[Row]:
    """One object a line."""
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]


def found(judged: Sequence[Both], wanted: Callable[[Row], bool]) -> str:
    """Recall and precision of a mark that both sides carry."""
    both = sum(wanted(row) and wanted(verdict) for row, verdict in judged)
    real, said = (sum(wanted(pair[side]) for pair in judged) for side in (0, 1))
    return f"recall {both}/{real} = {both / max(real, 1):.3f}, precision {both}/{said} = {both / max(said, 1):.3f}"


def macro_f1(judged: Sequence[Both]) -> float:
    """The mean of the six categories' F1."""
    total = 0.0
    for name in CATEGORIES:
        both = sum(row["category"] == name == verdict["category"] for row, verdict in judged)
        either = sum((row["category"] == name) + (verdict["category"] == name) for row, verdict in judged)
        total += 2 * both / max(either, 1)
    return total / len(CATEGORIES)


def messages(name: str, path: Sequence[Path]) -> None:
    """Figures of triage on labelled messages."""
    judged = [(row, from_line(row)) for one in path for row in rows(one)]
    languages = {code: [b for b in judged if b[0]["language"] == code] for code in ("tr", "en")}
    print(f"{name}: {len(judged)} messages")
    print(f"  macro-F1 {macro_f1(judged):.3f}", *(f"{c} {macro_f1(o):.3f}" for c, o in languages.items()))
    print(f"  urgent: {found(judged, lambda row: row['priority'] == 'urgent')}")
    print(f"  under age: {found(judged, lambda row: bool(row['underage']))}")
    print(f"  responsible gaming: {found(judged, lambda row: row['category'] == 'responsible_gaming')}")
    for key in ("language", "kind"):
        print(f"  {key}: {sum(row[key] == verdict[key] for row, verdict in judged) / len(judged):.3f}")


def duplicates(path: Path) -> None:
    """Figures of sameness on pairs."""
    judged = [(row, pairs.from_line(json.dumps(row), triage_all)) for row in rows(path)]
    right = sum(row["duplicate"] == verdict["duplicate"] for row, verdict in judged)
    print(f"{path.stem} pairs: {len(judged)}, accuracy {right / len(judged):.3f}")
    print(f"  duplicates: {found(judged, lambda row: bool(row['duplicate']))}")


def main() -> None:
    """All of it."""
    parts = sorted((ROOT / "router" / "data" / "unseen").glob("*.jsonl"))
    for part in parts:
        messages(part.stem, [part])
    messages("all", parts)
    duplicates(ROOT / "tests" / "data" / "pairs" / "unseen.jsonl")


if __name__ == "__main__":
    main()

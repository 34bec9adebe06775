"""Writes the figures of a run of `make crash` into docs/reliability.md and draws docs/reliability.svg.

python -m tests.crash_docs RESULT.json
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from tests.crash_driver import FRESH
from tests.crash_plot import plot
from tests.failpoints import ROOT

_PAGE, _PLOT = ROOT / "docs" / "reliability.md", ROOT / "docs" / "reliability.svg"
_FIGURES = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- end of figures -->)", re.DOTALL)
_ROWS = (
    ("kills", "kills"),
    ("processes left over", "left_over"),
    ("longest from a kill to nothing left, s", "slowest_end_seconds"),
    ("mails taken by the mailbox", "findings.mails"),
    ("posts answered 2xx", "findings.posts"),
    ("cases", "findings.cases"),
    ("**acknowledged and lost**", "findings.lost"),
    ("**cases twice**", "findings.cases_twice"),
    ("events", "findings.events"),
    ("**events lost**", "findings.events_lost"),
    ("**events with other bytes**", "findings.events_altered"),
    ("events repeated", "findings.events_repeated"),
    ("**cases with events out of order**", "findings.out_of_order"),
    ("letters", "findings.letters"),
    ("**letters lost**", "findings.letters_lost"),
    ("letters repeated", "findings.letters_repeated"),
    ("letters under way at a kill (the bound)", "letters_in_flight_at_kills"),
    ("blobs, read back and hashed", "findings.blobs"),
    ("**blobs lost**", "findings.blobs_lost"),
    ("**mails the books miss**", "findings.books_off"),
)


def figures(result: dict[str, Any]) -> str:
    """The table of a run."""
    stores = result["stores"]
    lines = [
        f"Run of {result['at'][:10]}: {sum(one['kills'] for one in stores.values())} kills at "
        f"{result['failpoints']} failpoints and at random times, seed {result['seed']}, "
        f"{result['cores']} cores, Python {result['python']}.",
        "",
        f"| | {' | '.join(stores)} |",
        f"|---|{'---:|' * len(stores)}",
    ]
    fresh = (str(one["by_failpoint"].get(FRESH, 0)) for one in stores.values())
    lines.append(f"| kills of a fresh start, among them | {' | '.join(fresh)} |")
    for label, path in _ROWS:
        lines.append(f"| {label} | {' | '.join(str(_at(one, path)) for one in stores.values())} |")
    return "\n".join(lines) + "\n"


def _at(one: dict[str, Any], path: str) -> object:
    found: Any = one
    for part in path.split("."):
        found = found[part]
    return found


def write(result: dict[str, Any]) -> None:
    """Bring the page and the plot up to date."""
    text = _PAGE.read_text("utf-8")
    _PAGE.write_text(_FIGURES.sub(lambda _: figures(result), text), "utf-8")
    _PLOT.write_text(plot(result), "utf-8")


if __name__ == "__main__":
    write(json.loads(Path(sys.argv[1]).read_text("utf-8")))

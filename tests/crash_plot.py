"""Draws the kills by failpoint as an SVG, without a library."""

from __future__ import annotations

from html import escape
from typing import Any

_COLOURS = {"sqlite": "#2f6f9f", "postgresql": "#c0762b"}
_ROW, _LEFT, _WIDTH = 17, 210, 720


def plot(result: dict[str, Any]) -> str:
    """One bar a failpoint, the stores beside each other in it; the figures of the run below."""
    stores = {name: one["by_failpoint"] for name, one in result["stores"].items()}
    names = sorted({name for kills in stores.values() for name in kills}, key=lambda n: (n[0] == "(", n))
    most = max(sum(kills.get(name, 0) for kills in stores.values()) for name in names)
    scale = (_WIDTH - _LEFT - 40) / most
    rows = [_bar(at, name, stores, scale) for at, name in enumerate(names)]
    foot = len(names) * _ROW + 58
    summary = [_summary(name, one, foot + 16 * at) for at, (name, one) in enumerate(result["stores"].items())]
    height = foot + 16 * len(summary)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif">',
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<text x="8" y="20" font-size="14">Kills by failpoint, {escape(result["at"][:10])}</text>',
            *rows,
            *summary,
            "</svg>\n",
        ]
    )


def _bar(at: int, name: str, stores: dict[str, dict[str, int]], scale: float) -> str:
    y = 32 + at * _ROW
    parts = [f'<text x="{_LEFT - 8}" y="{y + 11}" font-size="11" text-anchor="end">{escape(name)}</text>']
    x = float(_LEFT)
    for store, kills in stores.items():
        width = kills.get(name, 0) * scale
        parts.append(
            f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_ROW - 4}" fill="{_COLOURS[store]}"/>'
        )
        x += width
    total = sum(kills.get(name, 0) for kills in stores.values())
    parts.append(f'<text x="{x + 4:.1f}" y="{y + 11}" font-size="11">{total}</text>')
    return "".join(parts)


def _summary(name: str, one: dict[str, Any], y: int) -> str:
    found = one["findings"]
    text = (
        f"{name}: {one['kills']} kills, {found['lost'] + found['events_lost'] + found['letters_lost']} lost, "
        f"{found['cases_twice']} cases twice, {found['out_of_order']} out of order, {one['left_over']} left over; "
        f"{found['events_repeated']} of {found['events']} events repeated, "
        f"{found['letters_repeated']} of {found['letters']} letters"
    )
    return (
        f'<rect x="8" y="{y - 9}" width="10" height="10" fill="{_COLOURS[name]}"/>'
        f'<text x="24" y="{y}" font-size="11">{escape(text)}</text>'
    )

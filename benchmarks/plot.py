"""Draws how far each figure is from its target as an SVG, without a library."""

from __future__ import annotations

import math
from html import escape
from typing import Any

_ROW, _LEFT, _WIDTH, _TOP = 18, 400, 860, 56
_SMALLEST, _LARGEST = 0.125, 8.0  # times the target; what is beyond stands at the edge
_MET, _MISSED = "#2f7d4f", "#b5432e"


def plot(document: dict[str, Any]) -> str:
    """A dot a figure with a target, at ratio : target (turned over where less is better); a line over its rounds."""
    figures = [figure for figure in document["figures"] if figure["target"]]
    height = _TOP + _ROW * len(figures) + 12
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif">',
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
            '<text x="8" y="20" font-size="14">How many times its target each figure is (right of 1: met)</text>',
            *_axis(height),
            *(_row(_TOP + at * _ROW, figure) for at, figure in enumerate(figures)),
            "</svg>\n",
        ]
    )


def _axis(height: int) -> list[str]:
    parts = []
    for power in range(round(math.log2(_SMALLEST)), round(math.log2(_LARGEST)) + 1):
        x, is_one = _x(2.0**power), power == 0
        colour, name = ("#444444" if is_one else "#dddddd"), f"{2.0**power:g}"
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 14}" y2="{height - 8}" stroke="{colour}"/>'
        )
        parts.append(f'<text x="{x:.1f}" y="{_TOP - 20}" font-size="10" text-anchor="middle">{name}</text>')
    return parts


def _x(times: float) -> float:
    within = min(max(times, _SMALLEST), _LARGEST)
    span = math.log2(_LARGEST / _SMALLEST)
    return _LEFT + (_WIDTH - _LEFT - 30) * math.log2(within / _SMALLEST) / span


def _times(figure: dict[str, Any], value: float) -> float:
    target = float(figure["target"])
    return value / target if figure["at_least"] else target / max(value, 1e-9)


def _row(y: int, figure: dict[str, Any]) -> str:
    colour = _MET if figure["met"] else _MISSED
    ends = [_x(_times(figure, figure[end])) for end in ("low", "high")]
    name = f"{figure['group'].replace('_', ' ')}: {figure['name'].partition(' (')[0]}"
    return (
        f'<text x="{_LEFT - 10}" y="{y + 4}" font-size="10.5" text-anchor="end">{escape(name[:74])}</text>'
        f'<line x1="{min(ends):.1f}" x2="{max(ends):.1f}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"/>'
        f'<circle cx="{_x(_times(figure, figure["ratio"])):.1f}" cy="{y}" r="4" fill="{colour}"/>'
    )

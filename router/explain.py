"""A verdict of triage as a block of text that a person reads."""

from __future__ import annotations

from intake.schema import Category, Triage

_WIDTH = 12


def block(name: str, verdict: Triage, shares: dict[Category, float]) -> str:
    """What was decided about one message and why; ends with a blank line."""
    best = sorted(shares.items(), key=lambda item: -item[1])
    rows = [
        ("decided", f"{verdict.kind}, {verdict.category} -> {verdict.department}, {verdict.priority}"),
        ("confidence", f"{verdict.confidence:.2f}"),
        ("text alone", ", ".join(f"{category} {share:.2f}" for category, share in best if share >= 0.01)),
        ("flags", ", ".join(verdict.flags)),
        *(("because", reason) for reason in verdict.reasons),
        *_entities(verdict),
        ("under age", "the sender says so" if verdict.underage else ""),
        ("language", verdict.language),
        *_evidence(verdict),
        ("version", verdict.classifier),
    ]
    lines = [f"  {label:<{_WIDTH}}{value}" for label, value in rows if value]
    return "\n".join([name or "message", *lines, ""])


def _entities(verdict: Triage) -> list[tuple[str, str]]:
    found = verdict.entities
    return [
        ("amounts", ", ".join(f"{money.value} {money.currency}" for money in found.amounts)),
        *((kind, ", ".join(getattr(found, kind))) for kind in ("ids", "ibans", "phones", "dates", "games")),
    ]


def _evidence(verdict: Triage) -> list[tuple[str, str]]:
    seen = verdict.evidence
    if seen is None:
        return []
    return [
        ("look at", f"{seen.begins_at:%Y-%m-%d %H:%M} to {seen.ends_at:%Y-%m-%d %H:%M} UTC"),
        ("logs", seen.url),
    ]

"""Figures of a model on texts of unseen writers: precision, recall, confusion, calibration, abstention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from train_corpus import CORRECTIONS, Example

from router.model import CATEGORIES, SUSPICIONS

LIMITS = (0.0, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8)
_BINS = 10

Numbers = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Score:
    """How often a class was found, and how often what was found was it."""

    name: str
    count: int
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of both, 0 where there is none."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Bin:
    """Texts of about one confidence: how sure the model was and how often it was right."""

    count: int
    said: float
    right: float


@dataclass(frozen=True, slots=True)
class Figures:
    """All that the report says."""

    count: int
    macro_f1: float
    categories: tuple[Score, ...]
    by_language: dict[str, tuple[int, float]]
    by_writer: dict[str, tuple[int, float]]
    confusion: Labels
    bins: tuple[Bin, ...]
    calibration_error: float
    abstention: tuple[tuple[float, float, float], ...]  # limit, share decided, right among them
    suspicions: tuple[tuple[str, int, float, float, float], ...]  # name, count, threshold, precision, recall


def figures(examples: Sequence[Example], chances: Numbers) -> Figures:
    """Figures of these probabilities, one line an example."""
    kept = [at for at, one in enumerate(examples) if one.writer != CORRECTIONS]
    rows, chances = [examples[at] for at in kept], chances[kept]
    wanted = np.array([CATEGORIES.index(row.category) for row in rows])
    shares = chances[:, : len(CATEGORIES)]
    found = shares.argmax(axis=1)
    bins, error = _calibration(shares.max(axis=1), found == wanted)
    return Figures(
        count=len(rows),
        macro_f1=_macro(wanted, found),
        categories=tuple(_score(name, wanted == at, found == at) for at, name in enumerate(CATEGORIES)),
        by_language=_parts([row.language for row in rows], wanted, found),
        by_writer=_parts([row.writer for row in rows], wanted, found),
        confusion=_confusion(wanted, found),
        bins=bins,
        calibration_error=error,
        abstention=_abstention(shares.max(axis=1), found == wanted),
        suspicions=tuple(_suspicions(rows, chances[:, len(CATEGORIES) :])),
    )


def _score(name: str, wanted: npt.NDArray[np.bool_], found: npt.NDArray[np.bool_]) -> Score:
    hits = float((wanted & found).sum())
    return Score(name, int(wanted.sum()), hits / max(1, found.sum()), hits / max(1, wanted.sum()))


def _macro(wanted: Labels, found: Labels) -> float:
    """The mean F1 of the categories that occur."""
    present = [at for at in range(len(CATEGORIES)) if (wanted == at).any() or (found == at).any()]
    return float(np.mean([_score("", wanted == at, found == at).f1 for at in present]))


def _parts(names: list[str], wanted: Labels, found: Labels) -> dict[str, tuple[int, float]]:
    parts = np.array(names)
    return {
        name: (int((parts == name).sum()), _macro(wanted[parts == name], found[parts == name]))
        for name in sorted(set(names))
    }


def _confusion(wanted: Labels, found: Labels) -> Labels:
    table = np.zeros((len(CATEGORIES), len(CATEGORIES)), np.int64)
    np.add.at(table, (wanted, found), 1)
    return table


def _calibration(sure: Numbers, right: npt.NDArray[np.bool_]) -> tuple[tuple[Bin, ...], float]:
    """Ten bins of equal width, and the expected calibration error: the mean gap, by how many are in a bin."""
    place = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    bins = []
    for at in range(_BINS):
        inside = place == at
        if inside.any():
            bins.append(Bin(int(inside.sum()), float(sure[inside].mean()), float(right[inside].mean())))
    error = sum(one.count * abs(one.said - one.right) for one in bins) / len(sure)
    return tuple(bins), float(error)


def _abstention(sure: Numbers, right: npt.NDArray[np.bool_]) -> tuple[tuple[float, float, float], ...]:
    rows = []
    for limit in LIMITS:
        decided = sure >= limit
        rows.append((limit, float(decided.mean()), float(right[decided].mean()) if decided.any() else 1.0))
    return tuple(rows)


def _suspicions(rows: list[Example], chances: Numbers) -> list[tuple[str, int, float, float, float]]:
    """Each suspicion at the limit where its F1 is best."""
    found = []
    for place, name in enumerate(SUSPICIONS):
        wanted = np.array([row.suspicions[place] is True for row in rows])
        scores = [
            (limit / 20, _score(name, wanted, chances[:, place] >= limit / 20)) for limit in range(1, 20)
        ]
        limit, score = max(scores, key=lambda pair: pair[1].f1)
        found.append((name, score.count, limit, score.precision, score.recall))
    return found

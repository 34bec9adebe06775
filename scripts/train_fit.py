"""Fits the model with scikit-learn, and calibrates it on texts of writers it has not seen. Deterministic."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize_scalar
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from train_corpus import CORRECTIONS, Example

from router.features import Features, Rows, features, lexicon, pair_rows, pieces
from router.model import CATEGORIES, KINDS_WEIGHTS, SUSPICIONS, Model

STRENGTH = 5.0  # inverse of the L2 penalty
_ROUNDS, _TOLERANCE = 1_000, 1e-4
_STEPS = 127  # of a weight either way
_OUTPUTS = len(CATEGORIES) + len(SUSPICIONS)

Logits = npt.NDArray[np.float64]
Kind = tuple[Rows, Logits]
"""The rows of one kind of features in a text, and how often each is there, damped."""


@dataclass(frozen=True, slots=True)
class Found:
    """The features of a text, and the same as rows: of pieces, of meanings, of pairs of meanings."""

    features: Features
    kinds: tuple[Kind, Kind, Kind]


def fit(examples: Sequence[Example], found: Sequence[Found]) -> Model:
    """A model of these examples, whose logits are not calibrated yet."""
    rarity = _rarity(found)
    table = _table(found, rarity)
    seen = np.flatnonzero(rarity)
    weights = np.zeros((len(rarity), _OUTPUTS))
    weights[seen], shift = _coefficients(examples, table[:, seen])
    steps = np.maximum(np.abs(weights).max(axis=0), 1e-9) / _STEPS
    return Model(
        weights=np.round(weights / steps).astype(np.int8),
        rarity=rarity,
        scale=steps.astype(np.float32),
        shift=shift.astype(np.float32),
    )


def _rarity(found: Sequence[Found]) -> npt.NDArray[np.uint8]:
    """How rare each row is: the logarithm of how few texts hold it, in 255 steps."""
    holding = np.zeros(lexicon().rows)
    for text in found:
        holding[np.unique(np.concatenate([rows for rows, _ in text.kinds]))] += 1
    rarity = np.log((1 + len(found)) / (1 + holding)) + 1
    rarity[holding == 0] = 0
    scaled: npt.NDArray[np.uint8] = np.ceil(255 * rarity / rarity.max()).astype(np.uint8)
    return scaled


def _table(found: Sequence[Found], rarity: npt.NDArray[np.uint8]) -> Any:
    """One line for each text, with the values that the model will see for it."""
    columns, values, starts = [], [], [0]
    for text in found:
        for (rows, damped), weight in zip(text.kinds, KINDS_WEIGHTS, strict=True):
            rare = rarity[rows].astype(np.float64)
            columns.append(rows.astype(np.int64))
            values.append(damped * rare * (weight / max(float(np.sqrt(damped @ (rare * rare))), 1e-9)))
        starts.append(starts[-1] + sum(len(rows) for rows, _ in text.kinds))
    stored = np.concatenate(values), np.concatenate(columns), np.array(starts)
    return sparse.csr_matrix(stored, shape=(len(found), len(rarity)))


def _coefficients(examples: Sequence[Example], table: Any) -> tuple[Logits, Logits]:
    """A column of weights and a shift for each output."""
    weights = np.zeros((table.shape[1], _OUTPUTS))
    shift = np.zeros(_OUTPUTS)
    given = np.array([one.weight for one in examples])
    labels = np.array([CATEGORIES.index(one.category) for one in examples])
    many = _fitted(table, labels, given)
    weights[:, many.classes_] = many.coef_.T
    shift[: len(CATEGORIES)] = -20.0  # a category nobody named is never the best
    shift[many.classes_] = many.intercept_
    for place in range(len(SUSPICIONS)):
        known = np.array([one.suspicions[place] is not None for one in examples])
        wanted = np.array([bool(one.suspicions[place]) for one in examples])[known]
        shift[len(CATEGORIES) + place] = -20.0
        if 0 < wanted.sum() < len(wanted):
            two = _fitted(table[known], wanted, given[known])
            weights[:, len(CATEGORIES) + place] = two.coef_[0]
            shift[len(CATEGORIES) + place] = two.intercept_[0]
    return weights, shift


def _fitted(table: Any, labels: npt.NDArray[Any], given: npt.NDArray[np.float64]) -> Any:
    machine = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=_ROUNDS, tol=_TOLERANCE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return machine.fit(table, labels, sample_weight=given)


def logits(model: Model, found: Sequence[Found]) -> Logits:
    """What the model says to each text before any probability is made of it."""
    return model.logits([text.features for text in found]).astype(np.float64)


def unseen_logits(examples: Sequence[Example], found: Sequence[Found]) -> Logits:
    """Logits of each text by a model of the other writers' texts: what to expect of a stranger's."""
    result = np.zeros((len(examples), _OUTPUTS))
    writers = sorted({one.writer for one in examples} - {CORRECTIONS})
    for writer in writers:
        mine = np.array([one.writer == writer for one in examples])
        held = np.flatnonzero(mine).tolist()
        kept = np.flatnonzero(~mine).tolist() or held  # one writer alone: nothing better can be said
        model = fit([examples[i] for i in kept], [found[i] for i in kept])
        result[held] = logits(model, [found[i] for i in held])
    return result


def calibrated(model: Model, examples: Sequence[Example], unseen: Logits) -> Model:
    """The model with its logits stretched and shifted so that its probabilities held for unseen writers."""
    stretch, shift = np.ones(_OUTPUTS), np.zeros(_OUTPUTS)
    known = np.array([one.writer != CORRECTIONS for one in examples])
    split = len(CATEGORIES)
    labels = np.array([CATEGORIES.index(one.category) for one in examples])
    stretch[:split] = _heat(unseen[known, :split], labels[known])
    for place in range(len(SUSPICIONS)):
        wanted = np.array([one.suspicions[place] is True for one in examples])[known]
        if 0 < wanted.sum() < len(wanted):
            line = LogisticRegression(C=1e3).fit(unseen[known, split + place, None], wanted)
            stretch[split + place], shift[split + place] = line.coef_[0, 0], line.intercept_[0]
    stretch, shift = np.round(stretch, 3), np.round(shift, 3)
    return replace(
        model,
        scale=(model.scale * stretch).astype(np.float32),
        shift=(model.shift * stretch + shift).astype(np.float32),
    )


def _heat(unseen: Logits, labels: npt.NDArray[np.int64]) -> float:
    """The factor on the logits under which the labels are likeliest."""

    def surprise(factor: float) -> float:
        return float(-np.log(softmax(unseen * factor)[np.arange(len(labels)), labels]).mean())

    return float(minimize_scalar(surprise, bounds=(0.2, 5.0), method="bounded").x)


def softmax(values: Logits) -> Logits:
    """Probabilities of each row."""
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    result: Logits = powers / powers.sum(axis=1, keepdims=True)
    return result


def chances(model: Model, plain: Model, unseen: Logits) -> Logits:
    """Calibrated probabilities of every output from logits before calibration."""
    stretch = (model.scale / plain.scale).astype(np.float64)
    values = unseen * stretch + (model.shift - plain.shift * stretch)
    split = len(CATEGORIES)
    return np.hstack([softmax(values[:, :split]), 1 / (1 + np.exp(-values[:, split:]))])


def all_features(examples: Sequence[Example]) -> list[Found]:
    """The features of each example's text."""
    return [_found(features(one.folded)) for one in examples]


def _found(seen: Features) -> Found:
    meant = [np.array(rows, np.uint32) for rows in seen.meant]
    pairs = [np.array(pair_rows(*pair), np.uint32) for pair in seen.pairs]
    kinds = (
        _kind(pieces(list(seen.words)), seen.words),
        _kind(meant, seen.meant),
        _kind(pairs, seen.pairs),
    )
    return Found(seen, kinds)


def _kind(rows: Sequence[Rows], counts: Mapping[Any, int]) -> Kind:
    damped = [np.full(len(r), 1 + np.log(n)) for r, n in zip(rows, counts.values(), strict=True)]
    empty = np.zeros(0, np.uint32), np.zeros(0)
    return np.concatenate([empty[0], *rows]), np.concatenate([empty[1], *damped])

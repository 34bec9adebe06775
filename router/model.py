"""The trained part of triage: a linear model over `router.features`, read from one file, asked with numpy alone.

It is trained by `make train`, never in production, and answers with calibrated probabilities.
"""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from intake.errors import ConfigError
from intake.schema import Category
from router.features import PIECES, Rows, features, lexicon

FORMAT = "linear-1"
CATEGORIES: tuple[Category, ...] = (
    "payments",
    "account",
    "technical",
    "game",
    "responsible_gaming",
    "general",
)
SUSPICIONS = (
    "crisis",
    "loss_of_control",
    "self_exclusion",
    "takeover",
    "fraud",
    "minor_report",
    "data_leak",
    "data_request",
    "underage",
    "urgent",
    "enquiry",
    "thanks",
)
# of the kinds of features beside each other: pieces, meanings, pairs of meanings; by trial, and rather flat
KINDS_WEIGHTS = (1.0, 0.25, 0.2)
_OUTPUTS = len(CATEGORIES) + len(SUSPICIONS)
_MOST_COUNTED = 64
_EDGE = np.ones(1, np.bool_)
_DAMPED = (1 + np.log(np.maximum(np.arange(_MOST_COUNTED + 1), 1))).astype(np.float32)

Floats = npt.NDArray[np.float32]
Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the model makes of a text: shares of the categories (their sum is 1), and suspicions from 0 to 1."""

    shares: dict[Category, float]
    suspicions: dict[str, float]


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model: a row for each feature, a column for each output.

    `scale` and `shift` turn sums of weights into calibrated logits, one of each an output.
    """

    weights: npt.NDArray[np.int8]
    rarity: npt.NDArray[np.uint8]  # of each row: 255 is as rare as can be, 0 was never seen in training
    scale: Floats
    shift: Floats
    version: str = ""

    def logits(self, rows: Rows) -> Floats:
        """What these features say to each output."""
        rows, values = damped(rows, self.rarity)
        return (values @ self.weights.take(rows, axis=0).astype(np.float32)) * self.scale + self.shift

    def opinion(self, folded: str) -> Opinion:
        """What to make of a text of `fold` or `plain_words`. Pure; never raises; time linear, and bounded."""
        logits = self.logits(features(folded)).tolist()
        split = len(CATEGORIES)
        highest = max(logits[:split])
        powers = [math.exp(logit - highest) for logit in logits[:split]]
        total = sum(powers)
        return Opinion(
            {name: power / total for name, power in zip(CATEGORIES, powers, strict=True)},
            {name: _chance(logit) for name, logit in zip(SUSPICIONS, logits[split:], strict=True)},
        )


def damped(rows: Rows, rarity: npt.NDArray[np.uint8]) -> tuple[Rows, Floats]:
    """The distinct rows and their values: damped counts by rarity, of the length KINDS_WEIGHTS for each kind."""
    rows = np.sort(rows)
    edges = np.flatnonzero(np.concatenate((_EDGE, rows[1:] != rows[:-1], _EDGE)))
    rows = rows[edges[:-1]]
    counts = np.minimum(edges[1:] - edges[:-1], _MOST_COUNTED)
    values: Floats = _DAMPED.take(counts) * rarity.take(rows)
    first, second = rows.searchsorted((PIECES, lexicon().first_pair)).tolist()
    parts = values[:first], values[first:second], values[second:]
    for part, weight in zip(parts, KINDS_WEIGHTS, strict=True):
        part *= weight / max(math.sqrt(part @ part), 1e-9)  # noqa: PLW2901  (a view: changes the values in place)
    return rows, values


def _chance(logit: float) -> float:
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, logit))))


def shares(folded: str) -> dict[Category, float]:
    """The probability of each category for a text of `fold` or `plain_words`, by the packaged model."""
    return packaged().opinion(folded).shares


def suspicion(folded: str) -> dict[str, float]:
    """The probability of each of SUSPICIONS, one by one, by the packaged model."""
    return packaged().opinion(folded).suspicions


def best(shares_: dict[Category, float]) -> Category:
    """The most probable category; the first in the order of CATEGORIES where two are equal."""
    return max(shares_, key=shares_.__getitem__)


@lru_cache(maxsize=1)
def packaged() -> Model:
    """The model that comes with this release, read once in a process (14 ms, 3 MB)."""
    return read(files("router").joinpath("data/model.npz").read_bytes(), "model.npz")


def load(path: Path) -> Model:
    """A model from a file. Raises ConfigError with the reason if it cannot be used."""
    try:
        return read(path.read_bytes(), path.name)
    except OSError as error:
        raise ConfigError(f"{path.name}: cannot be read: {error.strerror}") from error


def read(content: bytes, name: str) -> Model:
    """A model from its bytes. Raises ConfigError if they are no model, or one for another lexicon."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ConfigError(f"{name}: not a model: {error}") from error
    if problem := _problem(arrays):
        raise ConfigError(f"{name}: {problem}; run make train")
    named = f"{FORMAT}+{_digest(arrays)}"
    return Model(arrays["weights"], arrays["rarity"], arrays["scale"], arrays["shift"], named)


def write(model: Model, path: Path) -> None:
    """Stores a model; the same model always gives the same bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        lexicon=np.array(lexicon().digest),
        outputs=np.array([*CATEGORIES, *SUSPICIONS]),
        weights=model.weights,
        rarity=model.rarity,
        scale=model.scale,
        shift=model.shift,
    )
    path.write_bytes(buffer.getvalue())


def _digest(arrays: Arrays) -> str:
    """Names the weights themselves, so that two releases with one version decide alike."""
    digest = hashlib.blake2b(digest_size=4)
    for key in sorted(arrays):
        digest.update(arrays[key].tobytes())
    return digest.hexdigest()


def _problem(arrays: Arrays) -> str:
    """Why these arrays are no model of this release, empty if they are one."""
    expected: dict[str, tuple[tuple[int, ...], Any]] = {
        "weights": ((lexicon().rows, _OUTPUTS), np.int8),
        "rarity": ((lexicon().rows,), np.uint8),
        "scale": ((_OUTPUTS,), np.float32),
        "shift": ((_OUTPUTS,), np.float32),
    }
    if missing := sorted({*expected, "lexicon", "outputs"} - set(arrays)):
        return f"holds no {missing[0]}"
    if arrays["lexicon"].item() != lexicon().digest:
        return "trained with other meanings (meanings.toml has changed since)"
    if arrays["outputs"].tolist() != [*CATEGORIES, *SUSPICIONS]:
        return "trained for other outputs"
    wrong = [
        k for k, (shape, kind) in expected.items() if (arrays[k].shape, arrays[k].dtype) != (shape, kind)
    ]
    return f"{wrong[0]} has the wrong shape" if wrong else ""

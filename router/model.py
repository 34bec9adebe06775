"""The trained part of triage: a linear model over `router.features`, read from one file, asked with numpy alone.

What a word says to each output never changes, so it is summed once in a process; a text is then one product of its
words' counts with their sums. It is trained by `make train`, never in production, and answers with calibrated
probabilities.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from intake.errors import ConfigError
from intake.schema import Category
from router.features import (
    LONGEST_WORD,
    Features,
    Meant,
    Rows,
    features,
    lexicon,
    pair_rows,
    pieces,
)

FORMAT = "linear-2"
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
_MOST_KEPT = 30_000  # words, and pairs of meanings, some 300 bytes each
_TELLING = 4  # words named as the reason
_DAMPED = (1 + np.log(np.maximum(np.arange(_MOST_COUNTED + 1), 1))).astype(np.float32)
_DAMPED[0] = 0

Floats = npt.NDArray[np.float32]
Arrays = dict[str, npt.NDArray[Any]]
Key = str | Meant | tuple[Meant, Meant]
"""A word, what a word means, or what two that follow one another mean."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the model makes of a text: shares of the categories (their sum is 1), and suspicions from 0 to 1."""

    shares: dict[Category, float]
    suspicions: dict[str, float]
    telling: tuple[str, ...] = ()
    """The words that speak most for the best category, the strongest first."""


class _Sums:
    """A line of sums for each key, learnt when it is asked for; forgets all when there are too many."""

    def __init__(self, learn: Callable[[Sequence[Key]], Floats]) -> None:
        self._slots: dict[Key, int] = {}
        self._lines = np.zeros((1024, _OUTPUTS + 1), np.float32)
        self._learn = learn

    def of(self, keys: list[Key]) -> Floats:
        """The lines of these keys in their order."""
        slots = list(map(self._slots.get, keys))
        if None in slots:
            if len(self._slots) + len(keys) > _MOST_KEPT:
                self._slots.clear()
            self._add([key for key in keys if key not in self._slots])
            slots = list(map(self._slots.get, keys))
        return self._lines.take(np.array(slots, np.intp), axis=0)

    def __len__(self) -> int:
        return len(self._slots)

    def _add(self, new: Sequence[Key]) -> None:
        first, last = len(self._slots), len(self._slots) + len(new)
        if last > len(self._lines):
            grown = np.zeros((2 * last, self._lines.shape[1]), np.float32)
            grown[:first] = self._lines[:first]
            self._lines = grown
        self._lines[first:last] = self._learn(new)
        self._slots.update(zip(new, range(first, last), strict=True))


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model: a row for each feature, a column for each output. Asked by one thread at a time.

    `scale` and `shift` turn sums of weights into calibrated logits, one of each an output.
    """

    weights: npt.NDArray[np.int8]
    rarity: npt.NDArray[np.uint8]  # of each row: 255 is as rare as can be, 0 was never seen in training
    scale: Floats
    shift: Floats
    version: str = ""
    _sums: _Sums = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_sums", _Sums(self._sums_of))

    def logits(self, found: Sequence[Features]) -> Floats:
        """What these features say to each output: a line for each text."""
        return self._said(found)[0]

    def opinions(self, folded: Sequence[str]) -> list[Opinion]:
        """What to make of texts of `fold` or `plain_words`, together cheaper than one by one, and the same.

        Pure; never raises; time linear, and bounded for each text.
        """
        if not folded:
            return []
        found = [features(text) for text in folded]
        logits, lines, starts = self._said(found)
        split = len(CATEGORIES)
        powers = np.exp(logits[:, :split] - logits[:, :split].max(axis=1, keepdims=True))
        shares = (powers / powers.sum(axis=1, keepdims=True)).tolist()
        chances = (1 / (1 + np.exp(-np.clip(logits[:, split:], -50, 50)))).tolist()
        best = logits[:, :split].argmax(axis=1).tolist()
        return [
            Opinion(
                dict(zip(CATEGORIES, its_shares, strict=True)),
                dict(zip(SUSPICIONS, its_chances, strict=True)),
                _telling(list(text.words), lines[start : start + len(text.words), column]),
            )
            for text, its_shares, its_chances, start, column in zip(
                found, shares, chances, starts, best, strict=True
            )
        ]

    def _said(self, found: Sequence[Features]) -> tuple[Floats, Floats, list[int]]:
        """The logits of each text, all lines of sums they are made of, and where those of each text begin."""
        kinds = [kind for text in found for kind in (text.words, text.meant, text.pairs)]
        sizes = np.array([len(kind) for kind in kinds], np.intp)
        starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        # an empty line at the end, so that a kind without features has a place to begin at
        lines = self._sums.of([*(key for kind in kinds for key in kind), ""])
        counts = np.array([*(count for kind in kinds for count in kind.values()), 0], np.intp)
        sums = np.add.reduceat(lines * _DAMPED.take(counts, mode="clip")[:, None], starts, axis=0)
        sums[sizes == 0] = 0
        weights = np.tile(np.array(KINDS_WEIGHTS, np.float32), len(found))
        factors = weights / np.sqrt(np.maximum(sums[:, -1], 1e-18))
        logits = (
            (sums[:, :-1] * factors[:, None]).reshape(len(found), len(KINDS_WEIGHTS), _OUTPUTS).sum(axis=1)
        )
        return logits + self.shift, lines, starts[:: len(KINDS_WEIGHTS)].tolist()

    def _sums_of(self, keys: Sequence[Key]) -> Floats:
        """For each key the sum of its rows' weights by rarity, and in the last column of the squared rarities.

        Those of the categories are told from their mean, which changes no share: what is above 0 speaks for it.
        """
        result = np.zeros((len(keys), _OUTPUTS + 1), np.float32)
        for line, rows in zip(result, _rows_of(keys), strict=True):
            rarity = self.rarity.take(rows).astype(np.float32)
            line[:-1] = rarity @ self.weights.take(rows, axis=0).astype(np.float32)
            line[-1] = rarity @ rarity
        result[:, :-1] *= self.scale
        categories = result[:, : len(CATEGORIES)]
        categories -= categories.mean(axis=1, keepdims=True)
        return result


def _rows_of(keys: Sequence[Key]) -> Iterator[Rows]:
    """The rows of words, of what a word means, of what two words mean."""
    words = [key for key in keys if isinstance(key, str)]
    its = dict(zip(words, pieces(words), strict=True))
    for key in keys:
        if isinstance(key, str):
            yield its[key]
        elif key and isinstance(key[0], tuple):
            yield np.array(pair_rows(*key), np.uint32)
        else:
            yield np.array(key, np.uint32)


def _telling(words: Sequence[str], said: Floats) -> tuple[str, ...]:
    """The words that set the best category apart from the others; no numbers, which may be anybody's."""
    places = said.argsort()[: -2 * _TELLING : -1].tolist()
    spoken = [
        words[p] for p in places if words[p].isalpha() and 2 < len(words[p]) <= LONGEST_WORD and said[p] > 0
    ]
    return tuple(spoken[:_TELLING])


def shares(folded: str) -> dict[Category, float]:
    """The probability of each category for a text of `fold` or `plain_words`, by the packaged model."""
    return packaged().opinions([folded])[0].shares


def suspicion(folded: str) -> dict[str, float]:
    """The probability of each of SUSPICIONS, one by one, by the packaged model."""
    return packaged().opinions([folded])[0].suspicions


def best(shares_: dict[Category, float]) -> Category:
    """The most probable category; the first in the order of CATEGORIES where two are equal."""
    return max(shares_, key=shares_.__getitem__)


@lru_cache(maxsize=1)
def packaged() -> Model:
    """The model that comes with this release, read once in a process."""
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

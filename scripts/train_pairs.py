"""Fits the weights of sameness on the labelled pairs, a writer left out at a time, and writes intake/likeness.json.

    python scripts/train_pairs.py            # fits, prints how it does on each writer left out, writes
    python scripts/train_pairs.py --check    # the same without writing

The same pairs give the same bytes. Pairs that a conflict of facts decides are not fitted: their score is never asked.
Each text of the pairs is also told again by machine (shortened, turned round, with a word more), and these count a
little, so that the manner in which the writers of pairs reword does not decide alone.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # sums in another order differ in the last digit; read when numpy is imported

import numpy as np  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from intake import likeness  # noqa: E402  found only once the root is on the path
from intake.concepts import meanings  # noqa: E402
from intake.duplicates import conflict_of  # noqa: E402
from intake.pairs import traces_of_line  # noqa: E402
from intake.text import fold  # noqa: E402
from intake.traces import STEM, WORDS, Trace  # noqa: E402
from router.triage import triage_all  # noqa: E402

PAIRS = ROOT / "tests" / "data" / "pairs"
WRITERS = {
    "first": ("dev", "held", "blind"),
    "second": ("second",),
    "third": ("third",),
    "typical": ("typical", "fresh"),
    "plain": ("plain",),
    "fourth": ("fourth",),
    "fifth": ("fifth",),
    "sixth": ("sixth",),
    "seventh": ("seventh",),
    "eighth": ("eighth",),
}
TARGET = ROOT / "intake" / "likeness.json"
DUPLICATE_FROM = 0.66
_INVERSE_L2 = 0.05
_RETOLD_WEIGHT = 0.02  # of a pair told again by machine, where a written one has 1
_LEAST_SPREAD = 0.15  # of a feature, so that a rare mark gets no great weight
_LEAST_SEEN = 3  # messages with a stem


@dataclass(frozen=True, slots=True)
class Pairs:
    """One file: a row of features a pair, the labels, which pairs a conflict decides, and how much each counts."""

    rows: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]
    decided: np.ndarray[Any, Any]
    weights: np.ndarray[Any, Any]

    def written(self) -> Pairs:
        """Without those told again by machine."""
        which = self.weights == 1
        return Pairs(self.rows[which], self.labels[which], self.decided[which], self.weights[which])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    given = parser.parse_args()
    document = {"duplicate_from": DUPLICATE_FROM, "weights": {}} | _commonness()
    likeness.install(document)
    names: list[str] = []
    files = {name: _read(name, names) for group in WRITERS.values() for name in group}
    print(f"{len(names)} features, {sum((f.weights == 1).sum() for f in files.values())} pairs")
    _left_out(files)
    weights, bias = _fit(files.values())
    document["weights"] = {"bias": round(bias, 3)} | {
        name: round(float(weight), 3) for name, weight in zip(names, weights, strict=True)
    }
    if not given.check:
        TARGET.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _commonness() -> dict[str, Any]:
    """How rare the stems and meanings are in the corpus of triage: 0.1 for the commonest, 1 for the unknown."""
    seen: Counter[str] = Counter()
    meant: Counter[str] = Counter()
    texts = [
        json.loads(line)["text"]
        for path in sorted((ROOT / "router" / "data" / "corpus").glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]
    for text in texts:
        words = set(WORDS.findall(fold(text)))
        seen.update({word[:STEM] for word in words})
        meant.update({_name(kind, name) for word in words for kind, name in meanings(word) if kind in _KINDS})

    def rarity(count: int) -> float:
        return max(0.1, math.log((len(texts) + 1) / (count + 1)) / math.log(len(texts) + 1))

    stems: dict[str, list[str]] = {}
    for stem, count in sorted(seen.items()):
        if count >= _LEAST_SEEN and rarity(count) < 0.95 and not stem[0].isdigit():
            stems.setdefault(f"{rarity(count):.1f}", []).append(stem)
    return {
        "meanings": {name: round(rarity(count), 2) for name, count in sorted(meant.items())},
        "stems": {share: " ".join(found) for share, found in sorted(stems.items())},
    }


_KINDS = ("about", "wrong")


def _name(kind: str, name: str) -> str:
    return f"{name}!" if kind == "wrong" else name


def _read(name: str, names: list[str]) -> Pairs:
    lines = [json.loads(line) for line in (PAIRS / f"{name}.jsonl").read_text("utf-8").splitlines()]
    told = [line[side] for line in lines for side in ("a", "b")]
    retold = [
        lines[place // 2] | {"a": text, "b": _retold(place, text), "duplicate": True}
        for place, text in enumerate(told)
    ]
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    found: list[tuple[Trace, Trace]] = [traces_of_line(line, triage_all, now) for line in (*lines, *retold)]
    rows = [likeness.features(*pair) for pair in found]
    names[:] = names or list(rows[0])
    return Pairs(
        np.array([[row[name] for name in names] for row in rows]),
        np.array([line["duplicate"] for line in (*lines, *retold)]),
        np.array([bool(conflict_of(*pair)) for pair in found]),
        np.array([1.0] * len(lines) + [_RETOLD_WEIGHT] * len(retold)),
    )


_ADDED = (
    "Ekran görüntüsü ekte.",
    "kullanıcı adım deniz61",
    "telefondan giriyorum",
    "iki kere denedim",
    "canlı destek bakıyoruz dedi",
    "bankamı aradım onlarda sorun yokmuş",
    "saat üç gibiydi",
    "eski üyeyim",
    "lütfen ilgilenin artık",
    "internetim sağlam",
    "paraya ihtiyacım var",
    "dekont da var elimde",
)
_ADDED_ENGLISH = (
    "Screenshot attached.",
    "my username is deniz61",
    "I am on my phone",
    "I tried it twice",
    "live chat said they would look",
    "my bank says it is not them",
    "it was about three",
    "I am an old customer",
    "please sort it out",
    "my connection is fine",
    "I need the money",
    "I have the receipt too",
)
_ENGLISH = re.compile(r"\b(?:the|my|I|and|is|to)\b")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def _retold(place: int, text: str) -> str:
    """The same told again in one of six ways: with a word more, turned round, with words left out, cut short."""
    added = _ADDED_ENGLISH if len(_ENGLISH.findall(text)) > 1 else _ADDED
    more, other = added[place % len(added)], added[(place * 7 + 5) % len(added)]
    sentences = [part for part in _SENTENCE.split(text) if len(part) > _SHORT_SENTENCE]
    words = fold(text).split()
    ways = (
        f"{text} {more}",
        f"{more}. {text}",
        fold(f"{' '.join(sentences[::-1])} {more}"),
        f"{' '.join(word for i, word in enumerate(words) if i % 3 != place % 3)} {more}",
        " ".join(words[: max(4, len(words) * 2 // 3)]) + (f" {other}" if place % 2 else ""),
        fold(sentences[-1] if place % 4 else sentences[0]) if len(sentences) > 1 else f"{fold(text)} {other}",
    )
    return ways[place % len(ways)]


_SHORT_SENTENCE = 8  # characters


def _fit(parts: Iterable[Pairs]) -> tuple[np.ndarray[Any, Any], float]:
    """Weights of the features as they are, and the bias."""
    parts = list(parts)
    rows = np.vstack([part.rows[~part.decided] for part in parts])
    labels = np.concatenate([part.labels[~part.decided] for part in parts])
    counts = np.concatenate([part.weights[~part.decided] for part in parts])
    spread = np.maximum(rows[counts == 1].std(axis=0), _LEAST_SPREAD)
    middle = rows[counts == 1].mean(axis=0)
    model = LogisticRegression(C=_INVERSE_L2, max_iter=5000, tol=1e-8)
    model.fit((rows - middle) / spread, labels, sample_weight=counts)
    weights = model.coef_[0] / spread
    return weights, float(model.intercept_[0] - weights @ middle)


def _judged(part: Pairs, weights: np.ndarray[Any, Any], bias: float) -> tuple[Any, Any]:
    scores = 1 / (1 + np.exp(-(part.rows @ weights + bias)))
    return np.where(part.decided, 0.02, scores), part.labels


def _left_out(files: dict[str, Pairs]) -> None:
    """Each writer judged by weights fitted on the others."""
    scores, labels = [], []
    for writer, own in WRITERS.items():
        weights, bias = _fit(part for name, part in files.items() if name not in own)
        judged = [_judged(files[name].written(), weights, bias) for name in own]
        scores.append(np.concatenate([s for s, _ in judged]))
        labels.append(np.concatenate([right for _, right in judged]))
        _said(writer, scores[-1], labels[-1])
    hard = [i for i, writer in enumerate(WRITERS) if writer != "plain"]
    found, right = (np.concatenate([part[i] for i in hard]) for part in (scores, labels))
    for bound in (0.5, 0.55, 0.6, 0.64, 0.66, 0.68, 0.7, 0.72, 0.75, 0.8):
        _said(f"hard from {bound}", found, right, bound)
    print(f"area under the curve {roc_auc_score(right, found):.4f}")


def _said(name: str, scores: Any, labels: Any, bound: float = DUPLICATE_FROM) -> None:
    found = scores >= bound
    hits = (found & labels).sum()
    print(
        f"{name:14} {len(labels):4} pairs  accuracy {(found == labels).mean():.3f}  "
        f"precision {hits / max(1, found.sum()):.3f}  recall {hits / labels.sum():.3f}"
    )


if __name__ == "__main__":
    main()

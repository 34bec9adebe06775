"""The trained part of triage: what it sees in a text, what it says, and which files it refuses."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.errors import ConfigError
from intake.text import fold
from router import features, model
from tests.running import clean_environment

MOST_BYTES = 2_000_000
TEXTS = ("", "a", "param nerede", "çekim " * 40, "16 yaşındayım", "the site is down", "١٢٣ лир")
PACKAGED = files("router").joinpath("data/model.npz").read_bytes()


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Cuzdanimdan yolladigim 700 lira bakiyeme eklenmedi", "payments"),
        ("my cash out has been pending since last week", "payments"),
        ("Kimligimi yukledim ama dogrulama hep reddediliyor, giris yapamiyorum", "account"),
        ("uygulama acilirken kapaniyor, beyaz ekran geliyor", "technical"),
        ("the website keeps showing an error and never loads", "technical"),
        ("kuponum tuttu ama kaybetti diye sonuclandirdiniz", "game"),
        ("oynamayi birakamiyorum, beni kalici olarak dislayin", "responsible_gaming"),
        ("ich bin spielsüchtig, bitte sperren sie mich für immer", "responsible_gaming"),
        ("temsilciniz bana hakaret etti, çok kaba konuştu", "general"),
        ("сайт не открывается второй день, ошибка", "technical"),
    ],
)
def test_plain_complaints_are_known(text: str, category: str) -> None:
    """A complaint in usual words gets its category, in each language."""
    assert model.best(model.shares(fold(text))) == category


def test_what_is_likelier_is_suspected_more() -> None:
    """A farewell is more of a crisis than a question about a bonus is."""
    farewell = model.suspicion(fold("artık yaşamak istemiyorum, bu gece hayatıma son vereceğim"))
    assert farewell["crisis"] > 0.5 > model.suspicion(fold("hoş geldin bonusu kaç gün geçerli"))["crisis"]


@given(st.text())
def test_any_text_has_an_opinion(text: str) -> None:
    """Shares add up to one and suspicions are probabilities, whatever the text holds."""
    opinion = model.packaged().opinions([fold(text)])[0]
    assert sum(opinion.shares.values()) == pytest.approx(1)
    assert all(0 <= chance <= 1 for chance in (*opinion.shares.values(), *opinion.suspicions.values()))


@pytest.mark.parametrize(
    "text", ["", " ", "\ud800", "\x00", "a", "😀" * 50, "١٢٣", "x" * 5000, "a b " * 5000]
)
def test_odd_texts_have_an_opinion(text: str) -> None:
    """Empty, half a surrogate pair, only signs, one endless word, ten thousand tiny ones."""
    assert sum(model.shares(text).values()) == pytest.approx(1)


@given(st.lists(st.sampled_from(TEXTS), max_size=5))
def test_an_opinion_does_not_depend_on_the_company(texts: list[str]) -> None:
    """Texts asked about together have the opinions each has alone, to the last digit, in any order."""
    packaged = model.packaged()
    assert packaged.opinions(texts) == [packaged.opinions([text])[0] for text in texts]


def test_the_sums_that_are_kept_are_those_of_the_rows() -> None:
    """What was summed for each word once is what the weights of all its rows say together."""
    packaged, found = model.packaged(), features.features("param gelmedi param nerede")
    kinds: tuple[tuple[dict[Any, Any], dict[Any, int]], ...] = (
        (dict(zip(found.words, features.pieces(list(found.words)), strict=True)), found.words),
        ({key: np.array(key) for key in found.meant}, found.meant),
        ({key: np.array(features.pair_rows(*key)) for key in found.pairs}, found.pairs),
    )
    expected = packaged.shift.astype(np.float64)
    for (rows_of, counts), weight in zip(kinds, model.KINDS_WEIGHTS, strict=True):
        rows = np.concatenate([rows_of[key] for key in counts]).astype(np.int64)
        damped = np.concatenate([np.full(len(rows_of[k]), 1 + np.log(n)) for k, n in counts.items()])
        rare = packaged.rarity[rows].astype(np.float64)
        said = (damped * rare) @ packaged.weights[rows].astype(np.float64) * packaged.scale
        expected = expected + weight * said / np.sqrt(damped @ (rare * rare))
    apart = packaged.logits([found])[0] - expected
    split = len(model.CATEGORIES)
    assert apart[:split] == pytest.approx(apart[0], abs=1e-3)  # the same for all categories: no share changes
    assert apart[split:] == pytest.approx(0, abs=1e-3)


def test_only_so_many_sums_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that runs for months does not keep every misspelling it ever read, and answers as before."""
    monkeypatch.setattr(model, "_MOST_KEPT", 50)
    fresh = model.read(PACKAGED, "model.npz")
    texts = [f"para kelime{chr(97 + n % 26)}{chr(97 + n // 26)} cekim yok" for n in range(300)]
    assert [fresh.opinions([text])[0] for text in texts] == model.packaged().opinions(texts)
    assert len(fresh._sums) <= 50


def test_the_words_that_decide_are_named() -> None:
    """The reason for a category is its strongest words, never a number."""
    telling = model.packaged().opinions([fold("Kimlik doğrulama 12345678901 reddedildi")])[0].telling
    assert "kimlik" in telling
    assert not any(char.isdigit() for word in telling for char in word)


def test_the_packaged_model_is_small() -> None:
    """The file is at most 2 MB."""
    assert len(PACKAGED) <= MOST_BYTES


def test_a_model_survives_its_file(tmp_path: Path) -> None:
    """Written and read again it is the same model under the same version, and writing gives the same bytes."""
    first, second = tmp_path / "first", tmp_path / "second"
    model.write(model.packaged(), first)
    again = model.load(first)
    model.write(again, second)
    assert again.version == model.packaged().version
    assert first.read_bytes() == second.read_bytes() == PACKAGED


def test_the_version_names_the_weights(tmp_path: Path) -> None:
    """One other weight is another version."""
    known = model.packaged()
    model.write(replace(known, shift=known.shift + np.float32(0.01)), tmp_path / "model")
    assert model.load(tmp_path / "model").version != known.version


def altered(**changes: np.ndarray[tuple[int, ...], np.dtype[np.generic]] | None) -> bytes:
    """The packaged file with other arrays; None leaves one out."""
    with np.load(io.BytesIO(PACKAGED)) as stored:
        arrays = {key: stored[key] for key in stored.files} | changes
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{key: value for key, value in arrays.items() if value is not None})
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a model"),
        (b"PK\x03\x04 but no more", "not a model"),
        (PACKAGED[: len(PACKAGED) // 2], "not a model"),
        (altered(scale=None), "holds no scale"),
        (altered(scale=np.ones(3, np.float32)), "scale has the wrong shape"),
        (altered(outputs=np.array(["payments"])), "trained for other outputs"),
        (altered(lexicon=np.array("0" * 16)), "trained with other meanings"),
        (altered(scale=np.array([{}], dtype=object)), "not a model"),
    ],
)
def test_what_is_no_model_is_refused(content: bytes, reason: str) -> None:
    """A broken, foreign or pickled file gives one line with its name and the reason."""
    with pytest.raises(ConfigError, match=rf"^model\.npz: {reason}"):
        model.read(content, "model.npz")


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    """The line names the file and what the system said."""
    with pytest.raises(ConfigError, match=r"^gone: cannot be read: No such file"):
        model.load(tmp_path / "gone")


def test_nothing_of_the_training_is_loaded() -> None:
    """An opinion needs numpy alone: neither scikit-learn nor scipy."""
    code = "import sys; from router import model; model.shares('x'); print({'sklearn', 'scipy'} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")

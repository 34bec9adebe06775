"""The trained part of triage: what it sees in a text, what it says, and which files it refuses."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.errors import ConfigError
from intake.text import fold
from router import features, model, rules
from tests.running import clean_environment

MOST_BYTES = 2_000_000
PACKAGED = files("router").joinpath("data/model.npz").read_bytes()
MINOR = next(row for row in features.meanings("16") if row in features.meanings("underage"))


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
    opinion = model.packaged().opinion(fold(text))
    assert sum(opinion.shares.values()) == pytest.approx(1)
    assert all(0 <= chance <= 1 for chance in (*opinion.shares.values(), *opinion.suspicions.values()))


@pytest.mark.parametrize(
    "text", ["", " ", "\ud800", "\x00", "a", "😀" * 50, "١٢٣", "x" * 5000, "a b " * 5000]
)
def test_odd_texts_have_an_opinion(text: str) -> None:
    """Empty, half a surrogate pair, only signs, one endless word, ten thousand tiny ones."""
    assert sum(model.shares(text).values()) == pytest.approx(1)


def test_only_the_edges_of_a_long_text_are_read() -> None:
    """A megabyte between the edges changes nothing, so the cost is bounded."""
    head, tail = features.READ
    edges = "baş " * (head // 4), "son " * (tail // 4)
    short, long = f"{edges[0]}{edges[1]}", f"{edges[0]}{'orta ' * 200_000}{edges[1]}"
    assert features.features(long).tolist() == features.features(short[:head] + " " + short[-tail:]).tolist()


def test_folded_and_plain_words_are_seen_alike() -> None:
    """Punctuation, apostrophes and line breaks are nothing to the model."""
    text = "Merhaba,\n\nPara'm nerede?! 3.gün oldu; “işlemde” yazıyor…"
    assert features.features(fold(text)).tolist() == features.features(rules.plain_words(text)).tolist()


def test_a_piece_is_the_same_wherever_it_stands() -> None:
    """The rows of a word are among the rows of a text that holds it."""
    assert set(features.features("cekim").tolist()) <= set(features.features("uc gundur cekim yok").tolist())


def test_other_words_have_other_rows() -> None:
    """Two words without a common piece share no row."""
    assert set(features.features("bakiye").tolist()).isdisjoint(features.features("uzunluk").tolist())


@pytest.mark.parametrize("word", ["çekimim", "withdrawal", "Auszahlung", "вывести", "سحب", "والسحب"])
def test_a_meaning_knows_no_language(word: str) -> None:
    """Words for one thing share a row in all languages, with endings and articles."""
    assert set(features.meanings(fold(word))) & set(features.meanings("payout"))


@pytest.mark.parametrize(("word", "found"), [("16", True), ("16yim", True), ("1600", False), ("36", False)])
def test_ages_of_minors_are_whole_numbers(word: str, found: bool) -> None:
    """Sixteen is an age of a minor with any ending; an amount that begins like it is not."""
    assert (MINOR in features.meanings(word)) is found


def test_digits_of_any_script_are_alike() -> None:
    """Arabic digits say what ASCII ones say."""
    assert features.features("٥٠٠ lira").tolist() == features.features("500 lira").tolist()


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

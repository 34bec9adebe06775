"""Training the model: one command, the same bytes each time, bad lines refused, corrections learnt."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from intake.text import fold
from router import model
from tests.running import clean_environment

ROOT = Path(__file__).parent.parent
OUTPUTS = ("model.npz", "training.md", "training-confusion.svg", "training-calibration.svg")
TEXTS = {
    "payments": ("cekim talebim odenmedi", "yatirdigim para bakiyeme gecmedi", "my withdrawal is missing"),
    "account": ("sifremi unuttum giris yok", "kimlik belgem reddedildi", "cannot log in, wrong password"),
    "technical": ("uygulama acilmiyor hata", "sayfa yuklenmiyor", "the page shows an error"),
    "game": ("kuponum yanlis sonuclandi", "spin dondu carpan gitti", "the roulette round was voided"),
    "responsible_gaming": ("kumari birakamiyorum", "beni kalici dislayin", "set me a deposit limit"),
    "general": ("temsilci kaba davrandi", "cok tesekkur ederim", "stop sending marketing"),
}


def rows(writer: str) -> list[dict[str, Any]]:
    """Eighteen labelled messages of one writer."""
    named = [(category, text) for category, texts in TEXTS.items() for text in texts]
    return [
        {
            "id": f"{writer}-{number:02}",
            "text": f"{text} {writer}",
            "category": category,
            "language": "tr",
            "kind": "complaint",
            "priority": "normal",
            "underage": False,
            "flags": ["crisis"] if number % 5 == 0 else [],
        }
        for number, (category, text) in enumerate(named)
    ]


def lay(path: Path, lines: list[dict[str, Any] | str]) -> Path:
    """A file of JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("".join(f"{text}\n" for text in texts), "utf-8")
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder of two writers' messages."""
    lay(tmp_path / "corpus" / "w1.jsonl", [*rows("one")])
    lay(tmp_path / "corpus" / "w2.jsonl", [*rows("two")])
    return tmp_path / "corpus"


def train(corpus: Path, out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One run of the command that `make train` runs."""
    command = [sys.executable, str(ROOT / "scripts" / "train.py"), "--corpus", str(corpus)]
    command += ["--model", str(out / "model.npz"), "--report", str(out), *arguments]
    out.mkdir(exist_ok=True)
    return subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=False)


def test_the_same_messages_give_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    """A second run, with the lines of a file in another order, writes the same model, page and pictures."""
    assert train(corpus, tmp_path / "a").returncode == 0
    lay(corpus / "w1.jsonl", [*reversed(rows("one"))])
    assert train(corpus, tmp_path / "b").returncode == 0
    first = [(tmp_path / "a" / name).read_bytes() for name in OUTPUTS]
    second = [(tmp_path / "b" / name).read_bytes() for name in OUTPUTS]
    # the page names the corpus by its bytes, which are in another order
    assert first[0] == second[0]
    assert first[2:] == second[2:]


def test_the_report_is_whole(corpus: Path, tmp_path: Path) -> None:
    """It names the model and every category, and the pictures are well-formed."""
    train(corpus, tmp_path / "out")
    page = (tmp_path / "out" / "training.md").read_text("utf-8")
    version = model.load(tmp_path / "out" / "model.npz").version
    assert all(name in page for name in (version, *model.CATEGORIES, *model.SUSPICIONS))
    roots = [ElementTree.parse(tmp_path / "out" / name).getroot().tag for name in OUTPUTS[2:]]
    assert roots == ["{http://www.w3.org/2000/svg}svg"] * 2


BAD = [
    ("{", "2: not JSON"),
    ('{"text": "x"}', "2: category: Field required"),
    ('{"text": "", "category": "game"}', "2: text: Value should have at least 1 item"),
    ('{"text": "x", "category": "sports"}', "2: category: Input should be"),
    ('["x"]', "2: Input should be"),
    ("[" * 100_000, "2: not JSON"),
]


@pytest.mark.parametrize(("line", "reason"), BAD)
def test_a_bad_correction_is_refused(corpus: Path, tmp_path: Path, line: str, reason: str) -> None:
    """The line number and the reason are said, the exit code is 2, and nothing is written."""
    good = {"text": "x", "category": "game"}
    file = lay(tmp_path / "said.jsonl", [good, line])
    done = train(corpus, tmp_path / "out", f"--with-corrections={file}")
    assert done.returncode == 2
    assert done.stderr.startswith(f"said.jsonl:{reason}")
    assert list((tmp_path / "out").iterdir()) == []


def test_every_bad_line_is_named(corpus: Path, tmp_path: Path) -> None:
    """All mistakes of a corpus are said at once: lines, and ids that are there twice."""
    lay(corpus / "w3.jsonl", ["{", rows("one")[0], {"id": "x"}])
    done = train(corpus, tmp_path / "out")
    lines = done.stderr.splitlines()
    assert (done.returncode, [line.split(": ")[0] for line in lines]) == (
        2,
        ["w3.jsonl:1", "w3.jsonl:3", "corpus"],
    )


def test_a_missing_corpus_is_refused(tmp_path: Path) -> None:
    """An empty folder is one line and exit code 2."""
    done = train(tmp_path / "nowhere", tmp_path / "out")
    assert (done.returncode, done.stderr) == (2, f"{tmp_path / 'nowhere'}: no messages\n")


def test_corrections_are_learnt(corpus: Path, tmp_path: Path) -> None:
    """A word the corpus does not know means what departments say it means; other keys are let pass."""
    said = [{"text": f"flambozan {n}", "category": "technical", "case": n} for n in range(4)]
    file = lay(tmp_path / "said.jsonl", [*said])
    train(corpus, tmp_path / "without")
    train(corpus, tmp_path / "with", f"--with-corrections={file}")
    text = fold("Flambozan!")
    before = model.load(tmp_path / "without" / "model.npz").opinions([text])[0].shares["technical"]
    after = model.load(tmp_path / "with" / "model.npz").opinions([text])[0].shares["technical"]
    assert after > 0.9 > before
    assert "4 corrections" in (tmp_path / "with" / "training.md").read_text("utf-8")


def test_the_packaged_model_is_not_stale() -> None:
    """The committed report is of the committed corpus and model: else run `make train`."""
    page = (ROOT / "docs" / "training.md").read_text("utf-8")
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted((ROOT / "router" / "data" / "corpus").glob("*.jsonl")):
        digest.update(path.read_bytes())
    assert f"corpus `{digest.hexdigest()}`" in page
    assert f"Model `{model.packaged().version}`" in page

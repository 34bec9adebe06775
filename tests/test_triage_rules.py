"""Rules as data: what a term matches, and how a wrong file is refused."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from intake.errors import ConfigError
from router import rules

PACKAGED = files("router").joinpath("data/rules.toml").read_text("utf-8")


def _with(tmp_path: Path, old: str, new: str) -> Path:
    assert old in PACKAGED
    path = tmp_path / "rules.toml"
    path.write_text(PACKAGED.replace(old, new, 1), "utf-8")
    return path


def _crisis(tmp_path: Path, term: str, text: str) -> bool:
    """Whether a term of the crisis rule is found in a text."""
    book = rules.load(_with(tmp_path, '"haberlerde (okur*|gorur*|duyar*)"', f'"{term}"'))
    return any(hit.term == term for hit in book.lexicon.find(rules.plain_words(text)).hits)


@pytest.mark.parametrize(
    ("term", "text", "expected"),
    [
        ("çekim*", "ÇEKİMLERİM nerede", True),
        ("cekim*", "seçekim", False),
        ("mor kedi", "mor, kedi!", True),
        ("mor kedi", "mor bir kedi", False),
        ("mor .. kedi*", "mor bir küçük kedimiz var", True),
        ("mor .. kedi*", "mor kedi", True),
        ("mor .. kedi*", "mor a b c d e kedi", False),
        ("mor .. kedi*", "kedi mor", False),
        ("(mor|sari) kedi", "SARI KEDİ", True),
        ("kedi", "kediii", True),
        ("don't go", "dont go", True),
    ],
)
def test_what_a_term_matches(tmp_path: Path, term: str, text: str, *, expected: bool) -> None:
    """Whole words, endings by a star, gaps by dots, folded and with apostrophes closed."""
    assert _crisis(tmp_path, term, text) is expected


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ('"intihar*"', '"in[tihar"', '"intihar*"', "only words"),
        ('"intihar*"', '"(intihar"', '"intihar*"', "missing )"),
        ('"intihar*"', '"*"', '"intihar*"', "two letters"),
        ('priority = "urgent"', 'priority = "soon"', 'priority = "urgent"', "priority"),
        ('department = "accounts"', 'department = "bank"', 'department = "accounts"', "department"),
        (
            "[kinds.thanks]\nlongest_words = 40",
            "[kinds.thanks]\nlongest = 40",
            "[kinds.thanks]",
            "kinds.thanks.longest",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_line_and_reason(
    tmp_path: Path, old: str, new: str, line: str, reason: str
) -> None:
    """The error is a configuration error that names file, line and what is wrong."""
    path = _with(tmp_path, old, new)
    number = PACKAGED.count("\n", 0, PACKAGED.index(line)) + 1
    with pytest.raises(rules.RulesError) as caught:
        rules.load(path)
    assert isinstance(caught.value, ConfigError)
    first = caught.value.problems[0]
    found = int(first.removeprefix(f"{path}:").split(":")[0])
    assert abs(found - number) <= 1
    assert reason in first


def test_a_file_that_is_no_toml_or_is_missing_is_refused(tmp_path: Path) -> None:
    """Broken TOML and a missing file give one line each."""
    broken = tmp_path / "broken.toml"
    broken.write_text("version = ", "utf-8")
    with pytest.raises(rules.RulesError, match="not valid TOML"):
        rules.load(broken)
    with pytest.raises(rules.RulesError, match="cannot read the rules"):
        rules.load(tmp_path / "nowhere.toml")


def test_a_missing_category_is_refused(tmp_path: Path) -> None:
    """All six categories have to be there."""
    with pytest.raises(rules.RulesError, match="categories"):
        rules.load(_with(tmp_path, "[categories.game]", "[categories.gamez]"))


def test_several_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Each mistake has a line of its own."""
    path = _with(tmp_path, '"intihar*"', '"a[b", "c]d"')
    with pytest.raises(rules.RulesError) as caught:
        rules.load(path)
    assert len(caught.value.problems) == 2

"""What triage makes of a message: who decides, what overrides, what is abstained from, what it costs."""

from __future__ import annotations

import json
import pickle
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake import tracking
from intake.schema import Call, Message, Triage
from router import rules
from router.model import CATEGORIES, Opinion
from router.rulebook import packaged
from router.triage import Ask, Judged, from_line, judge, triage, triage_all

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DEV = Path(__file__).parent / "data" / "triage" / "dev.jsonl"
TEXTS = [json.loads(line)["text"] for line in DEV.read_text("utf-8").splitlines()]


def _judge(text: str, **more: Any) -> Triage:
    given_ = {"channel": "email", "source": "test", "received_at": NOW, "text": text} | more
    return triage(Message.model_validate(given_))


def _message(text: str) -> Message:
    return Message(channel="email", source="test", received_at=NOW, text=text)


def _unsure(texts: Sequence[str]) -> list[Opinion]:
    """A model that knows nothing."""
    return [Opinion(dict.fromkeys(CATEGORIES, 1 / 6), {}) for _ in texts]


def _suspecting(**suspicions: float) -> Ask:
    """A model that suspects these, and nothing else."""
    return lambda _: [Opinion(dict.fromkeys(CATEGORIES, 1 / 6), {"thanks": 0.0, **suspicions})]


def _judged(text: str, ask: Ask) -> Judged:
    return judge([_message(text)], packaged(), ask=ask)[0]


def test_a_term_of_the_operator_helps_the_model(tmp_path: Path) -> None:
    """The category of a term in the text gets a bigger share, and the term is named as a reason."""
    path, plain = tmp_path / "rules.toml", files("router").joinpath("data/rules.toml").read_text("utf-8")
    mine = 'department = "games"\nstrong = ["zumzuk*"]'
    path.write_text(plain.replace('department = "games"', mine, 1), "utf-8")
    shares = dict.fromkeys(CATEGORIES, 0.08) | {"payments": 0.6}
    message, ask = _message("zumzuklarım nerede"), lambda _: [Opinion(dict(shares), {}, ("nerede",))]
    before, after = (judge([message], book, ask=ask)[0] for book in (packaged(), rules.load(path)))
    assert (before.triage.category, after.triage.category) == ("payments", "game")
    assert (before.triage.reasons[-1], after.triage.reasons[-1]) == (
        "payments: by nerede",
        "game: by zumzuk*",
    )
    assert abs(sum(after.shares.values()) - 1) < 1e-9


@given(st.lists(st.sampled_from([*TEXTS, "", "x", "1500 tl"]), max_size=6))
def test_together_is_as_alone(texts: list[str]) -> None:
    """Judging many messages at once gives each the verdict it would get by itself."""
    messages = [_message(text) for text in texts]
    assert triage_all(messages) == [triage(message) for message in messages]


def test_what_the_model_suspects_is_not_missed() -> None:
    """Without a word of any rule a suspicion raises the flag, the priority and says why."""
    verdict = _judged("bu akşam bitiyor", _suspecting(crisis=0.9)).triage
    assert ("crisis" in verdict.flags, verdict.priority) == (True, "urgent")
    assert "crisis: the model suspects it (0.90)" in verdict.reasons
    urgent = _judged("bakar mısınız", _suspecting(urgent=0.95)).triage
    assert (urgent.priority, urgent.flags) == ("urgent", ("needs_review",))


def test_a_minor_that_only_the_model_suspects_is_looked_at() -> None:
    """The model alone refuses nobody: a person looks."""
    verdict = _judged("çekimim gelmedi", _suspecting(underage=0.99)).triage
    assert (verdict.underage, "needs_review" in verdict.flags) == (False, True)


def test_a_complaint_of_a_minor_is_urgent() -> None:
    """Who says to be under 18 is a minor playing."""
    verdict = _judge("16 yaşındayım, çekimim gelmedi")
    assert (verdict.underage, verdict.priority) == (True, "urgent")


def test_the_customers_choice_decides_and_both_are_kept() -> None:
    """A category picked on the form wins over the text, and the reasons name both."""
    verdict = _judge("spin attım oyun dondu, kuponum iptal", chosen_category="payments")
    assert (verdict.category, verdict.department) == ("payments", "payments")
    assert "chosen by the customer: payments; text says game" in verdict.reasons


@pytest.mark.parametrize(
    ("text", "category", "department"),
    [
        ("hesabım çalındı, şifremi değiştirmişler", "account", "accounts"),
        ("kendimi öldüreceğim", "responsible_gaming", "responsible-gaming"),
        ("16 yaşındaki oğlum sitenizde kumar oynuyor", "responsible_gaming", "responsible-gaming"),
    ],
)
def test_a_must_never_miss_rule_beats_the_choice(text: str, category: str, department: str) -> None:
    """Takeover, danger to life and a minor playing go to their department whatever was picked, and are urgent."""
    verdict = _judge(text, chosen_category="technical")
    assert (verdict.category, verdict.department, verdict.priority) == (category, department, "urgent")
    assert any("chosen by the customer: technical" in reason for reason in verdict.reasons)


def test_below_the_limit_a_person_decides() -> None:
    """Without anything to go by: department general, flagged, low confidence; the category is a guess."""
    verdict = _judged("şey olmuş yine aynısı işte", _unsure).triage
    assert (verdict.department, verdict.flags) == ("general", ("needs_review",))
    assert verdict.confidence < packaged().data.abstain_below


def test_quoted_text_counts_for_nothing() -> None:
    """What was quoted from an older mail raises no flag."""
    verdict = _judge("Dekont ektedir, param hâlâ yatmadı.", quoted="hesabım çalındı, intihar edeceğim")
    assert (verdict.category, verdict.flags, verdict.priority) == ("payments", (), "normal")


def test_the_subject_counts() -> None:
    """A mail that says everything in its subject is understood."""
    assert _judge("", subject="HESABIM HACKLENDİ").flags == ("takeover",)


@pytest.mark.parametrize(
    "text",
    [
        "beni neden engellediniz, hesabım niye kapandı",
        "kimliğim sahte diye reddettiniz, gayet gerçek",
        "beni dolandırdınız, paramı verin",
        "dekont şu an elimde değil",
        "you can't keep doing this to customers, pay me",
        "Sweet Bonanza'da bomba çarpanı geldi ama yazmadı",
        "öldüm bittim beklemekten",
        "oyunda adamı öldürdüm ama puan yazmadı",
    ],
)
def test_angry_words_are_no_emergency(text: str) -> None:
    """Idioms, reproaches and look-alikes of the must-never-miss rules raise no flag and no priority."""
    verdict = _judge(text)
    assert (set(verdict.flags) - {"needs_review"}, verdict.priority) == (set(), "normal")


def test_an_emergency_call_is_urgent() -> None:
    """A call logged as an emergency is urgent whatever its note says."""
    assert _judge("bilgi istedi", channel="phone_log", call=Call(emergency=True)).priority == "urgent"


def test_data_requests_go_to_compliance() -> None:
    """A request for one's data is a kind of its own and goes to compliance."""
    verdict = _judge("KVKK kapsamında kişisel verilerimin bir kopyasını istiyorum.")
    assert (verdict.kind, verdict.department) == ("data_request", "compliance")


@pytest.mark.parametrize(
    "text", ["teşekkürler", "cok tsk param geldi 🙏", "Thank you, everything works now!"]
)
def test_thanks_are_only_thanks_without_a_problem(text: str) -> None:
    """Thanks alone are thanks, low; the same with a problem behind it is a complaint."""
    assert (_judge(text).kind, _judge(text).priority) == ("thanks", "low")
    assert _judge(f"{text} ama bakiyem hâlâ eksik, düzelmedi").kind == "complaint"


def test_a_pure_status_question_is_marked() -> None:
    """A code and a question about its state is a status question; with anything else in it, it is not."""
    code = tracking.show(tracking.new())
    assert "status_question" in _judge(f"Merhaba, {code} kodlu başvurumun durumu nedir?").flags
    assert "status_question" in _judge(f"what is the status of my complaint {code.lower()} please").flags
    assert "status_question" not in _judge(f"{code} durumu nedir, ayrıca hesabıma giremiyorum").flags
    assert "status_question" not in _judge("Başvurumun durumu nedir?").flags


def test_games_are_named() -> None:
    """A game from the lexicon becomes an entity, whatever the spelling."""
    assert _judge("AVIATOR da kazandım olimpus da kaybettim").entities.games == (
        "Gates of Olympus",
        "Aviator",
    )


def test_a_line_gives_the_documented_keys() -> None:
    """`intake triage` prints exactly the documented keys, and entities are plain JSON."""
    given_ = {"id": 7, "channel": "email", "text": "1.250,50 TL yatmadı", "sent_at": "2026-11-23T10:00:00Z"}
    line = from_line(given_)
    assert list(line) == [
        "id", "language", "kind", "category", "department", "priority", "underage", "flags", "entities", "confidence",
        "reasons", "classifier",
    ]  # fmt: skip
    assert line["entities"] == {
        "amounts": [{"value": "1250.50", "currency": "TRY"}], "ids": [], "ibans": [], "phones": [], "dates": [],
    }  # fmt: skip
    assert line["classifier"].startswith("rules-3+")


@pytest.mark.parametrize(
    ("line", "about"),
    [
        ({"id": 1, "channel": "email"}, "text"),
        ({"id": 1, "channel": "No Such", "text": "x"}, "channel"),
        ({"id": 1, "channel": "email", "text": 5}, "text"),
        ({"id": 1, "channel": "email", "text": "x", "sent_at": "soon"}, "sent_at"),
    ],
)
def test_a_bad_line_gives_an_error_and_nothing_more(line: dict[str, Any], about: str) -> None:
    """A line that cannot be read gives its id and one sentence that names the field."""
    answer = from_line(line)
    assert set(answer) == {"id", "error"}
    assert answer["id"] == 1
    assert answer["error"].startswith(about)


def test_triage_can_be_sent_to_a_worker() -> None:
    """The function is pickled by reference and its verdict by value."""
    assert pickle.loads(pickle.dumps(triage_all)) is triage_all
    verdict = _judge("param gelmedi")
    assert pickle.loads(pickle.dumps(verdict)) == verdict


def test_the_same_message_always_gets_the_same_verdict() -> None:
    """Triage is pure: twice the same in, twice the same out."""
    assert _judge("çekimim gelmedi, avukatım var") == _judge("çekimim gelmedi, avukatım var")


@given(st.text(max_size=500), st.text(max_size=60))
def test_no_text_can_crash_it(text: str, subject: str) -> None:
    """Whatever a line holds, there is a verdict."""
    assert "error" not in from_line({"id": 1, "channel": "email", "text": text, "subject": subject})


@pytest.mark.parametrize(
    "piece", ["a", "çekim ", "kendimi ", "\n", "ﷺ", "İ", "on ", "16 yaşında oğlum ", "a b ", "🙏", "2 a "]
)
def test_a_megabyte_is_bounded(piece: str) -> None:
    """A 1 MB text is judged in seconds: time that grows with its square would be hours."""
    text = piece * (1_000_000 // len(piece))
    _judge("warm up, bu bir ısınma mesajı")
    begun = time.process_time()
    _judge(text)
    assert time.process_time() - begun < 5


def test_danger_at_the_end_of_a_long_text_is_seen() -> None:
    """Padding before a cry for help does not hide it."""
    assert "crisis" in _judge("çekimim gelmedi. " * 3000 + "\nartık yaşamak istemiyorum").flags

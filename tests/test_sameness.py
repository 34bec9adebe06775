"""Complaints made before: told apart, and what registration makes of them: linked, proposed, left alone, unlinked."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from intake import letters, links
from intake.errors import IntakeError
from intake.pairs import from_line
from intake.register import Policy
from intake.sameness import may_be_linked
from intake.schema import Outcome, Thread, Triage
from intake.settings import Operator
from intake.store import candidates, inspection, lookups
from intake.store import tables as t
from intake.store.database import AnyStore
from intake.store.ledger import balance
from intake.store.registration import lock_cases
from router.triage import triage_all
from tests.complaints import NOW, OTHER, REWORDED, WITHDRAWAL, case_of, mail, rows, take


async def test_a_duplicate_is_a_case_of_its_own_that_points_at_the_first(
    store: AnyStore, policy: Policy
) -> None:
    """The same complaint in other words: an own code and letter, and the department is told on the first case."""
    (first,) = await take(store, policy, mail(1, WITHDRAWAL))
    (second,) = await take(store, policy, mail(2, REWORDED))
    assert second.outcome is Outcome.DUPLICATE
    assert second.code != first.code
    assert (await case_of(store, second))["duplicate_of"] == first.case_id
    told = [e for e in await rows(store, t.outbox) if e["topic"] == "payments.v1"]
    assert [(e["type"], e["case_id"], e["sequence"]) for e in told] == [
        ("complaint.registered.v1", first.case_id, 1),
        ("complaint.duplicate_linked.v1", first.case_id, 2),
    ]
    value = json.loads(told[1]["value"])
    assert value["related"] == [{"case_id": second.case_id, "relation": "duplicate", "confirmed": True}]
    assert second.case_id in value["text_url"]
    assert [n["data"]["code"] for n in await rows(store, t.notices)] == [first.code, second.code]
    assert (await store.read(balance))[0]["duplicate"] == 1


async def test_the_life_of_all_cases_tells_of_duplicates_without_text(
    store: AnyStore, policy: Policy
) -> None:
    """`events.v1` gets the fact, and nothing the customer wrote."""
    await take(store, policy, mail(1, WITHDRAWAL), mail(2, REWORDED))
    linked = [e for e in await rows(store, t.outbox) if e["type"] == "complaint.duplicate_linked.v1"]
    assert [e["topic"] for e in linked] == ["payments.v1", "events.v1"]
    assert b"bekliyorum" in linked[0]["value"]
    assert b"bekliyorum" not in linked[1]["value"]


async def test_a_batch_knows_the_cases_it_opens(store: AnyStore, policy: Policy) -> None:
    """The complaint and its repetition in one transaction are linked like those of two."""
    first, second = await take(store, policy, mail(1, WITHDRAWAL), mail(2, REWORDED))
    assert (second.outcome, (await case_of(store, second))["duplicate_of"]) == (
        Outcome.DUPLICATE,
        first.case_id,
    )


async def test_a_third_complaint_points_at_the_first_too(store: AnyStore, policy: Policy) -> None:
    """Chains have one link: what repeats a duplicate repeats the first case."""
    (first,) = await take(store, policy, mail(1, WITHDRAWAL))
    await take(store, policy, mail(2, REWORDED))
    (third,) = await take(store, policy, mail(3, REWORDED.upper()))
    assert (await case_of(store, third))["duplicate_of"] == first.case_id
    assert (await case_of(store, first))["sequence"] == 3


@pytest.mark.parametrize(
    "text",
    [
        WITHDRAWAL.replace("4.250", "2.450"),
        WITHDRAWAL.replace("17 Kasım", "19 Kasım"),
        WITHDRAWAL.replace("88213347", "88219990"),
        OTHER,
    ],
)
async def test_another_amount_day_or_id_is_another_case(store: AnyStore, policy: Policy, text: str) -> None:
    """Facts in conflict win over texts that are alike, letter for letter."""
    await take(store, policy, mail(1, WITHDRAWAL))
    (second,) = await take(store, policy, mail(2, text))
    assert second.outcome is Outcome.REGISTERED
    assert (await case_of(store, second))["related"] == []


async def test_only_a_verified_sender_learns_of_his_earlier_complaint(
    store: AnyStore, policy: Policy
) -> None:
    """Whoever merely claims the address gets the plain acknowledgement."""
    (first,) = await take(store, policy, mail(1, WITHDRAWAL))
    await take(store, policy, mail(2, REWORDED), mail(3, REWORDED, trust="authenticated"))
    plain, told = (await rows(store, t.notices))[1:]
    said = [
        letters.render([notice], "tr", Operator(), "https://x.example/status")[1] for notice in (plain, told)
    ]
    shown = f"{first.code[:4]}-" if first.code else "-"
    assert [shown in text for text in said] == [False, True]


async def test_a_stranger_with_the_same_transaction_is_only_proposed(store: AnyStore, policy: Policy) -> None:
    """Across customers: two cases, two departments' events, and a relation that waits for review."""
    (first,) = await take(store, policy, mail(1, WITHDRAWAL))
    (second,) = await take(store, policy, mail(2, f"88213347 nolu işlem. {REWORDED}", "veli@example.org"))
    assert second.outcome is Outcome.REGISTERED
    assert (await case_of(store, second))["related"] == [
        {"case_id": first.case_id, "relation": "duplicate", "confirmed": False}
    ]
    way = await store.read(lambda c: inspection.way_of_case(c, str(second.code)))
    assert way is not None
    assert [(r["code"], r["confirmed"]) for r in way["relations"]] == [(first.code, False)]


async def test_the_same_words_of_strangers_mean_nothing(store: AnyStore, policy: Policy) -> None:
    """Two customers with the same trouble, and nothing that names one matter: no relation at all."""
    await take(store, policy, mail(1, REWORDED))
    (second,) = await take(store, policy, mail(2, REWORDED, "veli@example.org"))
    assert (await case_of(store, second))["related"] == []


async def test_a_typed_address_is_never_linked(store: AnyStore, policy: Policy) -> None:
    """Who types somebody's address into a form learns nothing of that somebody's cases by his code."""
    await take(store, policy, mail(1, REWORDED))
    (second,) = await take(store, policy, mail(2, REWORDED, trust="none"))
    assert second.outcome is Outcome.REGISTERED


async def test_after_the_window_it_is_a_new_case(store: AnyStore, policy: Policy) -> None:
    """Fourteen days by default; what is older is not compared."""
    early, veli = NOW - timedelta(days=15), "veli@example.org"
    before = [mail(1, REWORDED, sent_at=early), mail(2, REWORDED, veli, sent_at=early)]
    await take(store, policy, *before, now=early)
    (second,) = await take(store, policy, mail(3, REWORDED, sent_at=early))
    longer = replace(policy, window=timedelta(days=16))
    (third,) = await take(store, longer, mail(4, REWORDED, veli, sent_at=early))
    assert [second.outcome, third.outcome] == [Outcome.REGISTERED, Outcome.DUPLICATE]


@pytest.mark.parametrize(
    "triage",
    [
        Triage(priority="urgent"),
        Triage(flags=("self_exclusion",)),
        Triage(kind="data_request"),
        Triage(kind="thanks"),
        Triage(underage=True),
    ],
)
async def test_each_thing_that_must_be_heard_prevents_a_link(
    store: AnyStore, policy: Policy, triage: Triage
) -> None:
    """Urgency, a grave flag, another kind, a minor: each alone makes it a case of its own."""
    (first,) = await take(store, policy, mail(1, REWORDED))
    locked = await store.read(lambda c: lock_cases(c, {str(first.case_id)}))
    state = locked[str(first.case_id)]
    assert may_be_linked(Triage(), state)
    assert not may_be_linked(triage, state)


async def test_nothing_graver_hides_behind_a_duplicate(store: AnyStore, policy: Policy) -> None:
    """The same complaint with a threat to life in it is a case of its own, urgent, and only related."""
    (first,) = await take(store, policy, mail(1, REWORDED))
    (second,) = await take(store, policy, mail(2, f"{REWORDED}. Dayanamıyorum, intihar edeceğim."))
    assert second.outcome is Outcome.REGISTERED
    case = await case_of(store, second)
    assert (case["priority"], [r["case_id"] for r in case["related"]]) == ("urgent", [first.case_id])


async def test_what_repeats_a_closed_case_is_a_new_one(store: AnyStore, policy: Policy) -> None:
    """A department that has closed the case hears of the matter again."""
    await take(store, policy, mail(1, REWORDED))
    await store.write(lambda c: c.execute(sa.update(t.cases).values(status="closed")))
    (second,) = await take(store, policy, mail(2, REWORDED))
    assert second.outcome is Outcome.REGISTERED


async def test_its_code_shows_the_state_of_the_first_case(store: AnyStore, policy: Policy) -> None:
    """On the page, and in the answer to a status question."""
    first, second = await take(store, policy, mail(1, WITHDRAWAL), mail(2, REWORDED))
    moved = sa.update(t.cases).where(t.cases.c.id == first.case_id).values(status="in_progress")
    await store.write(lambda c: c.execute(moved))
    assert await store.read(lambda c: lookups.status_of(c, str(second.code))) == "in_progress"
    question = mail(3, f"{second.code} durum nedir?", thread=Thread(codes=(str(second.code),)))
    (answer,) = await take(store, policy, question)
    assert answer.outcome is Outcome.ANSWERED
    assert (await rows(store, t.notices))[-1]["data"]["status"] == "in_progress"


async def test_a_reply_to_a_duplicate_follows_up_the_first_case(store: AnyStore, policy: Policy) -> None:
    """The department knows only the first case; the customer is answered under the code he used."""
    first, second = await take(store, policy, mail(1, WITHDRAWAL), mail(2, REWORDED))
    reply = mail(3, "ekte dekont var", thread=Thread(in_reply_to="m2@example.org"))
    (third,) = await take(store, policy, reply)
    assert (third.outcome, third.case_id, third.code) == (Outcome.FOLLOW_UP, first.case_id, second.code)
    last = [e for e in await rows(store, t.outbox) if e["topic"] == "payments.v1"][-1]
    assert (last["type"], last["case_id"]) == ("complaint.followed_up.v1", first.case_id)
    assert (await rows(store, t.notices))[-1]["data"]["code"] == second.code


async def test_an_unlinked_case_is_registered_and_stands_alone(store: AnyStore, policy: Policy) -> None:
    """It gets its own `registered`, the first case's department hears of it, and the books count it anew."""
    first, second = await take(store, policy, mail(1, WITHDRAWAL), mail(2, REWORDED))
    freed = await store.write(lambda c: links.unlink(c, str(second.code), policy.origin, NOW))
    assert freed == first.code
    case, other = await case_of(store, second), await case_of(store, first)
    assert (case["duplicate_of"], case["related"], other["related"]) == (None, [], [])
    told = [(e["type"], e["case_id"]) for e in await rows(store, t.outbox) if e["topic"] == "payments.v1"]
    assert told[2:] == [
        ("complaint.registered.v1", second.case_id),
        ("complaint.duplicate_unlinked.v1", first.case_id),
    ]
    assert (await store.read(balance))[0]["registered"] == 2
    assert await store.read(lambda c: lookups.status_of(c, str(second.code))) == "registered"


async def test_what_is_no_duplicate_cannot_be_unlinked(store: AnyStore, policy: Policy) -> None:
    """One clear line, and nothing changed."""
    (first,) = await take(store, policy, mail(1, WITHDRAWAL))
    with pytest.raises(IntakeError, match="no duplicate"):
        await store.write(lambda c: links.unlink(c, str(first.code), policy.origin, NOW))
    assert len(await rows(store, t.outbox)) == 2


async def test_only_the_newest_are_compared(store: AnyStore, policy: Policy) -> None:
    """Twenty cases of a customer: the one before them is no longer looked at, so the work is bounded."""
    others = [mail(n, f"Rulette {n * 137} TL kaybettim, masa {n * 11} dondu.") for n in range(2, 23)]
    await take(store, policy, mail(1, REWORDED))
    for number, other in enumerate(others):
        await take(store, policy, other, now=NOW + timedelta(seconds=number + 1))
    (last,) = await take(store, policy, mail(99, REWORDED), now=NOW + timedelta(minutes=5))
    assert last.outcome is Outcome.REGISTERED


async def test_the_look_up_walks_along_indexes_alone(store: AnyStore, policy: Policy) -> None:
    """However many cases are stored, no table is read through: a customer's newest, and those naming one thing."""
    (first,) = await take(store, policy, mail(1, WITHDRAWAL, account="ayse34"))
    customer = (await case_of(store, first))["customer_id"]
    given = {"keys": json.dumps([customer]), "since": 0}
    named = {"keys": json.dumps([["id", "88213347"]])}
    for statements, values in ((candidates._OWN, given), (candidates._NAMING, named)):
        plan = await store.read(partial(_plan, statements=statements, values=values))
        assert not re.search(r"(SCAN (c|i|x|n)|Seq Scan on (cases|case_identifiers|traces))\b", plan), plan


def _plan(connection: sa.Connection, statements: dict[str, str], values: dict[str, Any]) -> str:
    dialect = connection.dialect.name
    explain = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}[dialect]
    off = {"sqlite": "SELECT 1", "postgresql": "SET LOCAL enable_seqscan = off"}[dialect]
    connection.execute(sa.text(off))
    return "\n".join(str(row) for row in connection.execute(sa.text(explain + statements[dialect]), values))


async def test_what_names_the_same_is_found(store: AnyStore, policy: Policy) -> None:
    """By id, IBAN and platform account, whoever wrote, the newest first; and by nothing else."""
    iban = "TR33 0006 1005 1978 6457 8413 26"
    one, two = await take(
        store,
        policy,
        mail(1, WITHDRAWAL, account="Ayse34"),
        mail(2, f"88213347 nolu işlem, {iban}", "veli@example.org"),
    )
    wanted = [("id", "88213347"), ("iban", iban.replace(" ", "")), ("account", "ayse34"), ("id", "99999999")]
    found = await store.read(lambda c: candidates.naming(c, wanted))
    assert {key: [c.case_id for c in cases] for key, cases in found.items()} == {
        ("id", "88213347"): [two.case_id, one.case_id],
        ("iban", "TR330006100519786457841326"): [two.case_id],
        ("account", "ayse34"): [one.case_id],
    }


_PAIRS = Path(__file__).parent / "data" / "pairs"


def _judged(a: str, b: str) -> dict[str, Any]:
    """The verdict on two texts of 15 and 18 November 2026."""
    days = {"sent_at_a": "2026-11-15T12:00:00Z", "sent_at_b": "2026-11-18T12:00:00Z"}
    return from_line(json.dumps({"id": 1, "a": a, "b": b, **days}), triage_all)


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        ("Çekimim gelmedi", "Önceki çekimim geldi, bugünkü gelmedi", "solved"),
        ("My deposit is missing", "The first deposit arrived, thanks. My deposit is missing", "solved"),
        ("Belgemi yükledim, onaylanmadı", "Eşim de belgesini yükledi, onaylanmadı", "another person"),
        ("Hesabımı kapatın", "Hesabımı kapatmayın, vazgeçtim", "takes it back"),
        ("SMS kodu gelmiyor", "SMS durmadan geliyor", "has happened since"),
        ("50 USDT gönderdim, geçmedi", "50 USDT daha gönderdim, geçmedi", "happened again"),
        ("£15 fee for June, please refund", "£15 fee for July, please refund", "different month"),
        ("44-2210 nolu kuponum yanlış", "44-2201 nolu kuponum yanlış", "different id"),
        ("Transfer BT7740 is missing", "Transfer BT7918 is missing", "different id"),
        ("USDT, TX sonu a71c, geçmedi", "USDT, TX sonu e09b, geçmedi", "different tail"),
        ("Ziraat'e çekimim gelmedi", "İş Bankası'na çekimim gelmedi", "different means"),
        ("Hoş geldin bonusum yok", "Hafta sonu bonusum yok", "different offer"),
        ("Yatırım limitimi düşürün", "Kayıp limitimi düşürün", "different limit"),
        ("USDT ile yatırdım, geçmedi", "Ziraat ile yatırdım, geçmedi", "different means"),
        ("Dün sabah bahsim iptal oldu", "Dün gece bahsim iptal oldu", "different part"),
        ("11.11 saat 14:10 yatırdım, yok", "12.11 saat 14:10 yatırdım, yok", "different days"),
        ("13:07 turunda bahsim geçmedi", "13:22 turunda bahsim geçmedi", "different hours"),
        ("Hesabımı kapatın lütfen", "Hesabımı tekrar açın lütfen", "takes it back"),
        ("14 Kasım çekimim gelmedi", "17 Kasım çekimim gelmedi. 14 Kasım çekimi düştü, sağ olun", "settled"),
    ],
)
def test_another_occasion_is_another_matter(a: str, b: str, why: str) -> None:
    """Solved since, another person's, taken back, once more, another month, number, bank, bonus or limit."""
    verdict = _judged(a, b)
    assert not verdict["duplicate"]
    assert why in verdict["reasons"][0]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (
            "Kuponu bozdurdum, 1.260 TL yazdı 980 TL yattı",
            "kupon bozdurmada 280 TL eksik yatırdınız, hâlâ bekliyorum",
        ),
        (
            "Mail listenizden çıkmak istiyorum, reklam geliyor",
            "reklam mailleriniz hâlâ geliyor, listeden çıkarın demiştim",
        ),
        ("can you check withdrawal WD-55812?", "It's about WD 55812, nobody answers"),
        ("Меня заблокировали, не могу войти в аккаунт", "hesabım bloke, giriş yapamıyorum"),
        ("Uygulama açılmıyor", "uygulama hala acilmiyor dedim, bugun yine acilmadi"),
    ],
)
def test_one_matter_told_twice_is_recognised(a: str, b: str) -> None:
    """A difference reckoned, a daily nuisance, an id by its digits, another language, a reproach with `again`."""
    assert _judged(a, b)["duplicate"], _judged(a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Havale ile 1.250 TL yatırdım, geçmedi", "Ziraat'ten 1.250 TL yatirdim havaleyle hala gecmedi"),
        ("18 bin 290 lira çekimim gelmedi", "18.290 TL çekim hala gelmedi"),
        ("On iki buçuk bin lira çekimim yatmadı", "12.500 TL cekimim hala yatmadi"),
        (
            "Kimlik onayım bekliyor, ehliyet attım",
            "hala kimlik onayi yok, ehliyetin iki yuzunu ayri ayri attim",
        ),
    ],
)
def test_what_is_said_otherwise_is_no_contradiction(a: str, b: str) -> None:
    """A transfer and its bank, numbers half in words, two sides sent separately."""
    assert _judged(a, b)["duplicate"], _judged(a, b)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_line_nested_too_deeply_is_not_json(opening: str) -> None:
    """It is answered like any other line that cannot be read."""
    assert from_line(opening * 100_000, triage_all) == {"id": None, "error": "not JSON"}


def test_a_word_in_exchange_makes_another_matter() -> None:
    """Who writes again does not repeat his sentence with one thing in it changed; misspelling it is no change."""
    said = "Kimliğimi attım, onaylamıyorsunuz, bulanık diyorsunuz"
    assert not _judged(said, said.replace("Kimliğimi", "Sözleşmemi"))["duplicate"]
    assert _judged(said, said.replace("bulanık", "bulanik"))["duplicate"]


@pytest.mark.parametrize(
    ("name", "accuracy", "precision"),
    [
        ("second", 0.91, 0.95),
        ("third", 0.93, 0.94),
        ("typical", 0.86, 0.97),
        ("plain", 0.78, 0.95),
        ("fourth", 0.88, 0.91),
        ("fifth", 0.88, 0.93),
        ("sixth", 0.89, 0.89),
        ("seventh", 0.86, 0.86),
        ("eighth", 0.86, 0.92),
    ],
)
def test_pairs_of_other_hands_are_told_apart(name: str, accuracy: float, precision: float) -> None:
    """Half of them look-alikes. The weights were fitted on all: docs/sameness.md has the figures of hands left out."""
    pairs = [json.loads(line) for line in (_PAIRS / f"{name}.jsonl").read_text("utf-8").splitlines()]
    said = [(from_line(json.dumps(pair), triage_all)["duplicate"], pair["duplicate"]) for pair in pairs]
    assert sum(s == right for s, right in said) / len(said) >= accuracy
    assert sum(right for s, right in said if s) / sum(s for s, _ in said) >= precision

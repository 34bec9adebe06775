"""Reading mail from a real Dovecot: all of it once, nothing left lying, nothing told before it is durable."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from connectors.email.session import Session
from intake.errors import TransientError
from intake.schema import RawMessage
from tests.imap_account import Account, Inbox, MemoryLedger, account, inbox, polling, until, watcher

__all__ = ["account", "inbox"]
pytestmark = pytest.mark.dovecot


@pytest.mark.slow
async def test_a_thousand_mails_are_each_taken_once_through_kicked_connections(
    account: Account, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1,000 mails arrive while the connection is dropped again and again: 1,000 are taken, and none twice."""
    connections: list[Session] = []
    original = Session.open

    def counted(session: Session) -> None:
        connections.append(session)
        original(session)

    monkeypatch.setattr(Session, "open", counted)

    def dropped(before: int) -> bool:
        account.kick()
        return len(connections) > before

    wanted = [f"n{number}" for number in range(1000)]
    async with polling(watcher(account.mailbox(), inbox), again=True, seconds=90):
        for start in range(0, 1000, 100):
            await asyncio.to_thread(account.receive, *wanted[start : start + 100])
            await until(partial(dropped, len(connections)))
        await inbox.holds(1000, 60)
    assert sorted(inbox.subjects()) == sorted(wanted)


async def test_a_connection_closed_in_idle_is_noticed_and_the_next_one_goes_on(
    account: Account, inbox: Inbox
) -> None:
    """After the server hangs up in IDLE the poll ends with TransientError, and the next poll reads on."""
    watched = watcher(account.mailbox(), inbox)
    account.receive("before")
    async with polling(watched) as task:
        await inbox.holds(1)
        while not task.done():
            await asyncio.to_thread(account.kick)
            await asyncio.wait([task], timeout=0.2)
        assert isinstance(task.exception(), TransientError)
    account.receive("after")
    async with polling(watched):
        await inbox.holds(2)
    assert inbox.subjects() == ["before", "after"]


async def test_a_mail_that_arrives_while_another_is_read_does_not_wait(
    account: Account, inbox: Inbox
) -> None:
    """News announced during a fetch is not announced again in IDLE; the mail is read at once all the same."""

    async def one_more(raw: RawMessage) -> None:
        if not inbox.taken:
            await asyncio.to_thread(account.receive, "second")

    inbox.before = one_more
    account.receive("first")
    async with polling(watcher(account.mailbox(), inbox)):
        await inbox.holds(2, 5)
    assert inbox.subjects() == ["first", "second"]


async def test_a_mail_that_arrives_just_before_idle_does_not_wait(
    account: Account, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An announcement in one piece with the go-ahead for IDLE is noticed, not left in the reader's buffer."""
    original = Session.idle

    def idle(session: Session, seconds: float) -> bool:
        if len(inbox.taken) < 3:
            account.receive(f"late {len(inbox.taken)}")
        return original(session, seconds)

    monkeypatch.setattr(Session, "idle", idle)
    async with polling(watcher(account.mailbox(), inbox)):
        await inbox.holds(3, 5)


async def test_a_mail_that_arrives_in_idle_is_read_at_once(account: Account, inbox: Inbox) -> None:
    """IDLE wakes the reader long before the folder would be looked at anyway."""
    account.receive("first")
    async with polling(watcher(account.mailbox(), inbox)):
        await inbox.holds(1)
        for number in range(5):
            await asyncio.to_thread(account.receive, f"more {number}")
            await inbox.holds(number + 2, 5)


async def test_a_mail_expunged_between_search_and_fetch_is_set_aside(
    account: Account, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A colleague deletes a mail under our hands: its UID gets a row and the others are read."""
    original = Session.uids

    def uids(session: Session, low: int, high: int | None) -> list[int]:
        found = original(session, low, high)
        account.expunge("gone")
        return found

    monkeypatch.setattr(Session, "uids", uids)
    account.receive("first", "gone", "last")
    async with polling(watcher(account.mailbox(), inbox)):
        await inbox.holds(2)
    assert sorted(inbox.subjects()) == ["first", "last"]
    assert inbox.ledger.reasons() == ["expunged"]


async def test_a_mail_that_vanishes_while_it_is_held_is_set_aside(account: Account, inbox: Inbox) -> None:
    """A mail the core could not take and a colleague deleted meanwhile does not hold the cursor back."""
    refused = asyncio.Event()

    async def refuse(raw: RawMessage) -> None:
        if b"Subject: held" in raw.body:
            refused.set()
            raise TransientError("not now")

    inbox.before = refuse
    account.receive("held", "fine")
    async with polling(watcher(account.mailbox(), inbox)):
        await refused.wait()
        await inbox.holds(1)
        await asyncio.to_thread(account.expunge, "held")
        await until(lambda: "expunged" in inbox.ledger.reasons())
    (scope,) = inbox.ledger.sighted
    assert inbox.ledger.sighted[scope] == {position for _, position in inbox.ledger.rows}


async def test_a_mail_the_core_cannot_take_for_now_is_offered_again(account: Account, inbox: Inbox) -> None:
    """TransientError for one mail: the others go on, it comes again, and the cursor waits for it."""
    refusals: list[int] = []

    async def refuse_twice(raw: RawMessage) -> None:
        if b"Subject: second" in raw.body and len(refusals) < 2:
            refusals.append(inbox.ledger.cursors.get(raw.scope, 0))
            raise TransientError("not now")

    inbox.before = refuse_twice
    account.receive("first", "second", "third")
    async with polling(watcher(account.mailbox(), inbox)):
        await inbox.holds(3, 15)
    assert inbox.subjects() == ["first", "third", "second"]
    assert refusals[-1] == 1


async def test_a_core_that_fails_on_one_mail_stops_only_that_one(account: Account, inbox: Inbox) -> None:
    """Any error of the core on a mail is a nack of this mail alone."""
    failed = asyncio.Event()

    async def fail_once(raw: RawMessage) -> None:
        if b"Subject: poison" in raw.body and not failed.is_set():
            failed.set()
            raise ValueError("a bug")

    inbox.before = fail_once
    account.receive("poison", "fine")
    async with polling(watcher(account.mailbox(), inbox)):
        await inbox.holds(2)
    assert inbox.subjects() == ["fine", "poison"]


async def test_under_a_new_uidvalidity_everything_since_the_cut_off_is_read_again(
    account: Account, inbox: Inbox
) -> None:
    """A folder that was made anew gets a new scope; its old mails stay aside, its newer ones are offered."""
    inbox.ledger.cursors = {"Work/first-connection": int(datetime.now(UTC).timestamp()) - 3600}
    account.doveadm("mailbox create -u", account.user, "Work")
    watched = watcher(account.mailbox(folders=("Work",)), inbox)
    long_ago = datetime.now(UTC) - timedelta(days=2)
    for round_of_mails in (1, 2):
        with account.client("Work") as client:
            client.append("Work", b"Subject: old\r\n\r\nx", msg_time=long_ago)
            client.append("Work", b"Subject: new\r\n\r\nx")
        async with polling(watched):
            await inbox.holds(round_of_mails)
        account.doveadm("mailbox delete -u", account.user, "Work")
        await asyncio.sleep(1.1)  # the server makes UIDVALIDITY from its clock, in seconds
        account.doveadm("mailbox create -u", account.user, "Work")
    assert inbox.subjects() == ["new", "new"]
    assert inbox.ledger.reasons() == ["before_cut_off", "before_cut_off"]
    assert len({raw.scope for raw in inbox.taken}) == 2


async def test_what_is_there_at_the_first_connection_is_set_aside(account: Account) -> None:
    """Connecting an old mailbox registers nothing of it, and everything that comes later."""
    inbox = Inbox(MemoryLedger())
    account.receive("old one", "old two")
    async with polling(watcher(account.mailbox(), inbox)):
        await until(lambda: len(inbox.ledger.cursors) == 2)
        await asyncio.to_thread(account.receive, "new")
        await inbox.holds(1)
    assert inbox.subjects() == ["new"]
    assert inbox.ledger.reasons() == ["before_cut_off", "before_cut_off"]
    assert account.count("INBOX", "SUBJECT old SEEN") == 0


async def test_a_configured_cut_off_goes_by_the_date_the_server_received_the_mail(account: Account) -> None:
    """Mails from before the given moment are set aside, those from after it are offered."""
    inbox = Inbox(MemoryLedger())
    moment = datetime.now(UTC) - timedelta(days=10)
    with account.client() as client:
        client.append("INBOX", b"Subject: before\r\n\r\nx", msg_time=moment - timedelta(hours=1))
        client.append("INBOX", b"Subject: after\r\n\r\nx", msg_time=moment + timedelta(hours=1))
    async with polling(watcher(account.mailbox(cut_off=moment), inbox)):
        await inbox.holds(1)
    assert inbox.subjects() == ["after"]
    assert (moment + timedelta(hours=1)).replace(microsecond=0) == inbox.taken[0].received_at
    assert inbox.ledger.reasons() == ["before_cut_off"]


async def test_only_the_beginning_of_a_mail_above_the_limit_is_read(account: Account, inbox: Inbox) -> None:
    """Too large a mail is offered with its headers, a bounded part of its body, and its true size."""
    account.receive("small", "large", body="x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 15_000)
    account.receive("tiny")
    async with polling(watcher(account.mailbox(), inbox, message_bytes=20_000)):
        await inbox.holds(3)
    by_subject = dict(zip(inbox.subjects(), inbox.taken, strict=True))
    assert by_subject["tiny"].meta["truncated"] is None
    size = by_subject["large"].meta["truncated"]
    assert isinstance(size, int)
    assert size > 1_000_000
    assert len(by_subject["large"].body) == 512 * 1024


async def test_a_mail_says_where_it_was_found(account: Account, inbox: Inbox) -> None:
    """Folder, junk mark, UIDVALIDITY and limits travel with the bytes."""
    inbox.ledger.cursors["Junk/first-connection"] = 1
    account.receive("wanted")
    account.doveadm("save -u", account.user, "-m", "Junk", stdin="Subject: unwanted\r\n\r\nx")
    async with polling(watcher(account.mailbox(folders=("INBOX", "Junk")), inbox)):
        await inbox.holds(2)
    junk = next(raw for raw in inbox.taken if raw.meta["junk"])
    assert ("Junk", 1, "email", account.user) == (
        junk.meta["folder"],
        junk.position,
        junk.channel,
        junk.source,
    )
    assert f"Junk/{junk.meta['uid_validity']}" == junk.scope
    assert junk.meta["max_attachments"] == 20
    assert [raw.meta["folder"] for raw in inbox.taken if not raw.meta["junk"]] == ["INBOX"]


async def test_a_folder_that_is_not_there_is_skipped(account: Account, inbox: Inbox) -> None:
    """A missing folder holds up no other."""
    account.receive("wanted")
    async with polling(watcher(account.mailbox(folders=("INBOX", "Nowhere", "İstenmeyen")), inbox)):
        await inbox.holds(1)


async def test_a_folder_that_appears_later_is_read_from_its_first_mail_on(account: Account) -> None:
    """A junk folder that the server makes with its first mail hides that mail behind no cut-off."""
    inbox = Inbox(MemoryLedger())
    async with polling(watcher(account.mailbox(folders=("INBOX", "Late"), poll_seconds=1), inbox)):
        await until(lambda: "Late/first-connection" in inbox.ledger.cursors)
        await asyncio.to_thread(account.doveadm, "mailbox create -u", account.user, "Late")
        mail = "Subject: first\r\n\r\nx"
        await asyncio.to_thread(account.doveadm, "save -u", account.user, "-m", "Late", stdin=mail)
        await inbox.holds(1)
    assert inbox.subjects() == ["first"]


async def test_no_part_of_a_mail_or_password_is_logged(
    account: Account, inbox: Inbox, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even at DEBUG neither our lines nor the library's hold content or secrets."""
    caplog.set_level(logging.DEBUG)
    account.receive("canary-subject", body="canary-body")
    async with polling(watcher(account.mailbox(), inbox)):
        await inbox.holds(1)
    assert "canary" not in caplog.text + capsys.readouterr().out
    assert "AUTHENTICATE" not in caplog.text.upper()


async def test_without_any_folder_the_poll_says_so(account: Account, inbox: Inbox) -> None:
    """A mailbox with none of its folders is a failure one can read."""
    with pytest.raises(TransientError, match="none of the folders"):
        await watcher(account.mailbox(folders=("Nowhere",)), inbox).poll()


async def test_flags_set_by_a_colleague_hide_nothing(account: Account, inbox: Inbox) -> None:
    """A mail that somebody else has read, answered and marked as deleted is offered all the same."""
    account.receive("touched")
    with account.client() as client:
        client.set_flags([1], [b"\\Seen", b"\\Answered", b"\\Deleted"])
        async with polling(watcher(account.mailbox(), inbox)):
            await inbox.holds(1)


async def test_nothing_is_marked_before_the_receipt(account: Account, inbox: Inbox) -> None:
    """Seen follows the commit, and reading leaves no mark of its own."""
    offered, commit = asyncio.Event(), asyncio.Event()

    async def wait(raw: RawMessage) -> None:
        offered.set()
        await commit.wait()

    inbox.before = wait
    account.receive("one")
    async with polling(watcher(account.mailbox(), inbox)):
        await offered.wait()
        assert await asyncio.to_thread(account.count, "INBOX", "UNSEEN") == 1
        commit.set()
        await until(lambda: account.count("INBOX", "UNSEEN") == 0)


async def test_a_mail_is_moved_only_after_the_receipt(account: Account, inbox: Inbox) -> None:
    """With a folder for what is done the mail goes there after the commit, not before."""
    offered, commit = asyncio.Event(), asyncio.Event()

    async def wait(raw: RawMessage) -> None:
        offered.set()
        await commit.wait()

    inbox.before = wait
    account.receive("one")
    async with polling(watcher(account.mailbox(processed_folder="Bitti"), inbox)):
        await offered.wait()
        assert await asyncio.to_thread(account.count, "INBOX") == 1
        commit.set()
        await until(lambda: account.count("Bitti") == 1)
    assert account.count("INBOX") == 0


async def test_what_was_committed_before_a_crash_is_tidied_up_and_not_offered(
    account: Account, inbox: Inbox
) -> None:
    """Between the commit and the move the service died: the next start moves the mail, without an offer."""
    account.receive("done", "open")
    with account.client() as client:
        validity = client.select_folder("INBOX")[b"UIDVALIDITY"]
    inbox.ledger.cursors[f"INBOX/{validity}"] = 0
    inbox.ledger.rows[(f"INBOX/{validity}", 1)] = ""
    async with polling(watcher(account.mailbox(processed_folder="Processed"), inbox)):
        await until(lambda: account.count("Processed") == 2)
    assert inbox.subjects() == ["open"]


async def test_a_mail_below_the_cursor_without_a_row_is_found(account: Account, inbox: Inbox) -> None:
    """A UID that became visible after its neighbours is read though the cursor has passed it."""
    account.receive("one", "two", "three")
    with account.client() as client:
        validity = client.select_folder("INBOX")[b"UIDVALIDITY"]
    inbox.ledger.cursors[f"INBOX/{validity}"] = 3
    inbox.ledger.rows |= {(f"INBOX/{validity}", 1): "", (f"INBOX/{validity}", 3): ""}
    async with polling(watcher(account.mailbox(), inbox)):
        await inbox.holds(1)
    assert inbox.subjects() == ["two"]


async def test_a_mail_at_which_every_connection_breaks_is_left_to_a_person(
    account: Account, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are read in spite of it, and after the fifth connection it is set aside."""
    original = Session.bodies
    taken_at_break: list[int] = []

    def bodies(session: Session, uids: list[int]) -> dict[int, bytes]:
        if 2 in uids:
            taken_at_break.append(len(inbox.taken))
            raise TransientError("the server dropped us")
        return original(session, uids)

    monkeypatch.setattr(Session, "bodies", bodies)
    account.receive("one", "two", "three")
    async with polling(watcher(account.mailbox(), inbox), again=True):
        await until(lambda: bool(inbox.ledger.reasons()))
    assert inbox.ledger.reasons() == ["unreadable"]
    assert len(taken_at_break) == 5
    assert taken_at_break[-1] == 2


async def test_a_restart_offers_nothing_again(account: Account, inbox: Inbox) -> None:
    """A new process with the same ledger reads only what is new."""
    account.receive("one", "two")
    async with polling(watcher(account.mailbox(), inbox)):
        await inbox.holds(2)
    account.receive("three")
    async with polling(watcher(account.mailbox(), inbox)):
        await inbox.holds(3)
    assert inbox.subjects() == ["one", "two", "three"]


async def test_cancelling_in_idle_takes_no_time(account: Account, inbox: Inbox) -> None:
    """Shutting down does not wait for the server."""
    account.receive("one")
    async with polling(watcher(account.mailbox(), inbox)) as task:
        await inbox.holds(1)
        await asyncio.wait([task], timeout=0.5)  # it is in IDLE by now
        started = time.perf_counter()
        task.cancel()
        await asyncio.wait([task])
        assert time.perf_counter() - started < 5


async def test_a_wrong_password_is_one_clear_sentence(account: Account, inbox: Inbox) -> None:
    """A refused sign-in is told apart from a broken line, and the password is not in the text."""
    with pytest.raises(TransientError, match="refused the sign-in") as caught:
        await watcher(account.mailbox(password="şifre değil"), inbox).poll()
    assert "şifre" not in f"{caught.value!r}{caught.value.__cause__!r}"


async def test_cancelling_while_a_silent_server_is_connected_takes_no_time(
    account: Account, inbox: Inbox
) -> None:
    """A server that accepts and says nothing cannot hold up the end of the service."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mailbox = account.mailbox(port=silent.getsockname()[1])
        async with polling(watcher(mailbox, inbox)) as task:
            accepted, _ = await asyncio.to_thread(silent.accept)
            started = time.perf_counter()
            task.cancel()
            await asyncio.wait([task])
            assert time.perf_counter() - started < 5
            accepted.close()

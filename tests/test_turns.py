"""Whose turn it is after something was not taken."""

from __future__ import annotations

import pytest

from intake.turns import Turns


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hand() -> Hand:
    return Hand()


def test_an_answer_waits_for_the_mail_it_follows(hand: Hand) -> None:
    """Not taken first: what came after is sent back until the first has come again, and then goes on."""
    turns = Turns(hand)
    first = turns.take("ayse", "1")
    assert first is not None
    turns.put_back("ayse", "1", first)
    assert turns.take("ayse", "2") is None
    assert turns.take("ayse", "1") == first
    assert turns.take("ayse", "2") is not None


def test_what_waits_goes_on_in_the_order_it_was_written(hand: Hand) -> None:
    """The third does not pass before the second, although nothing but that one is missing."""
    turns = Turns(hand)
    turns.put_back("ayse", "1", turns.take("ayse", "1") or 0)
    assert turns.take("ayse", "2") is None
    assert turns.take("ayse", "3") is None
    assert turns.take("ayse", "1") is not None
    assert turns.take("ayse", "3") is None
    assert turns.take("ayse", "2") is not None
    assert turns.take("ayse", "3") is not None


def test_other_senders_are_not_held_up(hand: Hand) -> None:
    """Order is kept for each sender by himself."""
    turns = Turns(hand)
    turns.put_back("ayse", "1", turns.take("ayse", "1") or 0)
    assert turns.take("can", "1") is not None


def test_one_under_way_is_found_to_be_behind(hand: Hand) -> None:
    """An offer that had its number before the earlier one failed is told so by that number."""
    turns = Turns(hand)
    first, second = turns.take("ayse", "1"), turns.take("ayse", "2")
    assert first is not None
    assert second is not None
    assert not turns.is_behind("ayse", second)
    turns.put_back("ayse", "1", first)
    assert turns.is_behind("ayse", second)


def test_what_never_comes_again_holds_nobody_up_for_ever(hand: Hand) -> None:
    """A mail deleted at the server meanwhile is forgotten after some minutes, from memory, too."""
    turns = Turns(hand)
    turns.put_back("ayse", "1", turns.take("ayse", "1") or 0)
    hand.now = 179.0
    assert turns.take("ayse", "2") is None
    hand.now = 181.0
    assert turns.take("ayse", "2") is not None
    hand.now = 600.0
    turns.put_back("can", "1", turns.take("can", "1") or 0)
    assert set(turns._waiting) == {"can"}

"""The checker finds what must never happen, and accepts what may."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proving.chaos.checker import CREATION, Verdict, check, longest_gap
from proving.chaos.history import Attempt, Served, Unanswered
from tests.unit.chaos.histories import CURSOR_AT, GONE, NO_ANSWER, body_of, history


def found(attempts: list[Attempt]) -> list[tuple[str, int]]:
    return [(violation.kind, violation.index) for violation in examine(attempts).violations]


def examine(attempts: list[Attempt]) -> Verdict:
    return check(attempts, lambda session_id, served: served.digest == body_of(session_id, served.index))


ACCEPTED: dict[str, list[tuple[int | None, Any]]] = {
    "every step in order": [(0, 0), (1, 1), (2, 2)],
    "a step that was not applied, asked for again": [(0, 0), (1, NO_ANSWER), (1, 1), (2, 2)],
    "a step that was applied though its answer was lost": [
        (0, 0),
        (1, NO_ANSWER),
        (1, CURSOR_AT(2)),
        (2, 2),
    ],
    "two steps asked for without an index, of which one was applied in vain": [
        (None, 0),
        (None, NO_ANSWER),
        (None, 2),
    ],
    "nothing at all": [(0, NO_ANSWER), (0, NO_ANSWER)],
}
REFUSED: dict[str, tuple[list[tuple[int | None, Any]], list[tuple[str, int]]]] = {
    "a lost step": ([(0, 0), (1, 1), (2, CURSOR_AT(1))], [("lost", 1)]),
    "two lost steps": ([(0, 0), (1, 1), (2, CURSOR_AT(0))], [("lost", 0), ("lost", 1)]),
    "a lost session": ([(0, 0), (1, 1), (2, GONE)], [("lost", CREATION), ("lost", 0), ("lost", 1)]),
    "a session lost before its first step": ([(0, GONE)], [("lost", CREATION)]),
    "a doubled step": ([(0, 0), (0, 0)], [("doubled", 0), ("lost", 0)]),
    "a lost step, served again": (
        [(0, 0), (1, 1), (2, CURSOR_AT(1)), (1, 1)],
        [("doubled", 1), ("lost", 1)],
    ),
    "a skipped step": ([(0, 0), (1, CURSOR_AT(2)), (2, 2)], [("skipped", 1)]),
    "two steps applied for one that was asked for": (
        [(0, 0), (1, NO_ANSWER), (1, CURSOR_AT(3)), (3, 3)],
        [("skipped", 2)],
    ),
    "one step too many for those that were asked for without an index": (
        [(None, 0), (None, NO_ANSWER), (None, 3)],
        [("skipped", 2)],
    ),
    "a step nobody expected": ([(0, 0), (1, 2)], [("out_of_order", 2), ("skipped", 1)]),
}


@pytest.mark.parametrize("outcomes", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_what_may_happen_is_accepted(outcomes: list[tuple[int | None, Any]]) -> None:
    verdict = examine(history(*outcomes))

    assert verdict.is_clean
    assert verdict.acknowledged == sum(isinstance(outcome, int) for _, outcome in outcomes)


@pytest.mark.parametrize(("outcomes", "violations"), REFUSED.values(), ids=REFUSED.keys())
def test_what_must_never_happen_is_found(
    outcomes: list[tuple[int | None, Any]], violations: list[tuple[str, int]]
) -> None:
    assert sorted(found(history(*outcomes))) == violations


def test_another_body_than_the_replays_is_found() -> None:
    attempts = history((0, 0), (1, 1))
    attempts[1] = replace(attempts[1], outcome=Served(1, b"something else"))

    assert found(attempts) == [("wrong", 1)]


def test_sessions_do_not_mix() -> None:
    assert examine(history((0, 0), (1, 1), session_id="a") + history((0, 0), session_id="b")).is_clean


def test_two_clients_of_one_session_may_see_each_others_steps() -> None:
    first = history((0, 0), (1, CURSOR_AT(2)), (2, 2))
    second = history((0, CURSOR_AT(1)), (1, 1), began=0.25)

    assert examine(first + second).is_clean


def test_an_answer_under_way_proves_nothing_about_those_that_came_meanwhile() -> None:
    slow = Attempt("s", 1, 0.0, 9.0, CURSOR_AT(0))

    assert examine([slow, *history((0, 0), began=1.0)]).is_clean


def test_an_admitted_bug_is_counted() -> None:
    verdict = examine(history((0, Unanswered(500, is_defect=True))))

    assert verdict.defects == 1
    assert not verdict.is_clean


def test_the_longest_outage_is_between_steps_of_anybody_and_the_longest_wait_between_those_of_one() -> None:
    verdict = examine(
        history((0, 0), *[(1, NO_ANSWER)] * 8, (1, 1), session_id="a")
        + history((0, 0), session_id="b", began=4.0)
    )

    assert (verdict.longest_outage_seconds, verdict.longest_wait_seconds) == (5.0, 9.0)
    assert longest_gap([]) == 0.0


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.data())
def test_losing_or_doubling_any_step_of_a_sound_history_is_found(answered: list[bool], data: Any) -> None:
    outcomes: list[tuple[int | None, Any]] = []
    for index, is_answered in enumerate(answered):
        outcomes += [(index, index)] if is_answered else [(index, NO_ANSWER), (index, CURSOR_AT(index + 1))]
    assert examine(history(*outcomes)).is_clean
    served = [index for index, is_answered in enumerate(answered) if is_answered]
    if not served:
        return

    victim = data.draw(st.sampled_from(served))

    lost = found(history(*outcomes, (len(answered), CURSOR_AT(victim))))
    doubled = found(history(*outcomes, (victim, victim)))
    assert ("lost", victim) in lost
    assert ("doubled", victim) in doubled


def keyed(key: str, attempt: Attempt, *, is_repeat: bool = False) -> Attempt:
    return replace(attempt, expected=None, key=key, is_repeat=is_repeat)


def test_a_key_that_is_sent_again_late_and_given_the_same_is_one_step() -> None:
    first, *others, again = history((None, 0), (1, 1), (2, 2), (None, 0))

    assert examine([keyed("k", first), *others, keyed("k", again, is_repeat=True)]).is_clean


def test_a_key_whose_first_answer_was_lost_may_be_given_what_came_then() -> None:
    first, *others, again = history((None, NO_ANSWER), (0, CURSOR_AT(1)), (1, 1), (None, 0))

    assert examine([keyed("k", first), *others, keyed("k", again, is_repeat=True)]).is_clean


def test_a_second_effect_of_a_key_is_found() -> None:
    first, *others, again = history((None, 0), (1, 1), (None, 2))

    assert found([keyed("k", first), *others, keyed("k", again, is_repeat=True)]) == [("repeated", 2)]


def test_a_second_effect_of_a_key_whose_first_answer_was_lost_is_found() -> None:
    first, *others, again, last = history((None, NO_ANSWER), (0, CURSOR_AT(1)), (1, 1), (None, 2), (3, 3))

    attempts = [keyed("k", first), *others, keyed("k", again, is_repeat=True), last]

    assert found(attempts) == [("skipped", 0)]

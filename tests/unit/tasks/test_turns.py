"""Whose turn it is, between owners and between kinds."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from optionchain.tasks import Order, Run, Turns

NOW = datetime(2026, 1, 5, 21, tzinfo=UTC)


def run(owner: str, kind: str, number: int) -> Run:
    return Run(
        id=f"{owner}-{kind}-{number}",
        task_id="t",
        scheduled_for=NOW,
        due_at=NOW,
        available_at=NOW,
        order=Order(kind=kind, parameters={}, owner=owner),
    )


def runs(owner: str, kinds: str) -> list[Run]:
    return [run(owner, kind, number) for number, kind in enumerate(kinds)]


def begun(turns: Turns, waiting: dict[str, list[Run]], running: list[Run] | None = None) -> list[str]:
    return [each.id for each in turns.next(waiting, [run.order for run in running or []])]


def test_the_owner_of_whom_fewest_run_is_next_then_who_had_no_turn_for_longest() -> None:
    turns = Turns(4, 4)
    waiting = {"many": runs("many", "aaaa"), "few": runs("few", "aa")}

    assert begun(turns, waiting, runs("many", "a")) == ["few-a-0", "many-a-0", "few-a-1"]


def test_places_are_handed_out_within_bounds() -> None:
    turns = Turns(4, 2)
    waiting = {"many": runs("many", "a" * 9), "few": runs("few", "a")}
    left = {"many": waiting["many"][2:]}

    assert begun(turns, waiting) == ["many-a-0", "few-a-0", "many-a-1"]  # two of an owner, and no more
    assert begun(turns, left, [*runs("many", "aa"), *runs("few", "a")]) == []
    assert begun(turns, left, runs("many", "a")) == ["many-a-2"]


def test_an_owner_of_many_runs_keeps_nobody_waiting() -> None:
    turns = Turns(1, 1)
    waiting = {owner: runs(owner, "a" * 100) for owner in ("a", "b", "c")}
    order = []
    for _ in range(9):
        (next_run,) = turns.next(waiting, [])
        waiting[next_run.order.owner].remove(next_run)
        order.append(next_run.order.owner)

    assert order == ["a", "b", "c"] * 3


def test_a_kind_that_is_full_lets_others_of_the_same_owner_pass() -> None:
    turns = Turns(4, 4, {"s": 1})

    assert begun(turns, {"first": runs("first", "ssse")}) == ["first-s-0", "first-e-3"]
    assert turns.full([each.order for each in runs("first", "s")]) == {"s"}
    assert begun(turns, {"first": runs("first", "sse")}, runs("second", "s")) == ["first-e-2"]


@given(
    st.dictionaries(st.sampled_from("abcd"), st.text("sx", max_size=8)),
    st.dictionaries(st.sampled_from("abcd"), st.text("sx", max_size=3)),
    st.integers(1, 6),
    st.integers(1, 4),
    st.integers(1, 3),
)
def test_no_bound_is_passed_and_no_place_is_left_that_somebody_may_have(
    waiting: dict[str, str], running: dict[str, str], most: int, of_owner: int, of_kind: int
) -> None:
    at_work = [each for owner, kinds in running.items() for each in runs(owner, kinds)]
    given_runs = {owner: runs(owner, kinds) for owner, kinds in waiting.items()}

    chosen = Turns(most, of_owner, {"s": of_kind}).next(given_runs, [each.order for each in at_work])

    assert len({each.id for each in chosen}) == len(chosen)
    both = [*at_work, *chosen]
    owners, kinds = Counter(each.order.owner for each in both), Counter(each.order.kind for each in both)
    if chosen:
        assert len(both) <= most
    for each in chosen:
        assert owners[each.order.owner] <= of_owner
        assert each.order.kind == "x" or kinds["s"] <= of_kind
    left = [each for found in given_runs.values() for each in found if each not in chosen]
    if len(both) < most:
        assert all(
            owners[each.order.owner] >= of_owner or (each.order.kind == "s" and kinds["s"] >= of_kind)
            for each in left
        )

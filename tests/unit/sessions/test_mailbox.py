"""Which of the calls that wait are served together: what one checkpoint can answer for, and no more."""

from __future__ import annotations

import pytest

from actors.sessions.mailbox import Mailbox
from actors.sessions.messages import Call
from actors.sessions.turns import Waiting
from optionchain.session import REMEMBERED_COMMANDS, Advance, Command, Delete, Inspect, SessionKind
from tests.callers import on_behalf_of


def waiting(session_id: str, command: Command) -> Waiting:
    call = Call(session_id, on_behalf_of("anna"), SessionKind.CHAIN, command)
    return Waiting(call, None)  # type: ignore[arg-type]  nobody waits


def step(number: int, count: int | None = None) -> Advance:
    return Advance(f"{number}", count=count)


def batches(*calls: tuple[str, Command], max_batch: int = 100) -> list[list[tuple[str, Command]]]:
    """All batches, each with the sessions and commands that it serves."""
    mailbox = Mailbox(max_batch)
    mailbox.extend(waiting(*each) for each in calls)
    found = []
    while mailbox:
        batch = mailbox.next_batch()
        assert batch, "nobody is served"
        found.append([(each.call.session_id, each.call.command) for each in batch])
    return found


def test_of_one_session_there_are_no_more_than_its_checkpoint_remembers_and_others_do_not_wait() -> None:
    steps = [("a", step(number)) for number in range(2 * REMEMBERED_COMMANDS + 1)]
    others = [("b", Inspect()), ("c", step(0))]

    first, second, third = batches(*steps, *others)

    assert first == [*steps[:REMEMBERED_COMMANDS], *others]
    assert second == steps[REMEMBERED_COMMANDS : 2 * REMEMBERED_COMMANDS]
    assert third == steps[2 * REMEMBERED_COMMANDS :]


def test_a_deletion_waits_for_what_is_before_it_and_what_is_behind_it_waits_too() -> None:
    calls = [("a", step(1)), ("a", Delete()), ("b", Delete()), ("a", Inspect())]

    assert batches(*calls) == [[calls[0], calls[2]], [calls[1], calls[3]]]


@pytest.mark.parametrize(
    ("counts", "sizes"),
    [
        ([None] * 5, [2, 2, 1]),
        ([1, 5, 1], [2, 1]),
        ([2, None], [1, 1]),
        ([None, 3, 3], [2, 1]),
        ([0, None], [2]),
    ],
)
def test_a_call_for_several_snapshots_counts_for_as_many(counts: list[int | None], sizes: list[int]) -> None:
    calls = [(f"session-{number}", step(number, count)) for number, count in enumerate(counts)]

    found = batches(*calls, max_batch=2)

    assert [len(batch) for batch in found] == sizes
    assert [call for batch in found for call in batch] == calls


def test_whoever_empties_it_has_all_in_their_order() -> None:
    mailbox, calls = Mailbox(1), [waiting("a", step(number)) for number in range(3)]
    mailbox.extend(calls)

    assert (len(mailbox), list(mailbox.emptied()), len(mailbox)) == (3, calls, 0)

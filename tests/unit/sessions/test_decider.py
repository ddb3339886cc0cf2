"""What a batch of calls leads to, before anything is stored."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from actors.sessions.decider import Decider
from actors.sessions.messages import Answer, Call
from actors.sessions.turns import Turn, Waiting
from optionchain.errors import Defect, InvalidInput, NotFound, PreconditionFailed
from optionchain.models import GeometricBrownian
from optionchain.session import Advance, Command, Create, Delete, Peek, Reinitialize, Session
from tests.callers import on_behalf_of
from tests.recording import Recording
from tests.unit.sessions.small_sessions import NOW, PARAMETERS, ROLLING_TOO_FAR, bodies, roomy, session


def turn(before: Session | None, *commands: Command, session_id: str = "") -> Turn:
    name = before.id if before else session_id
    calls = [
        Waiting(Call(name, on_behalf_of("owner"), session(name).kind, command), None)  # type: ignore[arg-type]
        for command in commands
    ]
    return Turn(name, calls, before)


def apply(*turns: Turn) -> Recording:
    observer = Recording()
    decider = Decider(roomy(), observer, max_answer_contracts=15)
    now = NOW + timedelta(seconds=1)
    decider.decide(turns, now)
    asyncio.run(decider.answer(turns, now))
    return observer


def step(number: int, expected: int | None = None) -> Advance:
    return Advance(f"command-{number}", expected)


def shows(answer: Answer, one: Session, index: int) -> bool:
    (body,) = bodies(one, [index])
    return isinstance(answer, bytes) and answer.startswith(body[:-1])


def test_commands_of_a_turn_are_applied_in_order() -> None:
    one = turn(session("a"), step(1), Peek(), step(2, expected=1), step(3, expected=1))

    told = apply(one)

    assert one.after is not None
    assert one.after.current_step == 2
    first, peeked, second, refused = one.answers
    assert shows(first, session("a"), 0)
    assert shows(peeked, session("a"), 1)
    assert shows(second, session("a"), 1)
    assert isinstance(refused, PreconditionFailed)
    assert told.counts["session.steps"] == 2
    assert told.counts["session.snapshots_cached"] == 1, "what was peeked at is not priced for the step again"


def test_a_step_that_cannot_be_priced_is_not_taken_and_what_follows_is_decided_without_it() -> None:
    rolling, neighbour = session("rolling", ROLLING_TOO_FAR), turn(session("b"), step(9))
    one = turn(rolling, step(1), step(2), step(3), Peek(), step(4, expected=2))

    told = apply(one, neighbour)

    # Steps 0 and 1 can be priced; the snapshot at 2 cannot, whoever asks for it.
    assert one.after is not None
    assert one.after.current_step == 2
    assert [served.command_id for served in one.after.served] == ["command-1", "command-2"]
    assert shows(one.answers[0], rolling, 0)
    assert shows(one.answers[1], rolling, 1)
    assert [type(answer) for answer in one.answers[2:]] == [InvalidInput] * 3
    assert neighbour.after is not None
    assert neighbour.after.current_step == 1
    assert told.counts["session.steps"] == 3


def test_more_snapshots_than_fit_into_an_answer_are_refused_and_consume_nothing() -> None:
    one = turn(session("a"), Advance("command-1", count=6), Advance("command-2", count=5))

    apply(one)

    refusal = one.answers[0]
    assert isinstance(refusal, InvalidInput)
    assert (refusal.field, refusal.reason.partition(": ")[2]) == ("count", "at most 5 fit into one answer")
    assert one.after is not None
    assert one.after.current_step == 5


def test_one_snapshot_fits_into_an_answer_whatever_its_size() -> None:
    wide = session("wide", replace(PARAMETERS, chain_size=50))
    one = turn(wide, step(1), Advance("command-2", count=1), Peek(), Advance("command-3", count=2))

    apply(one)

    *singles, two = one.answers
    assert [isinstance(answer, bytes) for answer in singles] == [True] * 3
    assert isinstance(two, InvalidInput)


def test_a_repeated_command_gets_its_first_answer_again() -> None:
    one = turn(session("a"), step(1), step(1))

    apply(one)

    assert one.after is not None
    assert one.after.current_step == 1
    assert one.answers[0] == one.answers[1]


def test_a_session_is_created_and_stepped_in_one_turn() -> None:
    one = turn(None, step(1), Create(session("new")), step(2), session_id="new")

    apply(one)

    assert isinstance(one.answers[0], NotFound)
    assert one.after is not None
    assert one.after.current_step == 1
    assert shows(one.answers[2], session("new"), 0)


def test_a_session_whose_path_leads_out_of_range_is_not_created_and_none_becomes_one() -> None:
    soaring = GeometricBrownian(dt=1.0, drift=100.0, volatility=0.2)
    created = turn(None, Create(session("new", replace(PARAMETERS, method=soaring))), session_id="new")
    changed = turn(session("a"), Reinitialize("command-1", {"method": soaring}), step(2))

    apply(created, changed)

    assert isinstance(created.answers[0], InvalidInput)
    assert created.after is None
    assert isinstance(changed.answers[0], InvalidInput)
    assert changed.after is not None
    assert shows(changed.answers[1], session("a"), 0)


def test_nothing_is_found_behind_a_deletion() -> None:
    one = turn(session("a"), Delete(), Peek())

    apply(one)

    assert one.after is None
    assert isinstance(one.answers[0], bytes)
    assert isinstance(one.answers[1], NotFound)


def test_a_command_that_breaks_is_a_defect_of_its_own() -> None:
    one = turn(session("a"), "no command", step(1))  # type: ignore[arg-type]

    apply(one)

    assert isinstance(one.answers[0], Defect)
    assert shows(one.answers[1], session("a"), 0)

"""The life of a session as a function."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from optionchain.errors import Completed, InvalidInput, PreconditionFailed
from optionchain.models import GeometricBrownian
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.session import (
    CREATION,
    REMEMBERED_COMMANDS,
    Advance,
    Delete,
    Inspect,
    Peek,
    Reinitialize,
    Served,
    Session,
    SessionKind,
    SessionState,
    ShowDeletion,
    ShowSession,
    ShowSnapshots,
    handle,
)
from optionchain.time_frame import TimeFrame

START = datetime(2026, 1, 5, tzinfo=UTC)
LATER = START + timedelta(hours=1)


def parameters(**changes: object) -> SimulationParameters:
    values: dict[str, object] = {
        "symbol": "SPX",
        "steps": 3,
        "initial_price": 5000.0,
        "volatility": 0.2,
        "method": GeometricBrownian(dt=0.004, drift=0.05, volatility=0.2),
        "expirations": SingleExpiration(30.0),
        "seed": 42,
        "start_at": START,
    }
    return SimulationParameters(**{**values, **changes})  # type: ignore[arg-type]


def session(**changes: object) -> Session:
    values: dict[str, object] = {
        "id": "s",
        "owner": "o",
        "kind": SessionKind.CHAIN,
        "parameters": parameters(),
        "created_at": START,
        "updated_at": START,
        "version": 1,
    }
    return Session(**{**values, **changes})  # type: ignore[arg-type]


def advanced(before: Session, command_id: str = "c", **options: Any) -> Session:
    after = handle(before, Advance(command_id, **options), LATER).session
    assert after is not None
    return after


def test_a_peek_shows_the_next_snapshot_and_changes_nothing() -> None:
    before = session(current_step=1)

    outcome = handle(before, Peek(), LATER)

    assert outcome.session is before
    assert outcome.reply == ShowSnapshots(1, 1, "none", is_served=False)


def test_an_advance_serves_the_cursor_and_moves_behind_it() -> None:
    outcome = handle(session(), Advance("c"), LATER)

    assert outcome.reply == ShowSnapshots(0, 1, "none", is_served=True)
    assert outcome.session is not None
    assert (outcome.session.current_step, outcome.session.version) == (1, 2)
    assert outcome.session.state is SessionState.IN_PROGRESS
    assert outcome.session.updated_at == LATER


def test_the_last_advance_completes_the_session() -> None:
    done = advanced(session(current_step=2))

    assert done.state is SessionState.COMPLETED
    with pytest.raises(Completed):
        handle(done, Peek(), LATER)
    with pytest.raises(Completed):
        handle(done, Advance("d"), LATER)


def test_a_bulk_advance_is_short_at_the_end() -> None:
    outcome = handle(session(current_step=1), Advance("c", count=10), LATER)

    assert outcome.reply == ShowSnapshots(1, 2, "none", is_served=True, as_list=True)


def test_a_wrong_expected_step_consumes_nothing_and_tells_the_cursor() -> None:
    with pytest.raises(PreconditionFailed) as refusal:
        handle(session(current_step=1), Advance("c", expected_step=0), LATER)

    assert refusal.value.current_step == 1


def test_the_precondition_is_checked_before_completion() -> None:
    done = session(current_step=3, state=SessionState.COMPLETED)

    with pytest.raises(PreconditionFailed):
        handle(done, Advance("c", expected_step=2), LATER)


def test_a_command_sent_again_gets_the_same_and_advances_nothing() -> None:
    once = advanced(session(), "same")

    again = handle(advanced(once, "other"), Advance("same"), LATER)

    assert again.reply == ShowSnapshots(0, 1, "none", is_served=True)
    assert again.session is not None
    assert again.session.current_step == 2


def test_the_memory_of_commands_is_bounded() -> None:
    current = session(parameters=parameters(steps=30))
    for number in range(REMEMBERED_COMMANDS + 5):
        current = advanced(current, str(number))

    assert [one.command_id for one in current.served] == [str(number) for number in range(5, 21)]


def test_a_change_is_fenced_as_any_other_and_tells_since_when_its_parameters_hold() -> None:
    changed = handle(session(version=7), Reinitialize("c", {"seed": 7}), LATER).session

    assert changed is not None
    assert (changed.version, changed.parameters_since, changed.updated_at) == (8, 8, LATER)
    assert changed.served == (Served("c", 0, 0),)


def test_what_a_keyed_command_was_given_before_a_change_is_refused_after_it_and_the_others_are_forgotten() -> (
    None
):
    before = advanced(advanced(session(), "keyed", is_keyed=True), "plain")

    changed = handle(before, Reinitialize("c", {"seed": 7}), LATER).session

    assert changed is not None
    assert changed.recalled == (Served("keyed", 0, 1, is_keyed=True, is_outdated=True),)
    assert [one.is_outdated for one in changed.recalled] == [True]
    with pytest.raises(PreconditionFailed) as refusal:
        handle(changed, Advance("keyed", is_keyed=True), LATER)
    assert refusal.value.current_step == 0
    assert changed.without_recalled().recalled == ()


def test_a_session_begins_at_the_first_snapshot_and_was_never_stored() -> None:
    new = Session(
        id="s", owner="o", kind=SessionKind.CHAIN, parameters=parameters(), created_at=START, updated_at=START
    )

    assert (new.current_step, new.version, new.parameters_since) == (0, 0, 1)
    assert (new.state, new.remembered) == (SessionState.INITIALIZED, ())
    assert replace(new, recalled=(CREATION,)) == new, "what is stored beside it is no part of it"


def test_that_a_command_has_a_key_is_told_and_makes_no_other_of_it() -> None:
    plain, keyed = Served("c", 1, 2), Served("c", 1, 2, is_keyed=True)

    assert plain == keyed
    assert (plain.is_keyed, plain.is_outdated, keyed.is_keyed) == (False, False, True)
    assert (CREATION.first_step, CREATION.count, CREATION.is_keyed) == (0, 0, True)
    assert not Advance("c").is_keyed


def test_a_changed_parameter_moves_the_cursor_to_zero() -> None:
    outcome = handle(session(current_step=2), Reinitialize("c", {"volatility": 0.3}), LATER)

    assert outcome.reply == ShowSession()
    assert outcome.session is not None
    assert (outcome.session.current_step, outcome.session.state) == (0, SessionState.REINITIALIZED)
    assert outcome.session.parameters.volatility == 0.3


def test_a_change_sent_again_is_applied_once() -> None:
    once = handle(session(), Reinitialize("c", {"seed": 7}), LATER).session
    assert once is not None

    assert handle(once, Reinitialize("c", {"seed": 7}), LATER).session is once


def test_a_bad_change_names_the_field() -> None:
    with pytest.raises(InvalidInput) as refusal:
        handle(session(), Reinitialize("c", {"volatility": -1.0}), LATER)

    assert refusal.value.field == "volatility"


def test_a_simulation_is_immutable() -> None:
    with pytest.raises(InvalidInput, match="immutable"):
        handle(session(kind=SessionKind.SIMULATION), Reinitialize("c", {"seed": 1}), LATER)


def test_a_deletion_leaves_no_session() -> None:
    outcome = handle(session(), Delete(), LATER)

    assert outcome.session is None
    assert outcome.reply == ShowDeletion()


def test_inspection_changes_nothing() -> None:
    before = session()

    assert handle(before, Inspect(), LATER).session is before


def test_the_only_expiration_ends_the_simulation_at_its_instant() -> None:
    short = parameters(steps=100, expirations=SingleExpiration(2.5))

    assert short.total_steps == 4
    assert short.simulated_at(2) < START + timedelta(days=2.5) <= short.simulated_at(3)


def test_an_expiration_after_the_last_step_changes_nothing() -> None:
    assert parameters(steps=30).total_steps == 30


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("symbol", ""),
        ("symbol", "x" * 65),
        ("symbol", "a\nb"),
        ("steps", 0),
        ("steps", 10_001),
        ("steps", True),
        ("initial_price", 0.0),
        ("initial_price", float("nan")),
        ("volatility", 5.1),
        ("risk_free_rate", float("inf")),
        ("dividend_yield", -0.1),
        ("chain_size", 501),
        ("strike_interval", 0.0),
        ("spread", -0.01),
        ("seed", -1),
        ("seed", 2**64),
        ("seed", 1.0),
        ("start_at", datetime(2026, 1, 5)),
        ("method", "GeometricBrownian"),
    ],
)
def test_a_parameter_out_of_range_is_named(field: str, value: object) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parameters(**{field: value})

    assert refusal.value.field == field


def test_a_path_that_outlives_the_calendar_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        parameters(
            steps=10_000,
            time_frame=TimeFrame.YEAR,
            expirations=SingleExpiration(36_525.0),
            start_at=datetime(9950, 1, 1, tzinfo=UTC),
        )

    assert refusal.value.field in ("steps", "days_to_expiration")


def test_a_session_survives_pickling() -> None:
    before = replace(session(), served=advanced(session()).served)

    assert pickle.loads(pickle.dumps(before)) == before

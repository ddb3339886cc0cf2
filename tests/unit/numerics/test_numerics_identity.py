"""What was recorded says with which arithmetic; what says nothing is older, and is stepped on all the same."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from optionchain.models import GeometricBrownian
from optionchain.numerics import EARLIER, IDENTITY
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.session import Reinitialize, Session, SessionKind, SessionState, handle
from optionchain.simulation import simulate
from optionchain.wire.parameters import parameters_from_wire, parameters_to_wire
from optionchain.wire.replay import is_replay
from optionchain.wire.snapshots import snapshot_body

NOW = datetime(2026, 1, 5, tzinfo=UTC)
PARAMETERS = SimulationParameters(
    symbol="SPX",
    steps=30,
    initial_price=5000.0,
    volatility=0.2,
    method=GeometricBrownian(dt=0.004, drift=0.05, volatility=0.2),
    expirations=SingleExpiration(days=30.0),
    seed=42,
    start_at=NOW,
)


def test_a_checkpoint_says_the_identity_of_its_numbers() -> None:
    wire = parameters_to_wire(PARAMETERS)

    assert wire["numerics"] == IDENTITY
    assert parameters_from_wire(wire) == PARAMETERS


def test_an_older_checkpoint_stays_older_and_goes_on() -> None:
    wire = parameters_to_wire(PARAMETERS)
    del wire["numerics"]

    old = parameters_from_wire(wire)

    assert old.numerics == EARLIER != IDENTITY
    assert parameters_from_wire(parameters_to_wire(old)) == old
    assert snapshot_body(simulate(old), 29) == snapshot_body(simulate(PARAMETERS), 29)


def test_a_checkpoint_of_a_later_version_goes_on_as_well() -> None:
    later = replace(PARAMETERS, numerics="formulas-v9")

    assert parameters_from_wire(parameters_to_wire(later)).numerics == "formulas-v9"


@pytest.mark.parametrize(
    "changes",
    [{"seed": 7}, {each.name: getattr(PARAMETERS, each.name) for each in fields(PARAMETERS)}],
    ids=["some", "all, as a PUT has them"],
)
def test_a_session_that_begins_anew_has_the_numbers_of_today(changes: dict[str, Any]) -> None:
    old = Session(
        id="s",
        owner="me",
        kind=SessionKind.CHAIN,
        parameters=replace(PARAMETERS, numerics=EARLIER),
        created_at=NOW,
        updated_at=NOW,
        current_step=3,
    )

    outcome = handle(old, Reinitialize("c", changes), NOW)

    assert outcome.session is not None
    assert outcome.session.state is SessionState.REINITIALIZED
    assert outcome.session.parameters.numerics == IDENTITY


def test_an_answer_of_this_arithmetic_is_compared_to_the_byte() -> None:
    ours = snapshot_body(simulate(PARAMETERS), 3)

    assert is_replay(ours, ours, IDENTITY)
    assert not is_replay(ours.replace(b":", b": "), ours, IDENTITY)


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        (
            lambda body: body["contracts"][0]["call"].update(
                mid=body["contracts"][0]["call"]["mid"] * (1 + 1e-12)
            ),
            True,
        ),
        (
            lambda body: body["contracts"][0]["put"].update(bid=body["contracts"][0]["put"]["bid"] + 0.01),
            True,
        ),
        (lambda body: body.update(price=body["price"] * (1 + 1e-6)), False),
        (
            lambda body: body["contracts"][0]["put"].update(ask=body["contracts"][0]["put"]["ask"] + 0.02),
            False,
        ),
        (lambda body: body["contracts"].pop(), False),
        (lambda body: body["contracts"][0].pop("gamma"), False),
        (lambda body: body.update(underlying="SPY"), False),
        (lambda body: body.update(price=None), False),
    ],
)
def test_an_answer_of_another_arithmetic_is_compared_by_its_numbers(change: Any, is_same: bool) -> None:
    ours = snapshot_body(simulate(PARAMETERS), 3)
    theirs = orjson.loads(ours)
    change(theirs)

    assert is_replay(orjson.dumps(theirs), ours, EARLIER) is is_same
    assert not is_replay(orjson.dumps(theirs), ours, IDENTITY)


def test_what_is_no_json_is_no_replay() -> None:
    assert not is_replay(b"broken", b"{}", EARLIER)

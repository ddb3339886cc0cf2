"""Where parameters say the same thing twice, one of them counts, and it is said which."""

from __future__ import annotations

import warnings
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from optionchain import (
    GeometricBrownian,
    Historical,
    InvalidInput,
    SimulationParameters,
    SingleExpiration,
    Sweep,
    simulate,
)
from optionchain.agreement import (
    ParametersDisagree,
    changed,
    own_volatility,
    step_disagreement,
    steps_disagreement,
    with_one_volatility,
)
from optionchain.declared.spelling import nearest
from optionchain.measures import terminal_price
from optionchain.sweeps.engine import InProcess
from optionchain.time_frame import TimeFrame

METHOD = GeometricBrownian(dt=1 / 365, drift=0.05, volatility=0.2)
PARAMETERS = SimulationParameters(
    symbol="SPX",
    steps=3,
    initial_price=100.0,
    volatility=0.2,
    method=METHOD,
    expirations=SingleExpiration(30.0),
    seed=1,
    start_at=datetime(2026, 1, 5, tzinfo=UTC),
)
HISTORY = Historical(timeframe=TimeFrame.DAY, prices=(100.0, 101.0, 99.0))


def test_a_new_volatility_is_the_methods_too() -> None:
    after = changed(PARAMETERS, {"volatility": 0.35})

    assert (after.volatility, cast("Any", after.method).volatility) == (0.35, 0.35)
    assert simulate(after).volatilities[0] == 0.35


def test_a_new_method_brings_its_volatility() -> None:
    after = changed(PARAMETERS, {"method": replace(METHOD, volatility=0.3), "volatility": 0.9})

    assert after.volatility == 0.3


def test_a_method_that_never_moves_is_priced_at_the_least_volatility() -> None:
    still = replace(METHOD, volatility=0.0)

    assert own_volatility(still) == 1e-4
    after = changed(PARAMETERS, {"method": still})
    assert after.volatility == simulate(after).volatilities[0] == 1e-4


def test_a_history_has_none_of_its_own() -> None:
    after = changed(replace(PARAMETERS, method=HISTORY), {"volatility": 0.35})

    assert own_volatility(HISTORY) is None
    assert after.method is HISTORY
    assert simulate(after).volatilities[0] == 0.35


def test_what_says_nothing_of_either_is_left_alone() -> None:
    assert with_one_volatility({"seed": 7}, METHOD) == {"seed": 7}


@pytest.mark.parametrize("wrong", [0.0, -1.0, 5.01, "high"])
def test_a_wrong_volatility_is_refused_by_its_name(wrong: object) -> None:
    for values in ({"volatility": wrong}, {"volatility": wrong, "method": METHOD}):
        with pytest.raises(InvalidInput) as refusal:
            changed(PARAMETERS, values)
        assert refusal.value.field == "volatility"


@pytest.mark.parametrize(
    ("dt", "interval_years", "is_told"),
    [(1.09, 1.0, False), (1.11, 1.0, True), (0.91, 1.0, False), (0.89, 1.0, True), (1 / 252, 1 / 365, True)],
)
def test_a_tenth_more_or_less_is_not_told(dt: float, interval_years: float, is_told: bool) -> None:
    assert (step_disagreement("Garch", dt, interval_years) is not None) is is_told


def of_trading_days() -> SimulationParameters:
    """A model in years of 252 days, in steps of calendar days."""
    return replace(PARAMETERS, method=replace(METHOD, dt=1 / 252))


DISAGREEING = [
    (of_trading_days(), "method.GeometricBrownian.dt is 1.45 times"),
    (replace(PARAMETERS, steps=32), "steps 32 were asked for, and the expiration ends it after 31"),
]


@pytest.mark.parametrize(("parameters", "told"), DISAGREEING)
def test_who_simulates_what_disagrees_is_warned_at_the_line_that_does(
    parameters: SimulationParameters, told: str
) -> None:
    with pytest.warns(ParametersDisagree, match=told) as warned:
        simulate(parameters)

    assert [each.filename for each in warned] == [__file__]


def test_who_sweeps_what_disagrees_is_warned_at_the_line_that_does() -> None:
    sweep = Sweep(base=of_trading_days(), measures=[terminal_price], grid={"seed": [1]}, paths=2)

    with pytest.warns(ParametersDisagree, match="1.45 times") as warned:
        sweep.run(engine=InProcess())

    assert [each.filename for each in warned] == [__file__]


def test_what_agrees_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simulate(PARAMETERS)
        simulate(replace(PARAMETERS, method=HISTORY))


def test_as_many_steps_as_were_asked_for_are_not_told() -> None:
    assert steps_disagreement(30, 30) is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("sead", "seed"),
        ("Seed", "seed"),
        ("stpes", "steps"),
        ("", None),
        ("x" * 100_000, None),
        ("spred", "spread"),
        ("seedd", "seed"),
        ("xeed", "seed"),
    ],
)
def test_the_nearest_name_is_the_one_fewest_edits_away(name: str, meant: str | None) -> None:
    assert nearest(name, ["spread", "seed", "steps", "symbol"]) == meant

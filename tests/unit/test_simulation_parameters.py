"""What a simulation is made from: every wrong value is refused by name, and what is allowed gives sound chains."""

import math
from dataclasses import fields, replace
from datetime import UTC, datetime, time, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optionchain import (
    DailyRule,
    GeometricBrownian,
    InvalidInput,
    MonthlyRule,
    Schedule,
    SimulationParameters,
    SingleExpiration,
    TimeFrame,
    simulate,
)
from optionchain.declared.fields import Number
from optionchain.models import MARKET_MODELS
from optionchain.models.parameters import parameters_of
from optionchain.parameters import MAX_COEFFICIENT, MAX_DAYS_TO_EXPIRATION, MAX_PRICE, MAX_RATE, MIN_PRICE
from optionchain.wire.snapshots import snapshot_body

ROLLING = Schedule(
    timezone="Pacific/Apia",
    expiration_time=time(16),
    rules=(
        DailyRule(rule_id="daily", target_count=2),
        MonthlyRule(rule_id="monthly", target_count=2, weekday="Fri"),
    ),
)
VALID = SimulationParameters(
    symbol="SPX",
    steps=5,
    initial_price=5000.0,
    volatility=0.2,
    method=GeometricBrownian(dt=0.004, drift=0.05, volatility=0.2),
    expirations=SingleExpiration(days=30.0),
    seed=42,
    start_at=datetime(2026, 1, 5, tzinfo=UTC),
    chain_size=3,
    strike_interval=25.0,
)
WRONG = (None, True, "", b"5", [5], {}, object(), math.nan, -math.inf, 10**400, int)
MAY_BE_NONE = (
    "step_interval",
    "strike_interval",
    "spread_tick",
    "settlement",
    "multiplier",
    "currency",
    "smile",
    "volatility_term",
    "spread_model",
    "strike_rule",
    "tick_size",
    "tick_size_above",
    "coarse_tick_size",
    "rate_curve",
    "dividends",
    "dividend_growth",
    "underlyings",
    "correlations",
    "common_factors",
    "correlation_repair",
    "closed_day_weight",
    "annual_days",
    "night_weight",
    "event_weights",
    "exercise_dates",
    "futures",
)
CHAIN_NUMBERS = ("implied_volatilities", "call_mid", "put_mid", "call_delta", "put_delta", "gamma", "vega")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        (field.name, wrong)
        for field in fields(SimulationParameters)
        for wrong in WRONG
        if wrong is not None or field.name not in MAY_BE_NONE
    ],
)
def test_a_value_of_another_kind_is_refused_by_name(name, wrong):
    with pytest.raises(InvalidInput) as caught:
        replace(VALID, **{name: wrong})

    assert caught.value.field.split("[")[0] == name


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"initial_price": 2e9}, "initial_price: must be at most 1e+09"),
        ({"initial_price": 0.0}, "initial_price: must be greater than zero"),
        ({"initial_price": 1e-9}, "initial_price: must be at least 1e-06"),
        ({"volatility": 6}, "volatility: must be at most 5"),
        ({"strike_interval": 1e-9}, "strike_interval: must be at least 1e-06"),
        ({"seed": 2**64}, "seed: must be between 0 and 18446744073709551615"),
        ({"method": GeometricBrownian}, "method: must be a market model"),
        ({"start_at": datetime(2026, 1, 5)}, "start_at: must have a UTC offset"),
        (
            {"start_at": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))},
            "start_at: must be a date between the years 1 and 9999",
        ),
        ({"step_interval": timedelta(0)}, "step_interval: must be greater than zero"),
        ({"step_interval": timedelta(days=-1)}, "step_interval: must be greater than zero"),
        (
            {"steps": 10_000, "time_frame": TimeFrame.custom(0.001), "expirations": ROLLING},
            "steps: 10000 steps of this time frame end after the year 9999",
        ),
    ],
)
def test_a_refusal_says_what_is_allowed(changes, message):
    with pytest.raises(InvalidInput) as caught:
        replace(VALID, **changes)

    assert str(caught.value) == message


def test_numpys_scalars_are_kept_as_pythons():
    ours = replace(
        VALID,
        steps=np.int64(5),
        seed=np.uint64(2**64 - 1),
        chain_size=np.int32(3),
        initial_price=np.int64(5000),
        volatility=np.float32(0.25),
        expirations=SingleExpiration(days=np.int64(30)),
    )

    kept = [ours.steps, ours.seed, ours.chain_size, ours.initial_price, ours.volatility]
    assert [type(number) for number in [*kept, ours.expirations.days]] == [int, int, int, float, float, float]
    assert kept == [5, 2**64 - 1, 3, 5000.0, 0.25]
    assert snapshot_body(simulate(ours), 4)


@pytest.mark.parametrize("wrong", [np.bool_(True), np.array([1, 2]), np.datetime64("2026-01-01"), 1 + 0j])
@pytest.mark.parametrize("name", ["steps", "initial_price"])
def test_what_only_looks_like_a_number_is_refused(name, wrong):
    with pytest.raises(InvalidInput) as caught:
        replace(VALID, **{name: wrong})

    assert caught.value.field == name


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    return st.sampled_from([low, high]) | st.floats(low, high) | st.floats(low, min(max(low, 1.0), high))


@st.composite
def models(draw):
    name = draw(st.sampled_from(sorted(set(MARKET_MODELS) - {"Garch", "Historical", "Recorded"})))
    allowed = parameters_of(MARKET_MODELS[name]).items()
    values = {
        field: draw(numbers(1e-12 if number.above else number.low, number.high))
        for field, number in allowed
        if isinstance(number, Number)
    }
    return MARKET_MODELS[name](**values)


@st.composite
def wide_parameters(draw):
    return {
        "method": draw(models()),
        "expirations": draw(
            st.just(ROLLING) | st.builds(SingleExpiration, numbers(1e-9, MAX_DAYS_TO_EXPIRATION))
        ),
        "time_frame": draw(st.sampled_from([TimeFrame.MICROSECOND, TimeFrame.DAY, TimeFrame.YEAR])),
        "initial_price": draw(numbers(MIN_PRICE, MAX_PRICE)),
        "volatility": draw(numbers(1e-9, 5.0)),
        "strike_interval": draw(st.none() | numbers(1e-6, MAX_PRICE)),
        "risk_free_rate": draw(numbers(-MAX_RATE, MAX_RATE)),
        "dividend_yield": draw(numbers(0.0, MAX_RATE)),
        "skew_slope": draw(numbers(-MAX_COEFFICIENT, MAX_COEFFICIENT)),
        "smile_curve": draw(numbers(-MAX_COEFFICIENT, MAX_COEFFICIENT)),
        "spread": draw(numbers(0.0, MAX_PRICE)),
    }


@settings(derandomize=True, deadline=None, max_examples=300)
@given(wide_parameters())
def test_any_allowed_parameters_give_sound_chains_or_an_error_that_names_one_of_them(changes):
    model = type(changes["method"])
    of_the_model = [f"method.{model.__name__}.{field}" for field in parameters_of(model)]
    try:
        parameters = replace(VALID, **changes)
        chains = [simulate(parameters).chain(step) for step in range(parameters.total_steps)]
    except InvalidInput as error:
        assert error.field in [*changes, *of_the_model, "steps", "days_to_expiration"]  # noqa: PT017
        return

    for chain in chains:
        for name in CHAIN_NUMBERS:
            assert np.isfinite(getattr(chain, name)).all(), name
        for greek in (chain.call_theta, chain.put_theta, chain.call_rho, chain.put_rho):
            assert np.isfinite(greek()).all(), greek
        assert ((chain.call_bid <= chain.call_mid) & (chain.call_mid <= chain.call_ask)).all()
        assert ((chain.put_bid <= chain.put_mid) & (chain.put_mid <= chain.put_ask)).all()


def test_an_interval_too_fine_for_the_highest_price_is_refused_before_the_first_snapshot() -> None:
    rising = GeometricBrownian(dt=0.1, drift=3.0, volatility=0.0)
    fine = {"strike_interval": 0.6797294652911355, "chain_size": 0}
    wrong = replace(VALID, initial_price=0.5, method=rising, steps=30, **fine)

    with pytest.raises(InvalidInput) as caught:
        simulate(wrong)

    assert caught.value.field == "strike_interval"
    assert len(simulate(replace(wrong, steps=1)).chain(0).strikes) > 0

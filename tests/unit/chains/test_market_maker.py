"""Quotes as a market maker makes them, and how busy the contracts are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optionchain.draws import PhiloxDraws
from optionchain.errors import InvalidInput
from optionchain.measures import sample_block
from optionchain.models import GeometricBrownian
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.pricing.market_maker import MarketMaker
from optionchain.simulation import simulate
from optionchain.wire.activity import activity_json, require_activity
from optionchain.wire.parameters import parameters_from_wire, parameters_to_wire

PARAMETERS = SimulationParameters(
    symbol="X",
    steps=4,
    initial_price=100.0,
    volatility=0.3,
    risk_free_rate=0.03,
    method=GeometricBrownian(dt=1 / 365, drift=0.0, volatility=0.3),
    expirations=SingleExpiration(days=30.0),
    seed=3,
    start_at=datetime(2026, 1, 5, 15, tzinfo=UTC),
    chain_size=25,
    strike_interval=2.5,
    smile={"ssvi": {"rho": -0.5, "eta": 1.0}},
    spread_model={"market_maker": {}},
)


def chain(**changes):
    return simulate(replace(PARAMETERS, **changes)).chain(0)


def test_the_models_price_is_between_the_quotes_which_cannot_be_arbitraged():
    for days in (0.5, 30.0, 700.0):
        quoted = chain(expirations=SingleExpiration(days=days))
        for side in ("call", "put"):
            bid, mid, ask = (getattr(quoted, f"{side}_{what}") for what in ("bid", "mid", "ask"))
            assert np.all(bid <= mid + 1e-9)
            assert np.all(ask >= mid - 1e-9)
            assert np.all(ask > bid)
        assert quoted.arbitrage() == ()


def test_quotes_are_wide_where_vega_is_large_time_is_long_and_in_the_wings():
    maker = MarketMaker(points=1.0, wings=0.2, proportional=0.0)
    at = {"spot": 100.0, "volatilities": np.array([0.3]), "vegas": np.array([0.1]), "years": 30.0 / 365.0}
    mids = np.array([5.0])
    width = maker.widths(mids, strikes=np.array([100.0]), **at)

    assert width == pytest.approx([0.1])  # a point of volatility at a vega of 0.1
    deviation = 0.3 * np.sqrt(30.0 / 365.0)
    out = maker.widths(mids, strikes=np.array([100.0 * np.exp(2.0 * deviation)]), **at)
    assert out == pytest.approx(width * (1.0 + 0.2 * 4.0))
    longer = maker.widths(mids, strikes=np.array([100.0]), **at | {"years": 120.0 / 365.0})
    assert longer == pytest.approx(width / 2.0)  # in volatility; the vega of a longer option is larger
    assert MarketMaker(proportional=0.02).widths(mids, strikes=np.array([100.0]), **at) == pytest.approx(
        [0.15]
    )


def test_it_is_as_its_description_says_where_nothing_is_given():
    assert MarketMaker() == MarketMaker(
        points=0.5, wings=0.15, proportional=0.005, tick=0.01, large_tick=0.05, tick_change=3.0
    )


def test_the_last_day_is_quoted_no_wider_in_volatility_than_a_day_before():
    maker = MarketMaker(points=1.0, wings=0.0, proportional=0.0)
    at = {
        "spot": 100.0,
        "strikes": np.array([100.0]),
        "volatilities": np.array([0.3]),
        "vegas": np.array([0.1]),
    }

    widths = [maker.widths(np.array([5.0]), years=days / 365.0, **at).item() for days in (0.0, 0.5, 1.0)]

    assert widths == pytest.approx([0.1 * 30.0**0.5] * 3)


def test_half_the_width_is_on_each_side_before_the_grid():
    maker = MarketMaker(points=1.0, wings=0.0, proportional=0.0)

    bids, asks = maker.quotes(
        np.array([2.5]),
        spot=100.0,
        strikes=np.array([100.0]),
        volatilities=np.array([0.3]),
        vegas=np.array([0.4]),
        years=30.0 / 365.0,
    )

    assert (bids.tolist(), asks.tolist()) == ([2.3], [2.7])


@pytest.mark.parametrize(("mid", "width"), [(2.99, 0.01), (3.0, 0.05)])
def test_large_ticks_begin_at_their_price(mid, width):
    nothing_else = MarketMaker(points=0.0, proportional=0.0)
    at = {
        "spot": 100.0,
        "strikes": np.array([100.0]),
        "volatilities": np.array([0.3]),
        "vegas": np.array([0.1]),
    }

    assert nothing_else.widths(np.array([mid]), years=0.1, **at).tolist() == [width]


def test_there_is_no_bid_where_no_tick_is_left():
    quoted = chain(expirations=SingleExpiration(days=5.0))

    worthless = quoted.call_mid < 0.01
    assert worthless.sum() > 5
    assert set(quoted.call_bid[worthless].tolist()) == {0.0}
    assert np.all(quoted.call_ask[worthless] >= 0.01)


@given(mid=st.floats(0.0, 50.0), half=st.floats(0.0, 3.0))
def test_ticks_are_those_of_the_price_level_rounded_away_from_the_mid(mid, half):
    maker = MarketMaker(points=0.0, proportional=0.0)
    bids, asks = maker._down(np.array([max(mid - half, 0.0)])), maker._up(np.array([mid + half]))

    for price, exact, rounding in (
        (bids[0], max(mid - half, 0.0), ROUND_FLOOR),
        (asks[0], mid + half, ROUND_CEILING),
    ):
        tick = Decimal("0.01") if price < 3.0 or (price == 3.0) else Decimal("0.05")
        nearest = (Decimal(exact) / tick).to_integral_value(rounding) * tick
        assert abs(price - float(nearest)) < 1e-7 or abs(price - exact) < 1e-7
        assert abs(price / float(tick) - round(price / float(tick))) < 1e-6


def test_ticks_that_do_not_fit_together_are_refused():
    with pytest.raises(InvalidInput, match="tick: must be whole cents"):
        MarketMaker(tick=0.015)
    with pytest.raises(InvalidInput, match="tick_change: must be a multiple of both ticks"):
        MarketMaker(tick=0.02, large_tick=0.05, tick_change=3.01)


def test_every_tick_of_whole_cents_is_one():
    for cents in range(1, 100_000, 37):
        tick = cents / 100.0
        maker = MarketMaker(tick=tick, large_tick=tick, tick_change=2.0 * tick)
        assert maker.grid == (cents, 100.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("points", -0.1),
        ("points", 100.1),
        ("wings", float("nan")),
        ("proportional", 1.1),
        ("tick", 0.009),
        ("large_tick", 1000.5),
        ("tick_change", -1.0),
    ],
)
def test_what_makes_no_quotes_is_refused_by_name(name, value):
    with pytest.raises(InvalidInput) as refusal:
        MarketMaker(**{name: value})

    assert refusal.value.field == name


def test_it_is_a_parameter_like_others_and_the_same_in_sweeps():
    given_ = replace(PARAMETERS, spread_model={"market_maker": {"points": 2.0, "wings": 0.0}})
    assert parameters_from_wire(parameters_to_wire(given_)) == given_
    assert "spread_model" not in parameters_to_wire(replace(PARAMETERS, spread_model=None))

    block = sample_block(given_, PhiloxDraws(3, paths=2))
    path = simulate(replace(given_, path=1)).chain(2)
    bids, asks = block.chains(2).call_quotes()
    np.testing.assert_allclose(bids[1, 0], path.call_bid, atol=1e-9)
    np.testing.assert_allclose(asks[1, 0], path.call_ask, atol=1e-9)
    with pytest.raises(InvalidInput, match="unknown spread model"):
        replace(PARAMETERS, spread_model={"dealer": {}})


def test_activity_follows_from_seed_contract_and_day_alone():
    simulation = simulate(PARAMETERS)
    busy, wide = simulation.activity(1), simulate(replace(PARAMETERS, chain_size=30)).activity(1)

    np.testing.assert_array_equal(busy.call_volume, wide.call_volume[5:-5])
    np.testing.assert_array_equal(busy.put_ask_size, simulation.activity(1).put_ask_size)
    other = simulate(replace(PARAMETERS, seed=4)).activity(1)
    assert np.mean(other.call_open_interest == busy.call_open_interest) < 0.3
    assert np.mean(simulation.activity(2).call_volume == busy.call_volume) < 0.5


def test_activity_is_plausible():
    simulation = simulate(replace(PARAMETERS, chain_size=40, strike_interval=1.0))
    busy, quoted = simulation.activity(0), simulation.chain(0)

    for numbers in (busy.call_volume, busy.put_open_interest, busy.call_bid_size):
        assert np.all(numbers >= 0.0)
        assert np.all(numbers == np.rint(numbers))
    near, far = np.abs(quoted.strikes - 100.0) < 5.0, np.abs(quoted.strikes - 100.0) > 30.0
    assert busy.call_open_interest[near].mean() > 3.0 * busy.call_open_interest[far].mean()
    below = quoted.strikes < 90.0
    assert busy.put_open_interest[below].sum() > 2.0 * busy.call_open_interest[below].sum()
    assert busy.call_volume.sum() < busy.call_open_interest.sum()
    assert np.all((busy.call_bid_size > 0.0) == (quoted.call_bid > 0.0))
    assert np.all(busy.call_ask_size >= 1.0)
    is_round = np.abs(quoted.strikes / 10.0 - np.rint(quoted.strikes / 10.0)) < 1e-9
    assert np.median(busy.put_open_interest[is_round & near]) > np.median(
        busy.put_open_interest[~is_round & near]
    )
    with pytest.raises(InvalidInput, match="scale"):
        simulation.activity(0, scale=-1.0)


def test_the_json_of_activity_has_the_contracts_of_the_snapshot():
    simulation = simulate(PARAMETERS)
    shown, busy = orjson.loads(activity_json(simulation, 1, 1000.0)), simulation.activity(1)
    contracts = [each for chain in shown["chains"] for each in chain["contracts"]]

    assert [each["strike"] for each in contracts] == simulation.chain(1).strikes.tolist()
    assert [each["put"]["volume"] for each in contracts] == busy.put_volume.tolist()
    assert [each["call"]["bid_size"] for each in contracts] == busy.call_bid_size.tolist()
    with pytest.raises(InvalidInput, match="step"):
        require_activity(PARAMETERS, PARAMETERS.total_steps)

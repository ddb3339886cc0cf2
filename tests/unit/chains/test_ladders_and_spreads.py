"""Strikes that stay, and spreads that widen, against the rules as written down, in decimals."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optionchain.draws.philox import PhiloxDraws
from optionchain.errors import InvalidInput
from optionchain.measures.path_block import sample_block
from optionchain.models import Historical
from optionchain.parameters import SimulationParameters
from optionchain.pricing.quotes import quote
from optionchain.pricing.spreads import SpreadModel
from optionchain.simulation import Simulation
from optionchain.time_frame import TimeFrame
from tests.unit.chains.chain_examples import chain
from tests.unit.export.simulations import parameters

MONEY = st.floats(0.0, 1e6)
WIDENING = SpreadModel(base=0.02, proportional=0.03, moneyness=0.4, tenor=0.25, tick=0.05)


def strikes_by_step(terms: SimulationParameters) -> list[dict[object, list[float]]]:
    simulation = Simulation(terms)
    chains = [simulation.chain(step) for step in range(terms.total_steps)]
    return [
        {
            one.expires_at: chain.strikes[chain.offsets[index] : chain.offsets[index + 1]].tolist()
            for index, one in enumerate(chain.expirations)
        }
        for chain in chains
    ]


def test_a_pinned_ladder_is_that_of_the_first_step_for_every_expiration_and_step() -> None:
    rolling = strikes_by_step(parameters(strike_interval=5.0))
    pinned = strikes_by_step(parameters(strike_interval=5.0, strike_ladder="pinned"))

    [first] = {tuple(strikes) for strikes in rolling[0].values()}
    assert {tuple(strikes) for step in pinned for strikes in step.values()} == {first}
    assert {tuple(strikes) for step in rolling for strikes in step.values()} != {first}


def test_a_pinned_ladder_of_given_prices_is_around_the_first_of_them() -> None:
    replayed = Historical(timeframe=TimeFrame.DAY, prices=(300.0, 310.0, 320.0))
    terms = parameters(method=replayed, steps=3, strike_interval=5.0, strike_ladder="pinned")

    assert {strikes[4] for step in strikes_by_step(terms) for strikes in step.values()} == {300.0}


def replayed(*prices: float, **changes: object) -> SimulationParameters:
    history = Historical(timeframe=TimeFrame.DAY, prices=prices)
    terms = {"method": history, "steps": len(prices), "strike_interval": 5.0, "strike_ladder": "growing"}
    return parameters(**terms | changes)


def test_strikes_join_a_growing_ladder_as_the_price_moves_and_none_is_ever_gone() -> None:
    # Of 4 strikes a side: 12 dollars up are two strikes more, and down again none less; then three on the other side.
    ladders = strikes_by_step(replayed(300.0, 312.0, 299.0, 284.0, 300.0, chain_size=4))

    found = [{(strikes[0], strikes[-1], len(strikes)) for strikes in step.values()} for step in ladders]
    assert found == [
        {(280.0, 320.0, 9)},
        {(280.0, 330.0, 11)},
        {(280.0, 330.0, 11)},
        {(265.0, 330.0, 14)},
        {(265.0, 330.0, 14)},
    ]


def test_as_many_strikes_join_as_there_is_room_for() -> None:
    terms = replayed(300.0, 9000.0, 1.0, chain_size=4)

    last = strikes_by_step(terms)[-1]

    # Four times as many on each side, but for one, of which none is below zero.
    assert {(strikes[0], strikes[-1]) for strikes in last.values()} == {(300.0 - 19 * 5, 300.0 + 19 * 5)}
    assert max(map(len, last.values())) <= terms.most_strikes
    assert sum(map(len, last.values())) <= terms.most_contracts


def test_tables_blocks_and_paths_have_the_growing_ladder_of_chains() -> None:
    terms = parameters(steps=25, strike_interval=1.0, chain_size=3, strike_ladder="growing")
    one, block = Simulation(terms), sample_block(terms, PhiloxDraws(terms.seed, paths=2))

    later = one.to_arrow(from_step=20, to_step=24)
    chains = [one.chain(step) for step in range(20, 25)]

    assert len(chains[0].strikes) > len(one.chain(0).strikes)
    np.testing.assert_array_equal(
        later["strike"].to_numpy(), np.concatenate([each.strikes for each in chains])
    )
    np.testing.assert_array_equal(
        later["call_mid"].to_numpy(), np.concatenate([each.call_mid for each in chains])
    )
    of_path = block.chains(20)
    listed = ~np.isnan(of_path.strikes[0])
    np.testing.assert_array_equal(of_path.strikes[0][listed], chains[0].strikes)
    np.testing.assert_array_equal(of_path.call_mid[0][listed], chains[0].call_mid)


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"strike_interval": None}, "strike_interval"), ({"strike_rule": "stock"}, "strike_rule")],
)
def test_a_growing_ladder_has_one_interval(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parameters(**{"strike_interval": 5.0, "strike_ladder": "growing"} | changes)

    assert caught.value.field == field


def test_a_price_that_leaves_a_pinned_ladder_is_priced_all_the_same() -> None:
    far = chain(spot=180.0, ladder_price=100.0)

    assert far.strikes.tolist() == chain(spot=100.0).strikes.tolist()
    assert np.all(far.call_delta > 0.99)
    alone = chain(spot=180.0, chain_size=200, strike_interval=1.0)
    same = np.isin(alone.strikes, far.strikes)
    np.testing.assert_array_equal(far.call_mid, alone.call_mid[same])
    np.testing.assert_array_equal(far.put_ask, alone.put_ask[same])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"strike_ladder": "pinned"}, "strike_interval"),
        ({"strike_ladder": "fixed"}, "strike_ladder"),
        ({"spread_tick": 0.015}, "spread_tick"),
        ({"spread_tick": 0.0}, "spread_tick"),
        ({"spread_proportional": 1.5}, "spread_proportional"),
        ({"spread_tenor_widening": -0.1}, "spread_tenor_widening"),
    ],
)
def test_what_makes_no_quotes_is_refused_by_name(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parameters(**changes)

    assert refusal.value.field == field


def test_spreads_that_do_not_widen_are_the_quotes_of_ever() -> None:
    mids = np.array([0.0, 0.004, 1.238, 512.5])
    terms = {"spot": 100.0, "strikes": np.array([90.0, 100.0, 110.0, 120.0]), "years": 0.25}

    for spread in (0.0, 0.01, 0.02, 1.5):
        found, expected = SpreadModel(base=spread).quotes(mids, **terms), quote(mids, spread)
        assert [each.tolist() for each in found] == [each.tolist() for each in expected]


@given(MONEY, st.floats(1e-3, 1e4), st.floats(1e-3, 1e4), st.floats(0.0, 30.0))
def test_a_quote_is_the_width_around_the_mid_on_the_grid_of_ticks(
    mid: float, spot: float, strike: float, years: float
) -> None:
    bids, asks = WIDENING.quotes(np.array([mid]), spot=spot, strikes=np.array([strike]), years=years)

    bid, ask = float(bids[0]), float(asks[0])
    width = max(0.05, 0.02 + 0.03 * mid + 0.4 * abs(math.log(strike / spot)) + 0.25 * math.sqrt(years))
    assert 0.0 <= bid <= mid <= ask
    assert ask - bid >= 0.05 - 1e-9
    for quoted, wanted in ((bid, max(mid - width / 2, 0.0)), (ask, mid + width / 2)):
        ticks = Decimal(repr(quoted)) / Decimal("0.05")
        assert ticks == ticks.to_integral_value(ROUND_HALF_EVEN)
        assert abs(quoted - wanted) <= 0.025 + 1e-9 * max(mid, 1.0)


def test_bid_and_ask_are_a_tick_apart_also_where_the_price_is_on_the_grid() -> None:
    on_grid = {"spot": 100.0, "strikes": np.array([100.0]), "years": 0.0}

    narrow = SpreadModel(base=0.0, tick=0.05).quotes(np.array([0.1]), **on_grid)
    between = SpreadModel(base=0.0, tick=0.05).quotes(np.array([0.12]), **on_grid)

    assert [each.item() for each in narrow] == [0.1, 0.15]
    assert [each.item() for each in between] == [0.1, 0.15]


@pytest.mark.parametrize(
    ("tick", "grid"),
    [
        (None, (1.0, 100.0)),
        (0.05, (5.0, 100.0)),
        (0.5, (50.0, 100.0)),
        (5.0, (500.0, 100.0)),
        (0.0001, (1.0, 1e4)),
    ],
)
def test_a_grid_counts_in_cents_or_in_the_last_decimal_of_a_finer_tick(
    tick: float | None, grid: tuple[float, float]
) -> None:
    assert SpreadModel(base=0.02, tick=tick).grid == grid


def test_a_cheap_contract_costs_more_of_itself_and_less_in_money() -> None:
    wide = chain(spreads=SpreadModel(base=0.02, proportional=0.01))

    widths = (wide.call_ask - wide.call_bid).round(2)
    assert np.all(np.diff(widths) <= 0.0)  # calls get cheaper with the strike
    assert np.all(np.diff((widths / wide.call_mid)[::5]) > 0.0)


def test_time_widens_spreads() -> None:
    near, far = (
        chain(days=(days,), spreads=SpreadModel(base=0.02, tenor=1.0), spot=1000.0, strike_interval=10.0)
        for days in (10, 365)
    )

    assert set((far.put_ask - far.put_bid).round(2)) == {1.02}
    assert (near.put_ask - near.put_bid).round(2).max() == pytest.approx(0.02 + math.sqrt(10 / 365), abs=0.01)

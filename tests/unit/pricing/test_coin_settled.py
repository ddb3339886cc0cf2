"""Options that are quoted and settled in coin, against the exchange's own examples, dollars and slopes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from optionchain import GeometricBrownian, SimulationParameters, SingleExpiration, simulate
from optionchain.chains import build_chain
from optionchain.contracts.products import product
from optionchain.draws.philox import PhiloxDraws
from optionchain.expirations import Expiration
from optionchain.measures import ByMoneyness, Leg, long_call, short_straddle, strategy
from optionchain.measures.path_block import PathBlock, sample_block
from optionchain.pricing.market_maker import MarketMaker

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
COIN = {
    key: value for key, value in product("BTC").terms().items() if key not in ("expirations", "strike_rule")
}


def parameters(**changes):
    values = {
        "symbol": "BTC",
        "steps": 31,
        "initial_price": 10_000.0,
        "volatility": 0.6,
        "method": GeometricBrownian(dt=1 / 365, drift=0.0, volatility=0.6),
        "chain_size": 10,
        "strike_interval": 500.0,
        "skew_slope": 0.0,
        "smile_curve": 0.0,
        "seed": 5,
        "start_at": NOW,
        "expirations": SingleExpiration(days=30.0),
    }
    return SimulationParameters(**values | COIN | changes)


def test_prices_are_the_dollars_in_coins_and_quotes_on_the_exchanges_ticks():
    coins, dollars = (simulate(parameters(**each)).chain(3) for each in ({}, {"settlement": "cash"}))

    np.testing.assert_allclose(coins.call_mid * coins.underlying_price, dollars.call_mid, rtol=1e-14)
    for name in ("call_delta", "gamma", "vega"):
        np.testing.assert_array_equal(getattr(coins, name), getattr(dollars, name))
    for name in ("call_theta", "put_theta", "call_rho", "put_rho"):
        np.testing.assert_allclose(getattr(coins, name)(), getattr(dollars, name)(), rtol=1e-9, atol=1e-12)
    # Deribit, options specification: ticks of 0.0001 below 0.005 and of 0.0005 from there on.
    for quotes in (coins.call_bid, coins.call_ask, coins.put_bid, coins.put_ask):
        tick = np.where(quotes < 0.005, 0.0001, 0.0005)
        np.testing.assert_allclose(quotes / tick, np.rint(quotes / tick), atol=1e-9)
    assert np.all((coins.call_bid <= coins.call_mid) & (coins.call_mid <= coins.call_ask))
    assert np.all((coins.put_bid <= coins.put_mid) & (coins.put_mid <= coins.put_ask))
    assert np.any(coins.put_ask < 0.005)
    assert np.any(coins.call_bid > 0.005)


def test_what_a_delta_in_coin_is():
    def chain(spot):
        return build_chain(
            symbol="BTC",
            quote_time=NOW,
            spot=spot,
            base_volatility=0.6,
            expirations=[Expiration(expires_at=NOW + timedelta(days=30), labels=())],
            chain_size=5,
            strike_interval=1000.0,
            skew_slope=0.0,
            smile_curve=0.0,
            ladder_price=10_000.0,
            in_coin=True,
        )

    up, down = chain(10_000.1), chain(9999.9)
    calls, puts = chain(10_000.0).coin_deltas()
    np.testing.assert_allclose(calls, (up.call_mid - down.call_mid) / 2e-5, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(puts, (up.put_mid - down.put_mid) / 2e-5, rtol=1e-6, atol=1e-9)


# Deribit, "Options", examples: bought for 0.05 BTC at a strike of 10,000, settled at 12,500 and at 5,000.
@pytest.mark.parametrize(("side", "settled_at", "worth"), [("call", 12_500.0, 0.2), ("put", 5000.0, 1.0)])
def test_the_exchanges_examples_settle_as_it_says(side, settled_at, worth):
    expired = build_chain(
        symbol="BTC",
        quote_time=NOW,
        spot=settled_at,
        base_volatility=0.6,
        expirations=[Expiration(expires_at=NOW, labels=())],
        chain_size=0,
        strike_interval=10_000.0,
        ladder_price=10_000.0,
        in_coin=True,
    )

    assert getattr(expired, f"{side}_mid").tolist() == [worth]


def test_the_profit_is_the_coins_that_came_less_those_that_went():
    terms = parameters()
    prices = np.linspace(10_000.0, 12_500.0, 31)[None]
    block = PathBlock(parameters=terms, first_path=0, prices=prices, volatilities=np.full_like(prices, 0.6))
    bought = long_call(delta=0.52, fill="mid")
    [premium] = simulate(terms).chain(0).call_mid[[10]]

    [coins] = bought(block)
    [dollars] = long_call(delta=0.52, fill="mid", unit="currency")(block)

    assert coins == pytest.approx(2500.0 / 12_500.0 - premium, rel=1e-12)
    assert dollars == pytest.approx(12_500.0 * coins, rel=1e-12)


def test_a_strategy_trades_in_coin_at_the_quotes_of_the_chain():
    # A market maker's width is of vega, which is in dollars.
    terms = parameters(
        spread_model=MarketMaker(), tick_size=None, tick_size_above=None, coarse_tick_size=None
    )
    prices = np.full((1, 31), 10_000.0)
    block = PathBlock(parameters=terms, first_path=0, prices=prices, volatilities=np.full_like(prices, 0.6))
    chain = simulate(terms).chain(0)

    [bought], [sold] = (
        strategy(Leg("call", quantity, ByMoneyness(1.0)), days=30.0)(block) for quantity in (1, -1)
    )

    # At the money it expires worthless.
    assert (-bought, sold) == pytest.approx((chain.call_ask[10], chain.call_bid[10]), rel=1e-12)
    assert chain.call_bid[10] < chain.call_ask[10] < 0.1


@pytest.mark.parametrize("named", [long_call, short_straddle])
def test_coins_at_the_models_price_earn_no_dollars_on_average_and_a_hedge_in_coin_takes_their_risk(named):
    block = sample_block(parameters(), PhiloxDraws(9, paths=20_000))

    dollars = named(fill="mid", unit="currency")(block)
    bare, hedged = (named(fill="mid", hedge=hedge)(block) for hedge in (False, True))

    assert abs(dollars.mean()) < 4 * dollars.std() / np.sqrt(dollars.size)
    assert hedged.std() < 0.3 * bare.std()
    assert abs(hedged.mean()) < 4 * hedged.std() / np.sqrt(hedged.size) + 2e-4


def test_blocks_and_tables_have_the_quotes_of_chains():
    simulation = simulate(parameters())
    chain = simulation.chain(4)

    table = simulation.to_arrow(from_step=4, to_step=4)

    np.testing.assert_array_equal(table["call_bid"].to_numpy(), chain.call_bid)
    np.testing.assert_array_equal(table["put_ask"].to_numpy(), chain.put_ask)

from dataclasses import replace

import numpy as np
import pytest

from optionchain.chains import build_chain, ladders
from optionchain.pricing.kernel import BLOCK
from optionchain.simulation import Simulation
from tests.unit.sweeps.sweep_examples import BASE, ROLLING, block

SMILING = replace(ROLLING, skew_slope=-0.3, smile_curve=0.5, dividend_yield=0.01)


def alone(parameters, paths, path, step):
    simulation = Simulation(replace(parameters, path=path))
    assert np.array_equal(simulation.prices, paths.prices[path])
    return simulation.chain(step)


def listed(values, path):
    return values[path][~np.isnan(values[path])]


PINNED = {"strike_interval": 1.0, "strike_ladder": "pinned"}
WIDENING = {"spread_proportional": 0.02, "spread_moneyness_widening": 0.5, "spread_tick": 0.05}


@pytest.mark.parametrize(
    "changes", [{}, {"strike_interval": 1.0}, {"strike_interval": 0.25}, PINNED, WIDENING], ids=str
)
@pytest.mark.parametrize("parameters", [BASE, SMILING], ids=["one expiration", "rolling expirations"])
def test_every_path_has_the_chain_that_a_session_of_it_shows(parameters, changes):
    parameters = replace(parameters, **changes)
    paths = block(parameters, 5)

    for step, chains in zip((0, 7, 30), paths.chains_at((0, 7, 30)), strict=True):
        calls, puts = chains.call_quotes(), chains.put_quotes()
        for path in range(5):
            chain = alone(parameters, paths, path, step)
            assert np.array_equal(listed(chains.strikes, path), chain.strikes)
            assert np.array_equal(listed(chains.implied_volatilities, path), chain.implied_volatilities)
            assert np.array_equal(listed(chains.call_mid, path), chain.call_mid)
            assert np.array_equal(listed(chains.put_delta, path), chain.put_delta)
            assert np.array_equal(listed(chains.gamma, path), chain.gamma)
            assert np.array_equal(listed(chains.vega, path), chain.vega)
            assert np.array_equal(listed(calls[0], path), chain.call_bid)
            assert np.array_equal(listed(puts[1], path), chain.put_ask)


def test_a_strike_that_would_not_be_positive_is_not_listed():
    low = replace(BASE, initial_price=3.0)
    chains = block(low, 2).chains(0)

    chain = build_chain(
        symbol="SPX",
        quote_time=low.start_at,
        spot=3.0,
        base_volatility=0.2,
        expirations=[low.expirations.expiration(low.start_at)],
        chain_size=20,
        strike_interval=1.0,
    )

    assert np.isnan(chains.strikes[0, 0, :18]).all()
    assert np.array_equal(listed(chains.strikes, 0), chain.strikes)
    assert np.isnan(chains.call_mid[0, 0, :18]).all()


def test_a_price_halfway_between_two_strikes_is_rounded_as_its_decimals_say():
    spots = np.array([0.15, 0.25, 152.5, 1.005, 2.675])

    centres = [
        ladders(spots[[index]], np.array([interval]), 0)[1].item()
        for index, interval in enumerate([0.1, 0.1, 5.0, 0.01, 0.01])
    ]

    assert centres == [0.2, 0.3, 155.0, 1.01, 2.68]


@pytest.mark.parametrize("parameters", [BASE, SMILING], ids=["one expiration", "rolling expirations"])
def test_chains_that_are_priced_in_several_passes_are_those_of_each_path_alone(parameters):
    together = block(parameters, 300)
    last = block(parameters, 1, first_path=299)
    steps = (0, 7, 30)

    assert together.paths * parameters.most_contracts > BLOCK
    for of_all, of_last in zip(together.chains_at(steps), last.chains_at(steps), strict=True):
        for field in (
            "strikes",
            "implied_volatilities",
            "call_mid",
            "put_mid",
            "call_delta",
            "gamma",
            "vega",
        ):
            assert np.array_equal(getattr(of_all, field)[299], getattr(of_last, field)[0], equal_nan=True), (
                field
            )

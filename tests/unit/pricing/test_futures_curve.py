"""Options on the futures of a curve: each on its own, by Black's formula, beside carry and season."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import orjson
import polars as pl
import pytest

from optionchain import GeometricBrownian, SimulationParameters, SingleExpiration, simulate
from optionchain.contracts.carried import futures_of
from optionchain.errors import InvalidInput
from optionchain.expirations import MonthlyRule, Schedule
from optionchain.export import Export, Format
from optionchain.measures import ByMoneyness, Leg, strategy
from optionchain.measures.path_block import PathBlock
from optionchain.pricing import american, black_scholes
from optionchain.wire.parameters import parameters_from_wire, parameters_to_wire
from optionchain.wire.snapshots import snapshot_body
from tests.conformance.packed_columns import columns_of

NOW = datetime(2026, 1, 5, 15, tzinfo=UTC)
MONTHLY = Schedule(
    timezone="America/New_York",
    calendar="XNYS",
    rules=(MonthlyRule(rule_id="m", target_count=5, weekday="Fri"),),
)
FUTURES = [["2026-02-20", 1.0], ["2026-04-17", 1.05], ["2026-10-16", 0.97]]
# 2026-01-16 and 02-20 are on February's, 03-20 and 04-17 on April's, 05-15 on October's.
ON = [0, 0, 1, 1, 2]


def parameters(**changes):
    given = {
        "symbol": "CL",
        "steps": 20,
        "initial_price": 70.0,
        "volatility": 0.35,
        "risk_free_rate": 0.04,
        "method": GeometricBrownian(dt=1 / 365, drift=0.0, volatility=0.35),
        "seed": 1,
        "start_at": NOW,
        "expirations": MONTHLY,
        "chain_size": 2,
        "skew_slope": 0.0,
        "smile_curve": 0.0,
        "underlying": "future",
        "futures": FUTURES,
        "futures_carry": -0.05,
    }
    return SimulationParameters(**given | changes)


def of_curve(step, price):
    """Worked out by hand: the season, and the carry of what is left to the close of New York."""
    closes = [
        datetime(2026, 2, 20, 21, tzinfo=UTC),
        *(datetime(2026, month, day, 20, tzinfo=UTC) for month, day in ((4, 17), (10, 16))),
    ]
    now = parameters().simulated_at(step)
    return [
        (at, price * season * math.exp(-0.05 * (at - now).total_seconds() / (365 * 86_400)))
        for at, (_, season) in zip(closes, FUTURES, strict=True)
    ]


@pytest.mark.parametrize("step", [0, 19])
def test_the_curve_has_each_future_with_its_carry_and_season(step):
    price = float(simulate(parameters()).prices[step])

    found = futures_of(parameters(), step, price)

    assert [at for at, _ in found] == [at for at, _ in of_curve(step, price)]
    assert [worth for _, worth in found] == pytest.approx(
        [worth for _, worth in of_curve(step, price)], rel=1e-12
    )


@pytest.mark.parametrize("exercise", ["european", "american"])
def test_options_are_on_the_first_future_that_expires_no_earlier(exercise):
    chain = simulate(parameters(exercise=exercise, strike_interval=1.0)).chain(0)
    value = american if exercise == "american" else black_scholes

    for index, future in enumerate(ON):
        own = slice(chain.offsets[index], chain.offsets[index + 1])
        price = of_curve(0, 70.0)[future][1]
        alone = value(
            spot=price,
            strike=chain.strikes[own],
            expiry_years=chain.days_to_expiration[index] / 365,
            volatility=0.35,
            rate=0.04,
            dividend_yield=0.04,
        )
        assert chain.call_mid[own] == pytest.approx(alone.call_price, rel=1e-9)
        assert chain.put_delta[own] == pytest.approx(alone.put_delta, rel=1e-9)
        # Strikes lie around the future, not around the price of the underlying.
        assert abs(chain.strikes[own][2] - price) <= 0.5 * np.diff(chain.strikes[own])[0] + 1e-9
    assert chain.arbitrage() == ()


def test_prices_are_those_of_blacks_formula_in_quantlib():
    ql = pytest.importorskip("QuantLib")
    chain = simulate(parameters()).chain(0)

    for index, future in enumerate(ON):
        years = chain.days_to_expiration[index] / 365
        for at in range(chain.offsets[index], chain.offsets[index + 1]):
            black = ql.blackFormula(
                ql.Option.Put,
                chain.strikes[at],
                of_curve(0, 70.0)[future][1],
                0.35 * years**0.5,
                math.exp(-0.04 * years),
            )
            assert chain.put_mid[at] == pytest.approx(black, abs=1e-10)


def test_the_last_year_of_futures_comes_again():
    years = 5
    later = parameters(expirations=SingleExpiration(days=365.0 * years - 100))

    chain = simulate(later).chain(0)

    # February, April and October of each year; the first that is not before the end of September 2030.
    assert datetime.fromtimestamp(chain.carried.futures[0] / 1e6, UTC).date().isoformat() == "2030-10-16"


def test_a_snapshot_and_an_export_show_the_curve_and_what_each_expiration_is_on():
    simulation = simulate(parameters())
    shown = orjson.loads(snapshot_body(simulation, 0))
    curve = [
        {"expires_at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "price": pytest.approx(worth)}
        for at, worth in of_curve(0, 70.0)
    ]

    assert shown["futures"] == curve
    assert [chain["future"] for chain in shown["chains"]] == [curve[index] for index in ON]
    packed = columns_of(b"".join(Export(parameters=parameters(), format=Format.PACKED, to_step=0).pieces()))
    rows = pl.DataFrame({name: packed[name] for name in ("expires_at", "future_expires_at", "future_price")})
    assert rows.unique(maintain_order=True)["future_price"].to_list() == [
        curve[index]["price"] for index in ON
    ]


def test_without_a_curve_nothing_says_a_future():
    body = snapshot_body(simulate(parameters(futures=None, futures_carry=0.0)), 0)

    assert b"future" not in body


def test_legs_settle_by_the_future_that_they_are_on():
    prices = [70.0] * 12 + [80.0] * 8
    path = np.array([prices])
    terms = parameters(expirations=MONTHLY, steps=20)
    block = PathBlock(parameters=terms, first_path=0, prices=path, volatilities=np.full_like(path, 0.35))
    bought = strategy(Leg("call", 1, ByMoneyness(1.0)), days=11, fill="mid")

    [earned] = bought(block)

    chain = block.chains(0)
    strike = float(chain.strikes[0, 0, 2])
    # The expiration of January 16 is behind step 11, and settles at step 12 by February's future.
    worth = of_curve(12, 80.0)[0][1] - strike
    assert earned == pytest.approx(
        worth * math.exp(-0.04 * 12 / 365) - float(chain.call_mid[0, 0, 2]), rel=1e-3
    )


@pytest.mark.parametrize("terms", [{"hedge": True}, {"shares": 1.0}, {"assignment": "optimal"}])
def test_nothing_else_of_a_curve_is_held(terms):
    path = np.full((1, 20), 70.0)
    block = PathBlock(
        parameters=parameters(), first_path=0, prices=path, volatilities=np.full_like(path, 0.35)
    )

    with pytest.raises(InvalidInput, match="futures"):
        strategy(Leg("call", 1, ByMoneyness(1.0)), days=11, **terms)(block)


def test_parameters_come_back_from_json():
    wire = parameters_to_wire(parameters())

    assert (wire["futures"], wire["futures_carry"]) == (FUTURES, -0.05)
    assert parameters_from_wire(wire) == parameters()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"underlying": "spot"}, "futures"),
        ({"futures": None}, "futures_carry"),
        ({"futures": [["2026-01-05", 1.0]]}, "futures[0]"),
        ({"futures": [["2026-04-17", 1.0], ["2026-02-20", 1.0]]}, "futures[1]"),
        ({"futures": [["2026-02-20", 0.0]]}, "futures[0]"),
        ({"futures": [["2026-02-20", 1.0], ["2057-02-20", 1.0]]}, "futures[1]"),
        ({"futures": []}, "futures"),
    ],
)
def test_a_curve_that_cannot_be_is_refused_by_name(changes, field):
    with pytest.raises(InvalidInput) as refused:
        parameters(**changes)

    assert refused.value.field == field

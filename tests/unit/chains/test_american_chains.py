"""Chains whose options can be exercised early: priced alike everywhere, shown, exported, and silent otherwise."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from optionchain.arrays import Floats
from optionchain.chains import GreekSet, OptionChain, build_chain
from optionchain.chains.path_chains import price_chosen, price_path_chains
from optionchain.declared.parameters import terms_of
from optionchain.errors import InvalidInput
from optionchain.expirations import Schedule, WeeklyRule
from optionchain.expirations.listing import microseconds
from optionchain.export import Dataset, Export, Format
from optionchain.export.blocks import chain_blocks
from optionchain.measures import PathBlock, strategy
from optionchain.measures.legs import ByMoneyness, Leg
from optionchain.models import GeometricBrownian
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.pricing import american
from optionchain.simulation import chains_of, simulate
from optionchain.wire.parameters import parameters_from_wire, parameters_to_wire
from optionchain.wire.snapshots import snapshot_body
from tests.unit.chains.chain_examples import NOW, expiring

SPY = SimulationParameters(
    symbol="SPY",
    steps=4,
    initial_price=100.0,
    volatility=0.2,
    risk_free_rate=0.05,
    dividend_yield=0.02,
    method=GeometricBrownian(dt=0.004, drift=0.05, volatility=0.2),
    chain_size=6,
    strike_interval=5.0,
    expirations=SingleExpiration(days=90.0),
    seed=42,
    start_at=datetime(2026, 1, 5, tzinfo=UTC),
    exercise="american",
)
EUROPEAN = replace(SPY, exercise="european")
SOLD_ON_FRIDAYS = Schedule(
    timezone="America/New_York",
    expiration_time=time(16),
    rules=(WeeklyRule(rule_id="weekly", target_count=3, weekdays=("Fri",)),),
)


def contract(
    parameters: SimulationParameters, greeks: GreekSet = "all", *, index: int = -1
) -> dict[str, Any]:
    body = json.loads(snapshot_body(simulate(parameters), 0, greeks))
    found: dict[str, Any] = body["contracts"][index]
    return found


def test_a_put_is_never_quoted_under_what_exercise_brings() -> None:
    # The example that has an executable arbitrage where it is European: its put is worth 33.96.
    terms: dict[str, Any] = {
        "symbol": "SPY",
        "quote_time": NOW,
        "spot": 100.0,
        "base_volatility": 0.2,
        "skew_slope": 0.0,
        "smile_curve": 0.0,
        "expirations": expiring(365),
        "chain_size": 8,
        "strike_interval": 5.0,
        "risk_free_rate": 0.05,
    }

    early, late = build_chain(**terms, exercise="american"), build_chain(**terms)

    highest = int(np.argmax(early.strikes))
    assert early.strikes[highest] == 140.0
    assert late.put_mid[highest] == pytest.approx(33.96, abs=0.01)
    assert early.put_mid[highest] == 40.0
    assert np.all(early.put_ask >= early.strikes - 100.0)
    assert early.call_mid.tobytes() == late.call_mid.tobytes()  # nothing is earned by exercising these


def test_a_chain_has_the_values_of_its_contracts() -> None:
    chain = simulate(SPY).chain(2)

    value = american(
        spot=chain.underlying_price,
        strike=chain.strikes,
        expiry_years=chain.days_to_expiration[0] / 365.0,
        volatility=chain.implied_volatilities,
        rate=0.05,
        dividend_yield=0.02,
    )

    of_chain: dict[str, Floats] = {
        "call_price": chain.call_mid,
        "put_price": chain.put_mid,
        "call_delta": chain.call_delta,
        "put_delta": chain.put_delta,
        "call_gamma": chain.gamma,
        "put_gamma": chain.put_gamma,
        "call_vega": chain.vega,
        "put_vega": chain.put_vega,
        "call_theta": chain.call_theta(),
        "put_theta": chain.put_theta(),
        "call_rho": chain.call_rho(),
        "put_rho": chain.put_rho(),
    }
    for name, numbers in of_chain.items():
        np.testing.assert_array_equal(numbers, getattr(value, name), name)


def content(chain: OptionChain) -> list[object]:
    return [chain.offsets, chain.columns.shape, chain.columns.tobytes()]


def test_a_chain_is_the_same_in_the_company_of_others() -> None:
    simulations = [simulate(SPY), simulate(EUROPEAN), simulate(replace(SPY, risk_free_rate=0.03))]

    together = chains_of([(simulation, 1) for simulation in simulations])

    assert [content(chain) for chain in together] == [
        content(simulation.chain(1)) for simulation in simulations
    ]
    assert [chain.is_american for chain in together] == [True, False, True]


@pytest.mark.parametrize("expirations", [SPY.expirations, SOLD_ON_FRIDAYS])
def test_blocks_paths_and_chosen_contracts_have_the_bytes_of_a_chain(expirations: Any) -> None:
    parameters = replace(SPY, expirations=expirations)
    simulation = simulate(parameters)
    chain = simulation.chain(1)
    spots, volatilities = simulation.prices[None, 1:2], simulation.volatilities[None, 1:2]

    [(_, block)] = chain_blocks(simulation, range(1, 2), 10_000)
    [of_path] = price_path_chains(
        parameters,
        spots=spots,
        volatilities=volatilities,
        days_to_expiration=[chain.days_to_expiration],
        quoted_at=np.array([microseconds(chain.quote_time)]),
    )
    chosen = price_chosen(
        parameters,
        spots=spots,
        volatilities=volatilities,
        years=chain.days_to_expiration[:1] / 365.0,
        quoted_at=np.array([microseconds(chain.quote_time)]),
        strikes=chain.strikes[: chain.offsets[1]][None].copy(),
    )

    assert block.columns.tobytes() == chain.columns.tobytes()
    for name in ("call_mid", "put_mid", "put_gamma", "put_vega"):
        ours = getattr(chain, name)
        assert getattr(of_path, name).tobytes() == ours.tobytes()
        assert getattr(chosen, name)[0, 0].tobytes() == ours[: chain.offsets[1]].tobytes()


def test_json_shows_the_greeks_that_each_side_has() -> None:
    early, late = contract(SPY), contract(EUROPEAN)

    put, call = early["put"]["greeks"], early["call"]["greeks"]
    assert early["put"]["mid"] == early["strike"] - 100.0
    assert (put["delta"], put["gamma"], put["vega"], put["theta"], put["rho"]) == (-1.0, 0.0, 0.0, 0.0, 0.0)
    assert call["gamma"] == early["gamma"] > 0.0
    assert late["put"]["greeks"]["gamma"] == late["gamma"]
    assert early["put"].keys() == late["put"].keys()
    assert contract(SPY, "none")["put"].keys() == {"bid", "ask", "mid", "delta"}


def test_what_has_no_formula_for_early_exercise_is_null() -> None:
    early, late = contract(SPY)["call"]["greeks"], contract(EUROPEAN)["call"]["greeks"]

    unknown = {"rho_d", "vanna", "vomma", "veta", "charm", "color"}
    assert {name for name, value in early.items() if value is None} == unknown
    assert not {name for name, value in late.items() if value is None}


def test_terms_that_nobody_gave_are_nowhere() -> None:
    wire = parameters_to_wire(EUROPEAN)

    assert not wire.keys() & {"exercise", "settlement", "multiplier", "currency"}
    assert terms_of(EUROPEAN) == {}
    assert Export(parameters=EUROPEAN, dataset=Dataset.OPTION_CHAINS).schema.metadata is None
    assert parameters_from_wire(wire) == EUROPEAN


def test_terms_that_were_given_are_kept_and_shown() -> None:
    given = replace(SPY, settlement="physical", multiplier=100.0, currency="USD")

    wire = parameters_to_wire(given)

    terms = {"exercise": "american", "settlement": "physical", "multiplier": 100.0, "currency": "USD"}
    assert terms_of(given) == terms
    assert wire | terms == wire
    assert parameters_from_wire(json.loads(json.dumps(wire))) == given


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("exercise", "asian"),
        ("exercise", 1),
        ("settlement", "shares"),
        ("multiplier", 0.0),
        ("currency", "DOLLARS"),
    ],
)
def test_a_wrong_term_is_refused_by_name(name: str, wrong: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        replace(SPY, **{name: wrong})

    assert refused.value.field == name


def test_exports_have_the_puts_gamma_and_the_terms() -> None:
    export = Export(parameters=replace(SPY, multiplier=100.0), format=Format.PARQUET, to_step=1, greeks="all")

    table = pq.read_table(pa.BufferReader(b"".join(export.pieces())))

    chain = simulate(SPY).chain(1)
    assert table.column("put_gamma").to_numpy()[-chain.strikes.size :].tobytes() == chain.put_gamma.tobytes()
    metadata = table.schema.metadata
    assert (metadata[b"exercise"], metadata[b"multiplier"]) == (b"american", b"100.0")


def test_the_long_table_has_the_greeks_of_each_side() -> None:
    chain = simulate(SPY).chain(0)

    table = chain.to_arrow()

    assert table.column("gamma").to_numpy()[1::2].tolist() == chain.put_gamma.tolist()
    assert table.column("gamma").to_numpy()[::2].tolist() == chain.gamma.tolist()
    assert table.column("vega").to_numpy()[1::2].tolist() == chain.put_vega.tolist()


def test_a_strategy_buys_at_american_prices() -> None:
    bought = strategy(Leg("put", 1, ByMoneyness(1.1)), days=90.0, fill="mid")

    earned = {}
    for parameters in (SPY, EUROPEAN):
        simulation = simulate(parameters)
        block = PathBlock(
            parameters=parameters,
            first_path=0,
            prices=simulation.prices[None].copy(),
            volatilities=simulation.volatilities[None].copy(),
        )
        earned[parameters.exercise] = float(bought(block)[0])

    # At the money plus a tenth: the right is worth some cents, which are paid at the opening and got at the close.
    assert earned["american"] != earned["european"]

"""A surface as a parameter: to JSON and back, in chains, sweeps and files, and nothing where nobody asks for one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import orjson
import pytest

from optionchain.draws import PhiloxDraws
from optionchain.errors import InvalidInput
from optionchain.export import Dataset, Export
from optionchain.measures import sample_block
from optionchain.models import GeometricBrownian, Heston
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.simulation import chains_of, simulate
from optionchain.surfaces import HestonTerm, Ssvi
from optionchain.sweeps import InProcess, Sweep
from optionchain.wire.parameters import parameters_from_wire, parameters_to_wire

SSVI = {"ssvi": {"rho": -0.7, "eta": 1.1}}
FAMILIES = [
    SSVI,
    {"svi": {"b": 0.4, "rho": -0.3, "m": 0.1, "sigma": 0.8}},
    {"sabr": {"rho": -0.5, "nu": 0.6}},
    {"quadratic": {"slope": -0.8, "curve": 1.5}},
    {"model": {}},
]
PARAMETERS = SimulationParameters(
    symbol="X",
    steps=5,
    initial_price=100.0,
    volatility=0.2,
    risk_free_rate=0.03,
    method=Heston(dt=1 / 365, drift=0.0, volatility=0.2, kappa=2.0, theta=0.05, xi=0.6, rho=-0.6),
    expirations=SingleExpiration(days=30.0),
    seed=7,
    start_at=datetime(2026, 1, 5, tzinfo=UTC),
    chain_size=6,
)


def test_who_asks_for_none_sees_nothing_of_it():
    assert PARAMETERS.surface is None
    assert {"smile", "smile_dynamics", "volatility_term"}.isdisjoint(parameters_to_wire(PARAMETERS))


@pytest.mark.parametrize("smile", FAMILIES, ids=lambda smile: next(iter(smile)))
@pytest.mark.parametrize("exercise", ["european", "american"])
def test_parameters_come_back_from_json_and_give_the_same_chain(smile, exercise):
    given = replace(PARAMETERS, smile=smile, exercise=exercise)
    wire = orjson.loads(orjson.dumps(parameters_to_wire(given)))
    again = parameters_from_wire(wire)

    assert again == given
    assert wire["smile"].keys() == smile.keys()
    np.testing.assert_array_equal(simulate(again).chain(2).columns, simulate(given).chain(2).columns)


@pytest.mark.parametrize("smile", FAMILIES, ids=lambda smile: next(iter(smile)))
def test_a_chain_is_the_same_in_any_company(smile):
    simulation = simulate(replace(PARAMETERS, smile=smile))
    others = [simulate(PARAMETERS), simulate(replace(PARAMETERS, smile=SSVI, seed=8))]
    together = chains_of([(others[0], 1), (simulation, 3), (others[1], 2), (simulation, 1)])

    for chain, step in ((together[1], 3), (together[3], 1)):
        np.testing.assert_array_equal(chain.columns, simulation.chain(step).columns)
    np.testing.assert_array_equal(together[0].columns, others[0].chain(1).columns)


@pytest.mark.parametrize("smile", FAMILIES, ids=lambda smile: next(iter(smile)))
def test_tables_and_sweeps_have_the_chains_of_the_simulation(smile):
    parameters = replace(PARAMETERS, smile=smile)
    simulation = simulate(parameters)
    table = simulation.to_polars()
    steps = [simulation.chain(step) for step in range(5)]

    assert (
        table["implied_volatility"].to_list()
        == np.concatenate([chain.implied_volatilities for chain in steps]).tolist()
    )
    assert table["call_bid"].to_list() == np.concatenate([chain.call_bid for chain in steps]).tolist()

    block = sample_block(parameters, PhiloxDraws(7, paths=3))
    path = simulate(replace(parameters, path=1)).chain(2)
    np.testing.assert_allclose(block.chains(2).columns[:8, 1, 0], path.columns[:8], rtol=1e-12)


def test_a_sweep_varies_the_smile():
    def width(block):
        volatilities = block.chains(0).implied_volatilities
        return volatilities[:, 0, 0] - volatilities[:, 0, 6]

    smiles = [Ssvi(rho=-0.7, eta=0.2), Ssvi(rho=-0.7, eta=1.1)]
    result = Sweep(base=PARAMETERS, measures=[width], grid={"smile": smiles}, paths=2).run(engine=InProcess())
    means = result.to_polars()["width_mean"].to_list()

    assert 0.0 < means[0] < means[1]


def test_with_sticky_strikes_a_strike_keeps_its_volatility_when_the_price_moves():
    flat = replace(
        PARAMETERS, method=GeometricBrownian(dt=0.01, drift=0.0, volatility=0.2), risk_free_rate=0.0
    )
    pinned = {"strike_ladder": "pinned", "strike_interval": 5.0, "smile": SSVI}
    expirations = SingleExpiration(days=3000.0)
    moving = simulate(replace(flat, expirations=expirations, **pinned))
    sticky = simulate(replace(flat, expirations=expirations, smile_dynamics="sticky_strike", **pinned))

    assert abs(sticky.prices[4] / 100.0 - 1.0) > 0.005
    first, last = (sticky.chain(step).implied_volatilities for step in (0, 4))
    np.testing.assert_allclose(last, first, rtol=2e-3)
    first, last = (moving.chain(step).implied_volatilities for step in (0, 4))
    shift = np.log(sticky.prices[4] / 100.0)
    assert np.sign(last[4] - first[4]) == np.sign(
        shift
    )  # a strike gets farther below, where volatility is higher
    np.testing.assert_array_equal(first, sticky.chain(0).implied_volatilities)


def test_a_term_structure_is_that_of_each_expiration_at_the_money():
    given = replace(
        PARAMETERS, smile=SSVI, volatility_term={"heston": {}}, expirations=SingleExpiration(days=365.0)
    )
    chain = simulate(replace(given, strike_interval=1e-4, risk_free_rate=0.0, chain_size=0)).chain(0)

    expected = HestonTerm(kappa=2.0, theta=0.05).levels(np.array([0.2]), np.array([1.0]))
    assert chain.implied_volatilities == pytest.approx(expected, rel=1e-9)
    parabola = simulate(
        replace(given, smile=None, strike_interval=1e-4, risk_free_rate=0.0, chain_size=0)
    ).chain(0)
    assert parabola.implied_volatilities == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"smile": {"svvi": {}}}, "smile", "unknown smile svvi: one of model, quadratic, ssvi, sabr, svi"),
        ({"smile": {"ssvi": {"rho": -0.7}}}, "smile.ssvi.eta", "is required"),
        ({"smile": {"ssvi": {"rho": -2, "eta": 1}}}, "smile.ssvi.rho", "must be between -0.999 and 0.999"),
        (
            {"smile": {"ssvi": {"rho": 0.5, "eta": 1.9}}},
            "smile.ssvi.eta",
            "must be at most 1.33333 for this rho",
        ),
        ({"smile": {"ssvi": {"rho": 0, "eta": 1, "mu": 1}}}, "smile.ssvi.mu", "is not a known key"),
        ({"smile": "ssvi"}, "smile", "must be a smile"),
        ({"smile": {"svi": {"b": 1.9, "rho": -0.9}}}, "smile.svi.b", "admits butterfly arbitrage"),
        ({"smile_dynamics": "sticky_strike"}, "smile", "must be given where smile_dynamics is sticky_strike"),
        (
            {"volatility_term": {"given": {"days": [30], "multiples": []}}},
            "volatility_term.given.multiples",
            "must have",
        ),
        (
            {"smile": {"sabr": {"rho": 0, "nu": 1}}, "volatility_term": {"heston": {}}},
            "volatility_term",
            "must be flat with this smile",
        ),
    ],
)
def test_what_is_wrong_is_named(changes, field, reason):
    with pytest.raises(InvalidInput) as caught:
        replace(PARAMETERS, **changes)

    assert caught.value.field == field
    assert reason in caught.value.reason


def test_the_heston_term_of_another_model_must_be_given_in_full():
    brownian = GeometricBrownian(dt=1 / 365, drift=0.0, volatility=0.2)
    with pytest.raises(
        InvalidInput, match=r"volatility_term\.heston\.kappa: must be given where the method is not"
    ):
        replace(PARAMETERS, method=brownian, volatility_term={"heston": {}})


def test_files_say_which_surface_they_are_of():
    svi = {"svi": {"b": 0.4, "rho": -0.3, "m": 0.0, "sigma": 1.0}}
    schema = Export(parameters=replace(PARAMETERS, smile=svi), dataset=Dataset.OPTION_CHAINS).schema

    assert orjson.loads(schema.metadata[b"smile"]) == svi

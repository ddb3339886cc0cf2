import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optionchain import GeometricBrownian, Heston, InvalidInput
from optionchain.measures import max_drawdown, short_strangle, terminal_price
from optionchain.sweeps import Shock, Sweep, design
from tests.unit.sweeps.sweep_examples import BASE, above, run, sweep


def test_a_grid_is_every_combination_in_order():
    plan = sweep(grid={"volatility": np.array([0.1, 0.3]), "method.drift": [0.0, 0.1, 0.2]}).plan

    assert len(plan) == 6
    assert [tuple(plan.changes(index).values()) for index in range(6)] == [
        (0.1, 0.0), (0.1, 0.1), (0.1, 0.2), (0.3, 0.0), (0.3, 0.1), (0.3, 0.2),
    ]  # fmt: skip


def test_no_grid_is_the_base_alone():
    assert sweep(grid=None).plan.parameters(0) == BASE


def test_the_volatility_is_the_markets_and_so_the_models_too():
    plan = sweep(grid={"volatility": [0.4]}).plan
    apart = sweep(grid={"volatility": [0.4], "method.volatility": [0.1]}).plan

    assert (plan.parameters(0).volatility, plan.parameters(0).method.volatility) == (0.4, 0.4)
    assert (apart.parameters(0).volatility, apart.parameters(0).method.volatility) == (0.4, 0.1)


def test_days_steps_and_models_can_vary():
    other = GeometricBrownian(dt=1 / 252, drift=0.0, volatility=0.5)
    plan = sweep(grid={"days_to_expiration": [10.0], "steps": [np.int64(5)], "method": [other]}).plan

    parameters = plan.parameters(0)
    assert (parameters.expirations.days, parameters.steps, parameters.method) == (10.0, 5, other)


def test_each_combination_is_seen_under_every_shock():
    crash = Shock(name="crash", spot=-0.2, volatility=0.5, rates=0.01)
    one = sweep(grid={"volatility": [0.1, 0.3]}, shocks=[Shock(name="none"), crash])

    shocked = one.plan.parameters(3)
    assert len(one.plan) == 4
    assert one.plan.parameters(2).initial_price == 100.0
    assert (shocked.initial_price, shocked.risk_free_rate) == (80.0, 0.04)
    assert shocked.volatility == pytest.approx(0.45)
    assert shocked.method.volatility == pytest.approx(0.45)
    assert run(one).to_polars()["shock"].to_list() == ["none", "crash"] * 2


@pytest.mark.parametrize("kind", ["random", "latin_hypercube", "sobol"])
def test_a_design_stays_in_its_box_and_is_the_same_for_the_same_seed(kind):
    bounds = {"volatility": (0.1, 0.5), "method.drift": (-0.1, 0.1)}
    rows = design(bounds, 100, kind=kind, seed=4)

    assert rows == design(bounds, 100, kind=kind, seed=4) != design(bounds, 100, kind=kind, seed=5)
    assert all(0.1 <= row["volatility"] <= 0.5 and abs(row["method.drift"]) <= 0.1 for row in rows)
    assert len(sweep(grid=None, scenarios=rows).plan) == 100


def changes_the_prices(block):
    prices = block.prices
    prices -= prices[:, :1]
    return prices[:, -1]


def changes_a_chain(block):
    call_mid = block.chains(0).call_mid
    call_mid[:, :, 0] = 0.0
    return call_mid.sum(axis=(1, 2))


def returns_a_matrix(block):
    return block.prices


def returns_nothing(block):
    return None


def raises(block):
    raise KeyError("strike")


def is_not_a_number(block):
    return np.full(block.paths, math.nan)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"grid": {"volatilty": [0.1]}}, "grid.volatilty", "did you mean volatility"),
        ({"grid": {"method.drft": [0.1]}}, "grid.method.drft", "method.drift"),
        ({"grid": {"volatility": []}}, "grid.volatility", "empty"),
        ({"grid": {"volatility": [0.1, math.nan]}}, "grid.volatility[1]", "finite"),
        ({"grid": {"volatility": 0.1}}, "grid.volatility", "list"),
        ({"grid": {"method": ["Heston"]}}, "grid.method[0]", ""),
        ({"grid": {"expirations": [3]}}, "grid.expirations", "days_to_expiration"),
        ({"grid": [1]}, "grid", "mapping"),
        ({"scenarios": []}, "scenarios", "either"),
        ({"grid": None, "scenarios": []}, "scenarios", "empty"),
        ({"grid": None, "scenarios": [{"volatility": 0.1}, {"steps": 0}]}, "scenarios[1].steps", "between"),
        ({"grid": None, "scenarios": [7]}, "scenarios[0]", "mapping"),
        ({"measures": []}, "measures", "empty"),
        ({"measures": [lambda block: block.prices[:, 0]]}, "measures", "name"),
        ({"measures": [terminal_price, terminal_price]}, "measures[1]", "terminal_price"),
        ({"measures": ["terminal_price"]}, "measures[0]", "function"),
        ({"measures": [terminal_price] * 1001}, "measures", "at most 1,000"),
        ({"paths": 0}, "paths", "between"),
        ({"paths": 11, "sampling": "antithetic"}, "paths", "multiple of 2"),
        ({"sampling": "halton"}, "sampling", "one of"),
        ({"block_paths": 24, "paths": 32, "sampling": "sobol"}, "block_paths", "multiple of 16"),
        ({"seed": -1}, "seed", "between"),
        ({"quantiles": [1.5]}, "quantiles", "between"),
        ({"tail": 0.0}, "tail", "between"),
        ({"keep": "all"}, "keep", "paths"),
        ({"base": {}}, "base", "SimulationParameters"),
        ({"shocks": [Shock(name="a"), Shock(name="a")]}, "shocks", "different"),
    ],
)
def test_a_definition_that_cannot_be_meant_is_refused_with_its_field(changes, field, words):
    with pytest.raises(InvalidInput) as caught:
        sweep(**changes)

    assert caught.value.field == field
    assert words in caught.value.reason


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        (returns_a_matrix, "one number a path"),
        (returns_nothing, "one number a path"),
        (raises, "KeyError: 'strike'"),
        (is_not_a_number, "nan"),
        (changes_the_prices, "read-only"),
        (changes_a_chain, "read-only"),
    ],
)
def test_a_measure_that_does_not_work_is_refused_before_any_scenario(measure, words):
    with pytest.raises(InvalidInput) as caught:
        run(sweep(measures=[terminal_price, measure]))

    assert caught.value.field == f"measures.{measure.__name__}"
    assert words in caught.value.reason


def test_the_identity_follows_from_the_definition_and_from_all_of_it():
    variants = [
        sweep(),
        sweep(paths=201),
        sweep(seed=8),
        sweep(measures=[max_drawdown, terminal_price]),
        sweep(measures=[terminal_price, short_strangle(delta=0.16)]),
        sweep(measures=[terminal_price, short_strangle(delta=0.17)]),
        sweep(grid={"volatility": [0.1, 0.30000000000000004], "method.drift": [0.0, 0.1, 0.2]}),
        sweep(base=replace(BASE, spread=0.02)),
        sweep(shocks=[Shock(name="crash", spot=-0.2)]),
        sweep(sampling="antithetic"),
        sweep(quantiles=[0.5]),
        sweep(tail=0.01),
    ]

    assert len({one.id for one in variants}) == len(variants)
    assert sweep().id == sweep().id


def test_a_function_counts_by_what_it_does():
    assert sweep(measures=[above(90.0)]).id == sweep(measures=[above(90.0)]).id
    assert sweep(measures=[above(90.0)]).id != sweep(measures=[above(91.0)]).id


def test_a_shock_of_a_models_volatility_starts_it_there():
    heston = Heston(dt=1 / 365, drift=0.0, volatility=0.2, kappa=1.0, theta=0.04, xi=0.3, rho=-0.5)
    plan = sweep(base=replace(BASE, method=heston), grid=None, shocks=[Shock(name="up", volatility=1.0)]).plan

    assert plan.parameters(0).method == replace(heston, volatility=0.4)


def test_it_is_imported_from_the_package():
    import optionchain

    assert optionchain.Sweep is Sweep


VALUES = st.one_of(
    st.integers(-2, 12_000), st.floats(-2.0, 8.0), st.sampled_from([math.nan, math.inf, True, None])
)


def is_allowed(name, values):
    try:
        sweep(grid={name: values})
    except InvalidInput:
        return False
    return True


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(
        ["volatility", "method.drift", "method.dt", "steps", "chain_size", "initial_price", "seed"]
    ),
    st.one_of(
        st.lists(st.integers(-1, 12_000), min_size=1, max_size=5),
        st.lists(st.floats(-1.0, 8.0), min_size=1, max_size=5),
        st.lists(VALUES, min_size=1, max_size=5),
    ),
)
def test_the_values_of_an_axis_are_allowed_when_each_of_them_is(name, values):
    assert is_allowed(name, values) == all(is_allowed(name, [value]) for value in values)

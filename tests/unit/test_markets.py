"""Several underlyings on one clock: each what it is alone, and their prices correlated as asked."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from pathlib import Path

import numpy as np
import orjson
import pytest

from optionchain import (
    GeometricBrownian,
    Heston,
    InvalidInput,
    SimulationParameters,
    SingleExpiration,
    Sweep,
    WeeklyRule,
    simulate,
)
from optionchain.correlation import nearest_correlations, weights_of
from optionchain.draws.correlated import seed_of_stream
from optionchain.expirations import Schedule
from optionchain.export import Export, Format
from optionchain.market import others_of
from optionchain.measures import basket_call, basket_return, dispersion, realised_correlation, total_return
from optionchain.sweeps.engine import InProcess
from optionchain.wire.parameters import parameters_from_wire, parameters_to_wire
from optionchain.wire.snapshots import snapshot_body

DT = 1 / 365
FIRST = GeometricBrownian(dt=DT, drift=0.03, volatility=0.2)
QQQ = {
    "symbol": "QQQ",
    "initial_price": 500.0,
    "method": {"GeometricBrownian": {"dt": DT, "drift": 0.03, "volatility": 0.3}},
    "chain_size": 3,
}
HESTON = Heston(dt=DT, drift=0.03, volatility=0.25, kappa=2.0, theta=0.0625, xi=0.4, rho=-0.5)
IWM = {"symbol": "IWM", "initial_price": 200.0, "method": HESTON, "dividend_yield": 0.01}
CORRELATIONS = [[1.0, 0.8, 0.5], [0.8, 1.0, 0.4], [0.5, 0.4, 1.0]]
WRONG = [[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]]


def market(**changes):
    given = {
        "symbol": "SPY",
        "steps": 40,
        "initial_price": 600.0,
        "volatility": 0.2,
        "risk_free_rate": 0.03,
        "method": FIRST,
        "chain_size": 2,
        "expirations": SingleExpiration(45.0),
        "seed": 11,
        "start_at": datetime(2026, 1, 5, tzinfo=UTC),
        "underlyings": [QQQ, IWM],
        "correlations": CORRELATIONS,
    }
    return SimulationParameters(**given | changes)


def test_the_first_underlying_is_what_it_is_alone():
    alone = simulate(market(underlyings=None, correlations=None))
    among = simulate(market())

    assert among.prices.tobytes() == alone.prices.tobytes()
    assert among.chain(3).columns.tobytes() == alone.chain(3).columns.tobytes()


def test_the_others_have_their_own_terms_and_the_clock_of_all():
    simulation = simulate(market())
    second, third = simulation.others

    assert [each.parameters.symbol for each in simulation.others] == ["QQQ", "IWM"]
    assert (second.prices[0], third.prices[0]) == (500.0, 200.0)
    assert (second.chain(0).strikes.size, third.chain(0).strikes.size) == (7, 5)
    assert third.chain(0).dividend_yield == 0.01
    assert second.chain(7).quote_time == simulation.chain(7).quote_time
    assert second.parameters.volatility == 0.3


def test_prices_are_correlated_as_asked():
    block = Sweep(base=market(), measures=[realised_correlation], paths=2000)
    blocks = _returns(block)
    found = np.corrcoef([each.ravel() for each in blocks])

    # 78,000 moves each: a standard error of 0.0036 at most; Heston's own shock shares half of its move with the price.
    assert found[0, 1] == pytest.approx(0.8, abs=0.015)
    assert found[0, 2] == pytest.approx(0.5 * np.sqrt(1 - 0.25), abs=0.02)
    assert found[1, 2] == pytest.approx(0.4 * np.sqrt(1 - 0.25), abs=0.02)


def _returns(sweep):
    from optionchain.sweeps.blocks import block_of

    block = block_of(sweep, 0, 0, sweep.paths)
    return [np.diff(np.log(each.prices), axis=1) for each in (block, *block.others)]


def test_a_session_shows_the_path_of_a_sweep():
    from optionchain.sweeps.blocks import block_of

    block = block_of(Sweep(base=market(), measures=[total_return], paths=4), 0, 0, 4)
    shown = simulate(market(path=3))

    for other, of_block in zip(shown.others, block.others, strict=True):
        assert other.prices.tobytes() == of_block.prices[3].tobytes()


def test_streams_have_seeds_of_their_own_and_the_first_the_seed_itself():
    seeds = [seed_of_stream(7, stream) for stream in range(5)]

    assert seeds[0] == 7
    assert len(set(seeds)) == 5
    assert seeds[1] == 0x63CBE1E459320DD7  # SplitMix64's first output for the state 7


def test_weights_are_the_cholesky_factor():
    weights = weights_of(tuple(map(tuple, CORRELATIONS)))
    lower = np.zeros((3, 3))
    for row, each in enumerate(weights):
        lower[row, : len(each)] = each

    assert lower == pytest.approx(np.linalg.cholesky(np.array(CORRELATIONS)), abs=1e-15)
    assert weights_of(((1.0, 1.0), (1.0, 1.0))) == ((1.0,), (1.0, 0.0))


def test_impossible_correlations_are_refused_or_repaired_to_the_nearest():
    with pytest.raises(InvalidInput, match=r"least eigenvalue is -0\.8") as refusal:
        market(correlations=WRONG)
    repaired = market(correlations=WRONG, correlation_repair="nearest")

    assert refusal.value.field == "correlations"
    assert repaired.correlation_repair is None
    # By symmetry the nearest has 0.5, 0.5 and -0.5 beside the diagonal, whose least eigenvalue is 0.
    assert np.array(repaired.correlations) == pytest.approx(
        np.array([[1.0, 0.5, -0.5], [0.5, 1.0, 0.5], [-0.5, 0.5, 1.0]]), abs=1e-6
    )
    simulate(repaired)


@pytest.mark.parametrize("size", [2, 5, 12])
def test_what_is_repaired_is_allowed_and_no_better_matrix_is_near(size):
    generator = np.random.default_rng(size)
    given = np.clip(generator.normal(0.0, 0.7, (size, size)), -1, 1)
    given = np.triu(given, 1) + np.triu(given, 1).T + np.eye(size)
    found = np.array(nearest_correlations(tuple(map(tuple, given.tolist())), size))

    assert np.linalg.eigvalsh(found).min() > -1e-12
    for _ in range(50):
        factors = generator.normal(size=(size, size))
        other = factors @ factors.T
        scale = np.sqrt(np.diag(other))
        other = other / np.outer(scale, scale)
        mixed = 0.9 * found + 0.1 * other  # the correlations are a convex set
        assert np.linalg.norm(given - mixed) >= np.linalg.norm(given - found) - 1e-7


def test_common_factors_become_correlations():
    parameters = market(correlations=None, common_factors=[[0.9, 0.0], [0.8, 0.3], [0.5, -0.5]])

    assert np.array(parameters.correlations) == pytest.approx(
        np.array([[1.0, 0.72, 0.45], [0.72, 1.0, 0.25], [0.45, 0.25, 1.0]])
    )
    assert parameters.common_factors is None


def test_a_snapshot_and_an_export_have_all_underlyings():
    simulation = simulate(market())
    shown = orjson.loads(snapshot_body(simulation, 2))
    rows = orjson.loads(b"".join(Export(parameters=market(), format=Format.JSON, to_step=1).pieces()))

    assert shown["underlying"] == "SPY"
    assert [other["underlying"] for other in shown["others"]] == ["QQQ", "IWM"]
    assert [other["price"] for other in shown["others"]] == [other.prices[2] for other in simulation.others]
    assert [row["symbol"] for row in rows] == ["SPY"] * 10 + ["QQQ"] * 14 + ["IWM"] * 10
    assert market().most_contracts == 17


def test_a_checkpoint_gives_the_same_market():
    parameters = market()
    again = parameters_from_wire(orjson.loads(orjson.dumps(parameters_to_wire(parameters))))

    assert parameters_to_wire(again) == parameters_to_wire(parameters)
    assert simulate(again).others[1].prices.tobytes() == simulate(parameters).others[1].prices.tobytes()


def test_rolling_expirations_are_those_of_all():
    weekly = Schedule(
        timezone="UTC",
        expiration_time=time(16),
        rules=(WeeklyRule(rule_id="w", target_count=2, weekdays=("Fri",)),),
    )
    simulation = simulate(market(expirations=weekly))
    shown = orjson.loads(snapshot_body(simulation, 0))

    assert [len(other["chains"]) for other in shown["others"]] == [2, 2]
    assert shown["others"][0]["chains"][0]["expires_at"] == shown["chains"][0]["expires_at"]


def test_baskets_agree_with_their_paths_and_dispersion_with_its_straddles():
    base = market(underlyings=[QQQ], correlations=[[1.0, 0.0], [0.0, 1.0]])
    measures = [basket_return(), basket_call(1.0, weights=[0.5, 0.5]), dispersion(days=30, fill="mid")]
    row = (
        Sweep(base=base, measures=measures, paths=4000).run(engine=InProcess()).to_polars().row(0, named=True)
    )
    years = 39 / 365
    variance = (0.5**2 * 0.2**2 + 0.5**2 * 0.3**2) * years

    # Both grow by 3 % a year; a call on their mean is nearly lognormal, at the money.
    assert row["basket_return_mean"] == pytest.approx(
        np.expm1(0.03 * years), abs=4 * np.sqrt(variance / 4000)
    )
    price = 0.4 * np.sqrt(variance) + 0.5 * 0.03 * years
    assert row["basket_call_mean"] == pytest.approx(price, rel=0.05)
    # Straddles at their model's prices under a drift of the rate are worth nothing on the mean.
    assert abs(row["dispersion_mean"]) < 4 * row["dispersion_std_error"] + 0.5


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"correlations": [[1.0, 0.5], [0.5, 1.0]]}, "correlations"),
        ({"correlations": [[1.0, 0.5, 0.1], [0.4, 1.0, 0.1], [0.1, 0.1, 1.0]]}, "correlations[1][0]"),
        ({"correlations": [[0.9, 0.5, 0.1], [0.5, 1.0, 0.1], [0.1, 0.1, 1.0]]}, "correlations[0][0]"),
        ({"correlations": [[1.0, 2.0, 0.1], [2.0, 1.0, 0.1], [0.1, 0.1, 1.0]]}, "correlations[0][1]"),
        ({"underlyings": []}, "underlyings"),
        ({"underlyings": [QQQ, 5]}, "underlyings[1]"),
        ({"underlyings": [QQQ, IWM | {"steps": 3}]}, "underlyings[1].steps"),
        ({"underlyings": [QQQ, IWM | {"colour": 3}]}, "underlyings[1].colour"),
        ({"underlyings": [QQQ, IWM | {"initial_price": -3}]}, "underlyings[1].initial_price"),
        ({"underlyings": [QQQ, IWM | {"symbol": "QQQ"}]}, "underlyings[0].symbol"),
        ({"underlyings": [QQQ | {"volatility": 0.5}, IWM]}, "underlyings[0].volatility"),
        ({"underlyings": [QQQ | {"method": {"Nothing": {}}}, IWM]}, "underlyings[0].method"),
        ({"correlations": None, "common_factors": [[0.9], [0.9]]}, "common_factors"),
        ({"correlations": None, "common_factors": [[0.9, 0.9], [0.1, 0.1], [0.1, 0.1]]}, "common_factors[0]"),
        ({"common_factors": [[0.9], [0.9], [0.9]]}, "common_factors"),
        ({"underlyings": None}, "correlations"),
    ],
)
def test_what_is_wrong_is_named(change, field):
    with pytest.raises(InvalidInput) as refusal:
        market(**change)

    assert refusal.value.field == field


def test_sobol_points_are_of_one_underlying():
    with pytest.raises(InvalidInput, match="sobol"):
        Sweep(base=market(), measures=[total_return], paths=16, sampling="sobol")


def test_the_page_says_what_it_shows(capsys):
    page = Path(__file__).parents[2] / "docs" / "markets.md"
    [example] = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    exec(compile(example, str(page), "exec"), {})

    said = [line.removeprefix("# ") for line in example.splitlines() if line.startswith("# ")]
    assert capsys.readouterr().out.splitlines() == said


def test_members_are_whole_parameters():
    second, third = others_of(market())

    assert (second.symbol, second.underlyings, third.risk_free_rate) == ("QQQ", None, 0.03)

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from cluster.sweeps.session import session_request
from optionchain import Garch, InvalidInput
from optionchain.measures import call_payoff, short_strangle, terminal_price
from optionchain.observing import Unobserved
from optionchain.pricing import black_scholes
from optionchain.sweeps import InProcess, Silent
from optionchain.sweeps.blocks import run_blocks
from tests.unit.sweeps.sweep_examples import BASE, ROLLING, block, run, sweep


def test_a_row_has_the_statistics_of_the_paths_values():
    result = run(sweep(covariances=True))
    row = result.to_polars().row(4, named=True)

    paths = block(result.sweep.plan.parameters(4), 200)
    values = terminal_price(paths)
    assert (row["scenario"], row["volatility"], row["method.drift"], row["seed"]) == (4, 0.3, 0.1, 7)
    assert (row["paths"], row["error"]) == (200, None)
    assert row["terminal_price_mean"] == pytest.approx(values.mean(), rel=1e-14)
    assert row["terminal_price_std"] == pytest.approx(values.std(ddof=1), rel=1e-13)
    assert row["terminal_price_std_error"] == pytest.approx(values.std(ddof=1) / np.sqrt(200), rel=1e-13)
    assert (row["terminal_price_min"], row["terminal_price_max"]) == (values.min(), values.max())
    assert row["terminal_price_q5"] == pytest.approx(np.quantile(values, 0.05), rel=1e-14)
    drawdowns = run(
        sweep(),
    ).sweep.measures[1](paths)
    assert row["terminal_price_max_drawdown_covariance"] == pytest.approx(
        np.cov(values, drawdowns)[0, 1], rel=1e-12
    )


def test_a_profit_has_its_risk_as_positive_losses():
    result = run(sweep(measures=[short_strangle()], grid=None, tail=0.1))
    row = result.to_polars().row(0, named=True)

    profits = np.sort(short_strangle()(block(paths=200)))
    assert row["short_strangle_value_at_risk"] == pytest.approx(-np.quantile(profits, 0.1))
    assert row["short_strangle_expected_shortfall"] == pytest.approx(-profits[:20].mean())


def test_the_mean_payoff_is_the_black_scholes_price():
    row = run(sweep(measures=[call_payoff(1.02)], grid=None, paths=40_000)).to_polars().row(0, named=True)

    price = black_scholes(spot=100, strike=102, expiry_years=30 / 365, volatility=0.2, rate=0.03).call_price
    assert abs(row["call_payoff_1.02_mean"] - price) < 4 * row["call_payoff_1.02_std_error"]


@pytest.mark.parametrize("sampling", ["independent", "antithetic", "sobol"])
def test_the_results_do_not_depend_on_the_size_of_blocks(sampling):
    base = replace(
        ROLLING, method=Garch(dt=1 / 365, drift=0.03, volatility=0.2, alpha=0.1, beta=0.8), steps=40
    )
    make = {"base": base, "measures": [terminal_price, short_strangle()], "paths": 192, "sampling": sampling}
    whole, small, tiny = (
        run(sweep(**make, grid={"volatility": [0.1, 0.3]}, block_paths=size)).numbers
        for size in (192, 80, 16)
    )

    # Means and deviations are merged in another order; every path's values are the same to the bit.
    np.testing.assert_allclose(small, whole, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(tiny, whole, rtol=1e-12, atol=1e-13)
    exact = [
        index
        for index, name in enumerate(sweep(**make).statistics.columns())
        if "_q" in name or "_m" in name[-4:]
    ]
    assert exact
    quantiles = [index for index in exact if "mean" not in sweep(**make).statistics.columns()[index]]
    assert np.array_equal(small[:, quantiles], whole[:, quantiles])


def test_the_results_do_not_depend_on_how_blocks_make_tasks():
    one = sweep(block_paths=30)

    class Backwards:
        seconds_per_task = 1.0

        observer = Unobserved()

        def check(self, sweep):
            return

        def outcomes(self, sweep, pending, folder):
            tasks = []
            while task := pending.take(1):
                tasks.append(task)
            middle = len(tasks) // 3
            pairs = [(first, stop) for first, stop in tasks[:middle]] + [(tasks[middle][0], tasks[-1][1])]
            for start, stop in reversed(pairs):
                yield run_blocks(sweep, start, stop)

    plain = run(one)
    mixed = one.run(engine=Backwards(), observer=Silent())
    assert mixed.is_done.all()
    np.testing.assert_allclose(mixed.numbers, plain.numbers, rtol=1e-12)


def test_scenarios_share_their_draws():
    result = run(sweep(grid={"method.drift": [0.0, 0.2]}, measures=[terminal_price], quantiles=[0.5]))

    ratio = result.numbers[1] / result.numbers[0]
    np.testing.assert_allclose(ratio, np.exp(0.2 * 30 / 365), rtol=1e-12)


def test_remembered_draws_are_never_changed_by_a_simulation():
    first, second, again = (
        run(sweep(grid={"volatility": [0.3, level, 0.3]})).numbers for level in (0.1, 0.5, 0.9)
    )

    for numbers in (first, second, again):
        assert np.array_equal(numbers[0], numbers[2])


def test_any_path_can_be_replayed_as_a_simulation():
    result = run(sweep(base=ROLLING, grid={"volatility": [0.2, 0.4]}, paths=50, block_paths=8))

    simulation = result.simulation(1, 37)

    paths = result.block(1, 37)
    assert np.array_equal(simulation.prices, paths.prices[0])
    assert np.array_equal(simulation.chain(20).call_mid, paths.chains(20).call_mid[0].ravel())
    assert simulation.parameters.path == 37


def test_a_session_is_asked_for_with_everything_that_decides_the_path():
    request = session_request(run(sweep()).parameters(5, 9))

    assert (request["path"], request["seed"], request["volatility"]) == (9, 7, 0.3)
    assert request["method"] == {"GeometricBrownian": {"dt": 1 / 365, "drift": 0.2, "volatility": 0.3}}
    assert request["start_at"] == "2026-01-05T21:00:00Z"


def test_a_path_that_no_session_can_replay_is_refused():
    result = run(sweep(base=ROLLING))
    with pytest.raises(InvalidInput, match="single expiration"):
        session_request(result.parameters(0))
    with pytest.raises(InvalidInput, match="between 0 and 199"):
        result.parameters(0, 200)
    with pytest.raises(InvalidInput, match="sampling"):
        run(sweep(sampling="antithetic")).parameters(0)


def test_a_failing_scenario_is_a_row_and_the_others_go_on():
    base = replace(BASE, method=Garch(dt=1 / 365, drift=0.0, volatility=0.2, alpha=0.1, beta=0.8))
    result = run(sweep(base=base, grid={"method.alpha": [0.1, 0.5], "method.beta": [0.4, 0.8]}, seed=11))

    frame = result.to_polars()
    assert frame["error"].is_null().to_list() == [True, True, True, False]
    failed = frame.row(3, named=True)
    assert "alpha + beta" in failed["error"]
    assert (failed["seed"], failed["paths"], failed["terminal_price_mean"]) == (11, 0, None)


def test_a_measure_that_fails_in_one_scenario_fails_that_scenario():
    def picky(block):
        if block.parameters.volatility > 0.2 and block.first_path >= 90:
            raise RuntimeError("too wild")
        return block.prices[:, -1]

    result = run(sweep(measures=[picky], block_paths=30))

    errors = result.to_polars()["error"].to_list()
    assert errors[:3] == [None] * 3
    assert errors[3:] == ["measures.picky: raises: RuntimeError: too wild"] * 3


def test_a_number_that_is_not_finite_fails_its_scenario_and_names_the_path():
    def holey(block):
        values = block.prices[:, -1].copy()
        if block.parameters.volatility == 0.3:
            values[block.first_path + np.arange(block.paths) == 123] = np.inf
        return values

    result = run(sweep(measures=[holey], block_paths=50))

    assert result.errors == dict.fromkeys((3, 4, 5), "measures.holey: is inf on path 123")


def test_tables_have_one_content_in_every_format(tmp_path):
    result = run(sweep())
    result.write_parquet(str(tmp_path / "results.parquet"))

    frame = result.to_polars()
    assert pl.read_parquet(tmp_path / "results.parquet").equals(frame)
    assert result.to_arrow().num_rows == 6
    pytest.importorskip("pandas")
    assert result.to_pandas()["terminal_price_mean"].tolist() == frame["terminal_price_mean"].to_list()


def test_many_paths_are_reduced_by_buckets_to_nearly_the_same_quantiles(monkeypatch):
    exact = run(sweep(paths=2000)).to_polars()
    monkeypatch.setattr("optionchain.sweeps.distributions.MOST_EXACT_PATHS", 1999)

    rough = run(sweep(paths=2000)).to_polars()

    for name in ("terminal_price_q1", "terminal_price_q50", "max_drawdown_q95"):
        np.testing.assert_allclose(rough[name], exact[name], rtol=2e-4)
    assert rough["terminal_price_mean"].equals(exact["terminal_price_mean"])


def test_the_default_observer_says_what_was_done(capsys):
    sweep().run(engine=InProcess())

    assert "completed: 6/6 scenarios, 1.2k paths" in capsys.readouterr().err

"""Each technique cuts the standard error as theory says, and its estimates are right by that standard error."""

import math
from dataclasses import replace

import numpy as np
import pytest

from optionchain.draws.antithetic import AntitheticDraws
from optionchain.draws.philox import Factor, PhiloxDraws
from optionchain.draws.sobol import REPLICATES, SobolDraws
from optionchain.errors import InvalidInput
from optionchain.measures import average_price, call_payoff, terminal_price
from optionchain.models import MeanReverting
from optionchain.pricing import black_scholes
from optionchain.sweeps import TERMINAL_PRICE, Control
from tests.unit.sweeps.sweep_examples import BASE, run, sweep

SHORT = replace(BASE, steps=7, step_interval=5 * BASE.interval, method=replace(BASE.method, dt=5 / 365))
CALL = call_payoff(1.0)
PRICE = float(
    black_scholes(spot=100, strike=100, expiry_years=30 / 365, volatility=0.2, rate=0.03).call_price
)
PATHS = 4096


def row(**changes):
    defaults = {"base": SHORT, "measures": [CALL, terminal_price], "grid": None, "paths": PATHS}
    return run(sweep(**(defaults | changes))).to_polars().row(0, named=True)


@pytest.mark.parametrize("sampling", ["independent", "antithetic", "sobol"])
def test_every_sampling_estimates_the_price_to_within_its_error(sampling):
    found = row(sampling=sampling)

    assert abs(found["call_payoff_1_mean"] - PRICE) < 4 * found["call_payoff_1_std_error"]


@pytest.mark.parametrize("sampling", ["antithetic", "sobol"])
def test_the_reported_error_is_the_spread_of_the_estimate_over_seeds(sampling):
    rows = [row(sampling=sampling, paths=256, seed=seed) for seed in range(200)]

    spread = np.std([each["call_payoff_1_mean"] for each in rows], ddof=1)
    reported = math.sqrt(np.mean([each["call_payoff_1_std_error"] ** 2 for each in rows]))
    assert spread == pytest.approx(reported, rel=0.2)  # a deviation of 200 numbers is known to 5 %


def test_antithetic_pairs_cut_the_error_by_their_correlation():
    found = row(sampling="antithetic")
    plain = row()["call_payoff_1_std_error"]

    # Theory: the variance of a pair's mean is (1 + correlation) / 2 of a single one's.
    values = CALL(run(sweep(base=SHORT, grid=None, sampling="antithetic")).block(0, 0, PATHS))
    correlation = np.corrcoef(values[0::2], values[1::2])[0, 1]
    assert correlation < -0.4
    assert found["call_payoff_1_std_error"] / plain == pytest.approx(math.sqrt(1 + correlation), rel=0.03)


def test_antithetic_pairs_leave_almost_nothing_of_a_linear_measure():
    assert row(sampling="antithetic")["terminal_price_std_error"] < 0.06 * row()["terminal_price_std_error"]


def test_sobol_points_beat_the_square_root():
    few, many = (row(sampling="sobol", paths=paths)["call_payoff_1_std_error"] for paths in (1024, 16_384))
    plain = row(paths=16_384)["call_payoff_1_std_error"]

    assert many < plain / 4
    assert many < few / 4 / 1.3  # 16 times the paths: independent ones would give few / 4


def test_a_control_cuts_the_error_by_its_correlation():
    found = row(control=TERMINAL_PRICE, covariances=True)

    correlation = found["call_payoff_1_terminal_price_covariance"] / (
        found["call_payoff_1_std"] * found["terminal_price_std"]
    )
    cut = found["call_payoff_1_controlled_std_error"] / found["call_payoff_1_std_error"]
    assert cut == pytest.approx(math.sqrt(1 - correlation**2), rel=1e-9)
    assert cut < 0.6
    assert (
        abs(found["call_payoff_1_controlled_mean"] - PRICE) < 4 * found["call_payoff_1_controlled_std_error"]
    )


def test_a_control_of_itself_is_exact():
    found = row(control=TERMINAL_PRICE)

    assert found["terminal_price_controlled_mean"] == pytest.approx(
        100 * math.exp(0.03 * 30 / 365), rel=1e-12
    )
    assert found["terminal_price_controlled_std_error"] < 1e-7


def test_controls_and_pairs_work_together():
    both = row(control=TERMINAL_PRICE, sampling="antithetic")

    assert both["call_payoff_1_controlled_std_error"] <= both["call_payoff_1_std_error"]
    assert abs(both["call_payoff_1_controlled_mean"] - PRICE) < 4 * both["call_payoff_1_controlled_std_error"]


def test_a_control_of_ones_own_can_be_given():
    flat = Control(average_price, lambda parameters: parameters.initial_price)
    base = replace(SHORT, method=replace(SHORT.method, drift=0.0), risk_free_rate=0.0)

    found = row(base=base, control=flat)

    assert found["terminal_price_controlled_std_error"] < 0.6 * found["terminal_price_std_error"]


def test_a_control_whose_mean_is_not_known_is_refused():
    model = MeanReverting(dt=1 / 365, volatility=0.2, speed=1.0, mean=100.0)

    with pytest.raises(InvalidInput, match="MeanReverting"):
        row(base=replace(SHORT, method=model), control=TERMINAL_PRICE)


@pytest.mark.parametrize("draws", [AntitheticDraws, SobolDraws])
@pytest.mark.parametrize("kind", ["normals", "uniforms"])
def test_draws_are_those_of_their_path_and_step_in_any_block(draws, kind):
    whole = getattr(draws(5, paths=96), kind)(Factor.VOLATILITY, 9)

    for first, count in ((0, 16), (32, 48), (80, 16)):
        part = getattr(draws(5, first_path=first, paths=count), kind)(Factor.VOLATILITY, 4)
        assert np.array_equal(part, whole[first : first + count, :4])


@pytest.mark.parametrize("draws", [AntitheticDraws, SobolDraws])
def test_factors_and_steps_are_uncorrelated(draws):
    source = draws(9, paths=1 << 13)
    columns = np.hstack([source.normals(factor, 3) for factor in Factor])

    correlations = np.corrcoef(columns.T) - np.eye(12)

    assert np.abs(correlations).max() < 5 / math.sqrt(1 << 13)
    assert columns.std(axis=0) == pytest.approx(1.0, abs=0.05)


def test_an_antithetic_path_mirrors_the_philox_path():
    pairs = AntitheticDraws(3, first_path=4, paths=4)
    originals = PhiloxDraws(3, first_path=2, paths=2)

    assert np.array_equal(pairs.normals(Factor.PRICE, 5)[0::2], originals.normals(Factor.PRICE, 5))
    assert np.array_equal(
        pairs.uniforms(Factor.PRICE, 5)[1::2], 1 - 2.0**-53 - originals.uniforms(Factor.PRICE, 5)
    )


def test_a_sobol_replicate_has_one_point_in_every_cell():
    points = SobolDraws(1, paths=64 * REPLICATES).uniforms(Factor.PRICE, 2)

    for replicate in range(REPLICATES):
        mine = points[replicate::REPLICATES]
        for column in mine.T:
            assert sorted((column * 64).astype(int)) == list(range(64))


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: AntitheticDraws(1, paths=3), "paths"),
        (lambda: AntitheticDraws(1, first_path=1, paths=2), "first_path"),
        (lambda: AntitheticDraws(-1), "seed"),
        (lambda: SobolDraws(1, paths=20), "paths"),
        (lambda: SobolDraws(1, first_path=8), "first_path"),
        (lambda: SobolDraws(2**64), "seed"),
        (lambda: SobolDraws(1).uniforms(Factor.PRICE, 6000), "steps"),
    ],
)
def test_draws_that_are_out_of_range_are_refused(make, field):
    with pytest.raises(InvalidInput) as caught:
        make()

    assert caught.value.field == field

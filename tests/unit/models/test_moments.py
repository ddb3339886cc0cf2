"""Means and variances against exact laws."""

import math

import numpy as np
import pytest
from scipy import stats

from optionchain.draws.philox import Factor
from optionchain.models import Brownian, GeometricBrownian, JumpDiffusion, LogReturns, MeanReverting
from optionchain.models.jump_diffusion import poisson
from tests.unit.models.model_laws import SPOT, assert_mean, assert_variance, paths

PATHS, STEPS, DT = 40_000, 6, 0.1
YEARS = (STEPS - 1) * DT


def last_prices(model, spot=SPOT):
    return model.sample(spot, STEPS, paths(PATHS)).prices[:, -1]


def last_logs(model, spot=SPOT):
    return np.log(last_prices(model, spot) / spot)


@pytest.mark.parametrize("drift", [-0.3, 0.0, 0.2])
def test_brownian_prices_are_normal_with_the_start_as_unit(drift):
    ends = last_prices(Brownian(dt=DT, drift=drift, volatility=0.2))

    mean = SPOT * (1 + drift * YEARS)
    assert_mean(ends, mean)
    assert_variance(ends, SPOT**2 * 0.2**2 * YEARS, mean)
    assert stats.kstest((ends - mean) / (20 * math.sqrt(YEARS)), "norm").pvalue > 1e-4


def test_a_brownian_price_that_reaches_one_cent_stays_there():
    prices = Brownian(dt=0.1, drift=0.0, volatility=1.0).sample(SPOT, 60, paths(500)).prices

    absorbed = np.maximum.accumulate(prices == 0.01, axis=1)
    assert 0.3 < absorbed[:, -1].mean() < 0.9  # both fates occur: the reflection principle gives 0.68
    assert (prices[absorbed] == 0.01).all()


@pytest.mark.parametrize(("drift", "volatility"), [(0.1, 0.2), (-0.5, 0.8), (0.0, 2.0)])
def test_geometric_brownian_log_returns_are_normal_with_the_ito_term(drift, volatility):
    logs = last_logs(GeometricBrownian(dt=DT, drift=drift, volatility=volatility))

    mean = (drift - volatility**2 / 2) * YEARS
    assert_mean(logs, mean)
    assert_variance(logs, volatility**2 * YEARS, mean)


@pytest.mark.parametrize("rho", [-0.8, None, 0.5])
def test_autocorrelated_log_returns_have_the_moments_of_an_autoregression(rho):
    logs = last_logs(LogReturns(dt=DT, expected_return=0.1, volatility=0.2, autocorrelation=rho))

    # An innovation is repeated, damped by rho, in every later return up to the end.
    moves = np.arange(1, STEPS)
    weights = np.array([sum((rho or 0.0) ** power for power in range(left)) for left in moves])
    mean = 0.1 * DT * weights.sum()
    assert_mean(logs, mean)
    assert_variance(logs, 0.2**2 * DT * (weights**2).sum(), mean)


def test_log_returns_are_autocorrelated_as_asked():
    model = LogReturns(dt=DT, expected_return=0.0, volatility=0.2, autocorrelation=-0.6)

    returns = np.diff(np.log(model.sample(SPOT, 400, paths(200)).prices), axis=1)

    # The standard error of an autocorrelation is sqrt((1 - rho²) / n).
    error = math.sqrt((1 - 0.36) / returns[:, 1:].size)
    assert np.corrcoef(returns[:, :-1].ravel(), returns[:, 1:].ravel())[0, 1] == pytest.approx(
        -0.6, abs=4 * error
    )


@pytest.mark.parametrize("spot", [50.0, 90.0, 160.0])
def test_mean_reversion_has_the_exact_ornstein_uhlenbeck_law_from_above_and_below(spot):
    logs = last_logs(MeanReverting(dt=DT, volatility=0.3, speed=2.5, mean=90.0), spot)

    mean = math.log(90.0 / spot) * (1 - math.exp(-2.5 * YEARS))
    assert_mean(logs, mean)
    assert_variance(logs, 0.3**2 * (1 - math.exp(-5 * YEARS)) / 5, mean)


def test_mean_reversion_has_a_stationary_law_whatever_the_step():
    model = MeanReverting(dt=2.0, volatility=0.6, speed=4.0, mean=90.0)  # 8 mean lives a step

    logs = np.log(model.sample(5_000.0, 401, paths(100)).prices[:, 1:] / 90.0).ravel()

    assert stats.kstest(logs[100:] / math.sqrt(0.36 / 8), "norm").pvalue > 1e-4
    assert_variance(logs, 0.36 / 8, 0.0)


def test_mean_reversion_without_speed_is_a_driftless_random_walk():
    logs = last_logs(MeanReverting(dt=DT, volatility=0.3, speed=0.0, mean=90.0))

    shocks = paths(PATHS).normals(Factor.PRICE, STEPS - 1).sum(axis=1)
    np.testing.assert_allclose(logs, 0.3 * math.sqrt(DT) * shocks, atol=1e-14)


@pytest.mark.parametrize(
    ("intensity", "jump_mean", "jump_volatility"), [(3.0, -0.1, 0.15), (40.0, 0.02, 0.0)]
)
def test_jump_diffusion_log_returns_have_mertons_moments(intensity, jump_mean, jump_volatility):
    model = JumpDiffusion(
        dt=DT,
        drift=0.1,
        volatility=0.2,
        intensity=intensity,
        jump_mean=jump_mean,
        jump_volatility=jump_volatility,
    )

    logs = last_logs(model)

    growth = math.exp(jump_mean + jump_volatility**2 / 2) - 1
    mean = (0.1 - 0.02 - intensity * growth + intensity * jump_mean) * YEARS
    assert_mean(logs, mean)
    assert_variance(logs, (0.04 + intensity * (jump_mean**2 + jump_volatility**2)) * YEARS, mean)


def test_jump_diffusion_without_jumps_is_geometric_brownian():
    jumps = {"intensity": 0.0, "jump_mean": -0.2, "jump_volatility": 0.3}
    model = JumpDiffusion(dt=DT, drift=0.1, volatility=0.2, **jumps)

    assert np.array_equal(
        last_prices(model), last_prices(GeometricBrownian(dt=DT, drift=0.1, volatility=0.2))
    )


@pytest.mark.parametrize("rate", [0.0, 1e-6, 0.08, 3.0, 700.0, 1e5])
def test_poisson_numbers_are_the_quantiles_of_uniforms(rate):
    uniforms = np.append(np.linspace(0.0, 1.0, 999, endpoint=False), 1 - 2.0**-53)

    counts = poisson(rate, uniforms)

    below = stats.poisson.cdf(counts - 1, rate)
    assert np.isfinite(counts).all()
    assert (below <= uniforms).all()
    assert (uniforms < np.maximum(stats.poisson.cdf(counts, rate), 1 - 2.0**-52)).all()

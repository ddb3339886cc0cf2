"""The volatility paths of Garch, Heston, Custom and Telegraph against their laws and limits."""

import math

import numpy as np
import pytest

from optionchain.draws.philox import Factor
from optionchain.models import Custom, Garch, GeometricBrownian, Heston, Telegraph
from tests.unit.models.model_laws import DAY, SPECIMENS, SPOT, assert_mean, assert_variance, paths

MARKET = {"dt": DAY, "drift": 0.05, "volatility": 0.2}
CONSTANT = {
    "GARCH that looks at no return": Garch(**MARKET, alpha=0.0, beta=0.9),
    "Heston without volatility of variance": Heston(**MARKET, kappa=2.0, theta=0.04, xi=0.0, rho=-0.7),
    "Custom without volatility of volatility": Custom(**MARKET, vov=0.0, vol_speed=2.0, vol_mean=0.2),
    "Telegraph of two equal levels": Telegraph(**MARKET, lambda_up=9.0, lambda_down=7.0),
}


@pytest.mark.parametrize("name", CONSTANT)
def test_a_constant_volatility_is_geometric_brownian(name):
    path = CONSTANT[name].sample(SPOT, 253, paths(20))

    expected = GeometricBrownian(**MARKET).sample(SPOT, 253, paths(20))
    # 252 moves accumulate the rounding of sqrt(variance) and of the sum.
    np.testing.assert_allclose(path.prices, expected.prices, rtol=1e-12)
    np.testing.assert_allclose(path.volatilities, 0.2, rtol=1e-12)


@pytest.mark.parametrize("name", ["Garch", "Custom", "Telegraph"])
def test_a_move_is_log_normal_given_the_volatility_quoted_before_it(name):
    path = SPECIMENS[name].sample(SPOT, 253, paths(3))

    volatilities, normals = path.volatilities[:, :-1], paths(3).normals(Factor.PRICE, 252)
    expected = (0.05 - volatilities**2 / 2) * DAY + volatilities * math.sqrt(DAY) * normals
    # A log return of about 0.01 is the difference of two logs of about 5, rounded at 1e-15.
    np.testing.assert_allclose(np.diff(np.log(path.prices), axis=1), expected, atol=1e-14)


def test_heston_with_little_volatility_of_variance_is_near_its_limit():
    market = {**MARKET, "kappa": 2.0, "theta": 0.04, "rho": 0.0}

    near, limit = (Heston(**market, xi=xi).sample(SPOT, 253, paths(20)).prices for xi in (1e-5, 0.0))

    np.testing.assert_allclose(near, limit, rtol=1e-4)  # a variance off by 1e-5 moves a price by about that


def test_a_volatility_of_variance_below_rounding_is_none():
    market = {**MARKET, "kappa": 2.0, "theta": 0.04, "rho": -0.7}

    tiny, limit = (Heston(**market, xi=xi).sample(SPOT, 253, paths(20)).prices for xi in (1e-14, 0.0))

    np.testing.assert_allclose(tiny, limit, rtol=1e-9)


def garch_variances(model, steps=60, count=20_000):
    return model.sample(SPOT, steps, paths(count)).volatilities ** 2


def test_garch_variance_keeps_its_long_run_mean():
    variances = garch_variances(Garch(**MARKET, alpha=0.1, beta=0.8))

    for step in (1, 10, 59):
        assert_mean(variances[:, step], 0.04)


def test_garch_variance_spreads_as_its_recursion_says():
    alpha, beta = 0.1, 0.8

    variances = garch_variances(Garch(**MARKET, alpha=alpha, beta=beta), steps=4)

    # E h'² given h: (beta h + omega)² + 2 alpha h (beta h + omega) + 3 alpha² h², with E h = 1.
    second, omega = 1.0, 1 - alpha - beta
    for _ in range(3):
        second = omega**2 + 2 * omega * (alpha + beta) + second * (beta**2 + 2 * alpha * beta + 3 * alpha**2)
    assert_variance(variances[:, 3] / 0.04, second - 1.0, 1.0)


def test_garch_volatility_clusters():
    alpha, beta = 0.15, 0.7

    prices = Garch(**MARKET, alpha=alpha, beta=beta).sample(SPOT, 260, paths(4_000)).prices
    squares = np.diff(np.log(prices), axis=1)[:, 60:] ** 2  # 60 steps reach the stationary law

    # Bollerslev 1986, section 3: the autocorrelation of squared returns at lag 1.
    expected = alpha * (1 - alpha * beta - beta**2) / (1 - 2 * alpha * beta - beta**2)
    measured = np.array(
        [np.corrcoef(half[:, :-1].ravel(), half[:, 1:].ravel())[0, 1] for half in np.split(squares, 20)]
    )
    assert_mean(measured, expected)


@pytest.mark.parametrize(
    "parameters",
    [
        {"kappa": 2.0, "theta": 0.09, "xi": 0.3, "rho": -0.7},
        {"kappa": 0.5, "theta": 0.04, "xi": 1.0, "rho": 0.0},
    ],
)
def test_heston_variance_has_the_exact_moments_of_the_square_root_process(parameters):
    model = Heston(dt=0.25, drift=0.0, volatility=0.2, **parameters)
    kappa, theta, xi = model.kappa, model.theta, model.xi

    path = model.sample(SPOT, 9, paths(40_000))

    # Cox, Ingersoll, Ross 1985, equation 19. The quoted volatility is clamped at 1e-4, its square at 1e-8.
    decay = math.exp(-kappa * 2.0)
    mean = theta + (0.04 - theta) * decay
    variance = xi**2 / kappa * (0.04 * (decay - decay**2) + theta * (1 - decay) ** 2 / 2)
    variances = path.volatilities[:, -1] ** 2
    assert_mean(variances, mean)
    assert_variance(variances, variance, mean)


def test_heston_returns_respond_to_their_variance_as_asked():
    kappa, xi, rho = 4.0, 0.4, -0.7
    model = Heston(dt=1 / 8, drift=0.0, volatility=0.2, kappa=kappa, theta=0.04, xi=xi, rho=rho)

    path = model.sample(SPOT, 2, paths(40_000))
    covariance = np.cov(np.log(path.prices[:, 1]), path.volatilities[:, 1] ** 2)

    # The regression of the log return on the next variance, from the process in its stationary mean:
    # cov(int sqrt(v) dW_v, v') = xi theta (1 - e) / kappa, cov(int v ds, v') = xi² theta (1 - e)² / 2 kappa²,
    # var v' = xi² theta (1 - e²) / 2 kappa. The standard error is 0.011, the scheme's own error 0.01.
    e = math.exp(-kappa / 8)
    response = 2 * rho / (xi * (1 + e)) - (1 - e) / (2 * kappa * (1 + e))
    assert covariance[0, 1] / covariance[1, 1] == pytest.approx(response, abs=4 * 0.011 + 0.01)


def test_custom_volatility_has_the_exact_ornstein_uhlenbeck_law():
    model = Custom(dt=0.25, drift=0.0, volatility=0.9, vov=0.1, vol_speed=1.5, vol_mean=0.6)

    volatilities = model.sample(SPOT, 5, paths(40_000)).volatilities[:, -1]

    mean = 0.6 + 0.3 * math.exp(-1.5)  # 10 standard deviations from the reflection
    assert_mean(volatilities, mean)
    assert_variance(volatilities, 0.01 * (1 - math.exp(-3.0)) / 3.0, mean)


@pytest.mark.parametrize("name", ["Custom", "Telegraph"])
def test_volatility_moves_apart_from_the_price(name):
    path = SPECIMENS[name].sample(SPOT, 3, paths(40_000))

    moves = np.diff(np.log(path.prices), axis=1)[:, 0], np.diff(path.volatilities, axis=1)[:, 0]
    assert abs(np.corrcoef(*moves)[0, 1]) < 4 / 200


def test_custom_volatility_is_reflected_above_zero():
    model = Custom(dt=DAY, drift=0.0, volatility=0.0, vov=0.5, vol_speed=0.0, vol_mean=0.0)

    volatilities = model.sample(SPOT, 253, paths(4_000)).volatilities

    # A reflected Brownian motion is the absolute value of one: its mean is vov sqrt(2 t / pi). To reflect at
    # steps only is no approximation, because |x + move| has the law of ||x| + move|.
    assert volatilities.min() == 1e-4
    assert_mean(volatilities[:, -1], 0.5 * math.sqrt(2 / math.pi) + 1e-4)


RATES = [(2.0, 5.0), (0.2, 0.1), (40.0, 90.0)]


@pytest.mark.parametrize(("lambda_up", "lambda_down"), RATES)
def test_telegraph_occupies_its_states_as_a_markov_chain(lambda_up, lambda_down):
    model = Telegraph(
        **MARKET, lambda_up=lambda_up, lambda_down=lambda_down, vol_multiplier_up=2.0, vol_multiplier_down=0.5
    )

    is_up = model.sample(SPOT, 400, paths(4_000)).volatilities == 0.4

    leave_up, leave_down = (1 - math.exp(-rate * DAY) for rate in (lambda_up, lambda_down))
    occupied = leave_down / (leave_up + leave_down)
    still = (1 - leave_up - leave_down) ** np.arange(400)
    expected = occupied + (1 - occupied) * still
    assert is_up[:, 0].all()
    assert_mean(is_up[:, 30].astype(float), expected[30])
    assert_mean(is_up.mean(axis=1), expected.mean())


def test_telegraph_stays_for_geometric_times():
    model = Telegraph(**MARKET, lambda_up=20.0, lambda_down=50.0, vol_multiplier_up=2.0)

    volatilities = model.sample(SPOT, 10_000, paths(20)).volatilities
    changes = [np.flatnonzero(np.diff(path)) for path in volatilities]
    # Every second stay, from the first change down to the next change up, is in the down state.
    down = np.concatenate([np.diff(at)[::2] for at in changes])

    assert_mean(down.astype(float), 1 / (1 - math.exp(-50.0 * DAY)))


def test_telegraph_flips_at_any_rate():
    model = Telegraph(**MARKET, lambda_up=1e6, lambda_down=1e6, vol_multiplier_down=2.0)

    volatilities = model.sample(SPOT, 7, paths(1)).volatilities

    assert volatilities[0].tolist() == [0.2, 0.4, 0.2, 0.4, 0.2, 0.4, 0.2]

"""Each family against what others compute: QuantLib's SABR, the surfaces as the papers write them, known bad SVI."""

from __future__ import annotations

import math

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813

from optionchain.errors import InvalidInput
from optionchain.pricing import black_scholes, implied_volatility
from optionchain.surfaces import GivenTerm, HestonTerm, Quadratic, Sabr, Ssvi, Svi

K = np.linspace(-0.4, 0.4, 17)


def flat(value: float) -> np.ndarray:
    return np.full(K.size, value)


@pytest.mark.parametrize(("rho", "eta", "gamma"), [(-0.7, 1.1, 0.5), (0.3, 0.8, 0.3), (-0.999, 1.0, 0.01)])
@pytest.mark.parametrize(("years", "level"), [(0.01, 0.2), (1.0, 0.35), (5.0, 0.9)])
def test_ssvi_is_the_surface_of_the_paper(rho, eta, gamma, years, level):
    theta = level * level * years
    phi = eta / (theta**gamma * (1.0 + theta) ** (1.0 - gamma))
    total = theta / 2.0 * (1.0 + rho * phi * K + np.sqrt((phi * K + rho) ** 2 + 1.0 - rho**2))

    ours = Ssvi(rho=rho, eta=eta, gamma=gamma).volatilities(K, flat(years), flat(level))
    np.testing.assert_allclose(ours, np.sqrt(total / years), rtol=1e-12)


def test_ssvi_refuses_what_the_theorem_does_not_cover():
    Ssvi(rho=-0.6, eta=1.25)
    with pytest.raises(InvalidInput, match=r"eta: must be at most 1\.25 for this rho"):
        Ssvi(rho=-0.6, eta=1.2501)
    with pytest.raises(InvalidInput, match=r"gamma: must be at most 0\.5"):
        Ssvi(rho=-0.6, eta=1.0, gamma=0.6)


def test_svi_of_the_shape_of_an_ssvi_slice_is_that_slice():
    rho, eta = -0.4, 1.2
    svi = Svi(b=eta / 2.0, rho=rho, m=-rho / eta, sigma=math.sqrt(1.0 - rho * rho) / eta)

    for years, level in ((0.02, 0.2), (1.0, 0.5), (8.0, 1.5)):
        np.testing.assert_allclose(
            svi.volatilities(K, flat(years), flat(level)),
            Ssvi(rho=rho, eta=eta).volatilities(K, flat(years), flat(level)),
            rtol=1e-12,
        )


def test_svi_at_the_money_is_the_level_and_its_total_variance_quantlibs():
    svi, theta = Svi(b=0.4, rho=-0.3, m=0.2, sigma=0.9), 0.04
    ours = svi.volatilities(K, flat(1.0), flat(0.2))

    assert svi.volatilities(np.zeros(1), np.ones(1), np.full(1, 0.2))[0] == pytest.approx(0.2, rel=1e-14)
    width = math.sqrt(theta * (1.0 + theta))
    height = 1.0 - 0.4 * (math.hypot(0.2, 0.9) + 0.3 * 0.2)
    raw = [theta * height, theta * 0.4 / width, 0.9 * width, -0.3, 0.2 * width]
    section = ql.SviSmileSection(1.0, 1.0, raw)
    theirs = [section.volatility(math.exp(k)) for k in K]
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_axel_vogts_svi_which_is_known_to_be_arbitraged_is_refused():
    # Gatheral and Jacquier, example 3.1: a, b, m, rho, sigma of a total variance at one year.
    a, b, m, rho, sigma = -0.0410, 0.1331, 0.3586, 0.3060, 0.4153
    theta = a + b * (-rho * m + math.hypot(m, sigma))
    width = math.sqrt(theta * (1.0 + theta))

    with pytest.raises(InvalidInput, match="admits butterfly arbitrage"):
        Svi(b=b * width / theta, rho=rho, m=m / width, sigma=sigma / width)


def test_an_svi_whose_expirations_cross_is_refused():
    with pytest.raises(InvalidInput, match="m: admits calendar arbitrage"):
        Svi(b=0.2, rho=0.6, m=4.0, sigma=2.5)


@pytest.mark.parametrize("rho", [-0.8, 0.0, 0.5])
@pytest.mark.parametrize("nu", [0.05, 0.7])
def test_sabr_is_that_of_quantlib_where_no_time_is_left(rho, nu):
    level, strikes = 0.2, np.exp(K)
    theirs = [ql.sabrVolatility(float(strike), 1.0, 1e-9, level, 1.0, nu, rho) for strike in strikes]

    ours = Sabr(rho=rho, nu=nu).volatilities(K[4:-4], flat(0.05)[4:-4], flat(level)[4:-4])
    np.testing.assert_allclose(ours, theirs[4:-4], rtol=1e-8)


def test_sabr_with_a_beta_of_zero_and_a_still_volatility_is_bacheliers_model():
    level, years, k = 0.2, 1e-4, np.linspace(-0.008, 0.008, 9)
    deviation, strikes = level * math.sqrt(years), np.exp(k)
    d = (1.0 - strikes) / deviation
    density = np.exp(-0.5 * d * d) / math.sqrt(2.0 * math.pi)
    calls = (1.0 - strikes) * np.array(
        [0.5 * math.erfc(-each / math.sqrt(2.0)) for each in d]
    ) + deviation * density
    theirs = implied_volatility(calls, spot=1.0, strike=strikes, expiry_years=years, option_type="call")

    ours = Sabr(rho=0.0, nu=1e-6, beta=0.0).volatilities(k, np.full(9, years), np.full(9, level))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_the_parabola_is_kept_near_the_money_and_straight_in_total_variance_far_out():
    years, level = 1.0, 0.6
    k = np.linspace(-6.0, 6.0, 1201)
    ours = Quadratic(slope=-0.2, curve=0.4).volatilities(k, np.full(k.size, years), np.full(k.size, level))

    near = np.abs(k) < 0.3
    np.testing.assert_allclose(ours[near], level * (1.0 - 0.2 * k + 0.4 * k * k)[near], rtol=1e-9)
    slopes = np.diff(ours**2 * years) / np.diff(k)
    assert np.ptp(slopes[-200:]) < 1e-7
    assert 0.5 < slopes[-1] < 2.0
    assert np.ptp(slopes[:200]) < 1e-7


def test_the_heston_term_is_the_mean_of_the_variance_until_expiration():
    kappa, theta, start = 2.0, 0.09, 0.16
    years = np.array([0.0, 1e-9, 0.1, 1.0, 30.0])
    ours = HestonTerm(kappa=kappa, theta=theta).levels(np.full(5, 0.4), years)

    for t, each in zip(years[2:], ours[2:], strict=True):
        times = np.linspace(0.0, t, 20_001)
        variance = theta + (start - theta) * np.exp(-kappa * times)
        assert each**2 == pytest.approx(np.trapezoid(variance, times) / t, rel=1e-7)
    assert ours[:2] == pytest.approx([0.4, 0.4])


def test_a_given_term_goes_through_its_points_and_straight_between_in_total_variance():
    term = GivenTerm(days=(30.0, 90.0), multiples=(1.2, 0.9))
    days = np.array([1.0, 30.0, 60.0, 90.0, 400.0])
    ours = term.levels(np.full(5, 0.2), days / 365.0)

    between = math.sqrt((30.0 * 1.44 + 90.0 * 0.81) / 2.0 / 60.0)
    assert ours / 0.2 == pytest.approx([1.2, 1.2, between, 0.9, 0.9])
    with pytest.raises(InvalidInput, match="days: must ascend"):
        GivenTerm(days=(90.0, 30.0), multiples=(1.0, 1.0))
    with pytest.raises(InvalidInput, match="multiples: must be 2"):
        GivenTerm(days=(30.0, 90.0), multiples=(1.0,))


def test_at_expiration_and_without_volatility_a_smile_is_finite():
    for family in (Ssvi(rho=-0.7, eta=1.0), Svi(b=0.3, rho=-0.5), Sabr(rho=-0.5, nu=1.0), Quadratic()):
        for years, level in ((0.0, 0.2), (1.0, 0.0), (0.0, 0.0)):
            ours = family.volatilities(K, flat(years), flat(level))
            assert np.all(np.isfinite(ours))
            assert np.all(ours >= 0.0)
            value = black_scholes(spot=1.0, strike=np.exp(K), expiry_years=years, volatility=ours)
            assert np.all(np.isfinite(value.call_price))


@pytest.mark.parametrize(
    "family", [Sabr(rho=-0.6, nu=1.5), Sabr(rho=0.5, nu=4.0, beta=0.3), Quadratic(slope=-0.8, curve=1.5)]
)
def test_a_contract_has_its_volatility_to_the_last_bit_whichever_others_there_are(family):
    k = np.concatenate([K, 2.0 * K, K])
    years = np.repeat([0.25, 0.25, 2.0], K.size)
    level = np.full(k.size, 0.4)
    together = family.volatilities(k, years, level)
    backwards = family.volatilities(k[::-1], years[::-1], level)[::-1]
    alone = np.concatenate(
        [
            family.volatilities(*(each[some] for each in (k, years, level)))
            for some in np.arange(k.size)[:, None]
        ]
    )

    np.testing.assert_array_equal(together, backwards)
    np.testing.assert_array_equal(together, alone)

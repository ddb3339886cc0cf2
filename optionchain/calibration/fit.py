"""From a chain to the parameters that give it: SVI of each expiration, an SSVI surface, Heston's model."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from scipy.optimize import least_squares

from optionchain.arrays import Floats
from optionchain.calibration.points import Points, points_of
from optionchain.calibration.svi_slices import SviSlice, crossings, svi_slice
from optionchain.chains.arbitrage import Violation
from optionchain.chains.chain import OptionChain
from optionchain.errors import InvalidInput
from optionchain.history.chains import HistoricalChain
from optionchain.models import Heston
from optionchain.pricing.black_scholes import DAYS_PER_YEAR
from optionchain.surfaces.model_prices import ModelSmile
from optionchain.surfaces.ssvi import MOST_CORRELATION, Ssvi
from optionchain.surfaces.terms import GivenTerm

Family: TypeAlias = Literal["svi", "ssvi", "heston"]
FAMILIES: tuple[Family, ...] = get_args(Family)
# What a model's step is where only its law at expirations is fitted.
_DAY = 1.0 / DAYS_PER_YEAR


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """The parameters that come nearest to a chain.

    Attributes:
        family: What was fitted.
        parameters: What `SimulationParameters` takes to start as this market stood: ``volatility`` and, of SSVI,
            ``smile`` and ``volatility_term``; of Heston, ``method`` and ``smile``. Empty for SVI.
        slices: Of SVI, one an expiration.
        error: Root of the mean squared difference of volatilities over all points, those with narrow quotes
            counting more.
        points: How many there were.
        arbitrage: What the chain's own quotes give away.
        crossings: Of SVI: pairs of neighbouring expirations of which the later has less total variance somewhere.
    """

    family: Family
    parameters: dict[str, Any]
    slices: tuple[SviSlice, ...]
    error: float
    points: int
    arbitrage: tuple[Violation, ...]
    crossings: tuple[tuple[float, float], ...] = ()


def fit(
    chain: OptionChain | HistoricalChain,
    family: Family = "ssvi",
    *,
    risk_free_rate: float | None = None,
    dividend_yield: float | None = None,
) -> Fit:
    """Fit a family to the middles of a chain's quotes.

    Args:
        chain: Simulated or of history.
        family: ``svi`` (each expiration by itself), ``ssvi`` (one surface, with the volatility at the money of each
            expiration as it is), ``heston``.
        risk_free_rate: Annualised, continuously compounded; None takes the simulated chain's, or 0.
        dividend_yield: Likewise.

    Raises:
        InvalidInput: The family is unknown, or an expiration has fewer than five options out of the money with a
            volatility.
    """
    if family not in FAMILIES:
        raise InvalidInput("family", f"must be one of {', '.join(FAMILIES)}")
    rate = getattr(chain, "risk_free_rate", 0.0) if risk_free_rate is None else risk_free_rate
    income = getattr(chain, "dividend_yield", 0.0) if dividend_yield is None else dividend_yield
    points = points_of(chain, rate, income)
    arbitrage = chain.arbitrage()
    if family == "svi":
        slices = tuple(svi_slice(points, each) for each in np.unique(points.expiration))
        squares = [each.error**2 * int(np.sum(points.years == each.years)) for each in slices]
        error = math.sqrt(sum(squares) / points.years.size)
        return Fit(
            family=family,
            parameters={},
            slices=slices,
            error=error,
            points=points.years.size,
            arbitrage=arbitrage,
            crossings=crossings(slices, points),
        )
    parameters, error = (_ssvi if family == "ssvi" else _heston)(points)
    return Fit(
        family=family,
        parameters=parameters,
        slices=(),
        error=error,
        points=points.years.size,
        arbitrage=arbitrage,
    )


def _ssvi(points: Points) -> tuple[dict[str, Any], float]:
    """rho, the share of the highest eta, gamma; and the total variance at the money of each expiration."""
    years, levels = points.at_the_money()
    theta = np.maximum.accumulate(levels * levels * years)
    position = np.searchsorted(years, points.years)

    def smile(x: Floats) -> Ssvi:
        rho = float(np.clip(x[0], -MOST_CORRELATION, MOST_CORRELATION))
        return Ssvi(
            rho=rho,
            eta=float(np.clip(x[1], 1e-6, 1.0)) * 2.0 / (1.0 + abs(rho)) * (1.0 - 1e-15),
            gamma=float(x[2]),
        )

    def totals(x: Floats) -> Floats:
        # Increments above zero keep the expirations in order.
        return np.cumsum(x[3:])

    def residuals(x: Floats) -> Floats:
        level = np.sqrt(totals(x) / years)[position]
        fitted = smile(x).volatilities(points.log_moneyness, points.years, level)
        return points.weights * (fitted - points.volatilities)

    increments = np.maximum(np.diff(theta, prepend=0.0), 1e-9)
    low = [-MOST_CORRELATION, 1e-5, 1e-3, *np.full(years.size, 1e-10)]
    high = [MOST_CORRELATION, 1.0, 0.5, *np.maximum(4.0 * theta.max(), 1e-6) * np.ones(years.size)]
    start = [-0.3, 0.5, 0.4, *increments]
    found = least_squares(
        residuals, start, bounds=(low, high), x_scale="jac", xtol=1e-14, ftol=1e-14, gtol=1e-14
    )
    fitted = np.sqrt(totals(found.x) / years)
    term = GivenTerm(days=tuple((years * DAYS_PER_YEAR).tolist()), multiples=_multiples(fitted, years))
    parameters = {"volatility": float(fitted[0]), "smile": smile(found.x), "volatility_term": term}
    return parameters, math.sqrt(float(np.mean(found.fun**2)))


def _multiples(levels: Floats, years: Floats) -> tuple[float, ...]:
    """Of the first level, such that rounding lets no total variance fall."""
    multiples = levels / levels[0]
    for index in range(1, multiples.size):
        least = multiples[index - 1] * math.sqrt(years[index - 1] / years[index]) * (1.0 + 1e-15)
        multiples[index] = max(multiples[index], least)
    return tuple(multiples.tolist())


def _heston(points: Points) -> tuple[dict[str, Any], float]:
    """v0, kappa, theta, xi, rho, by the volatilities that its prices imply."""
    _, levels = points.at_the_money()
    short, long = float(levels[0]), float(levels[-1])

    def model(x: Floats) -> Heston:
        volatility, kappa, root_theta, xi, rho = map(float, x)
        return Heston(
            dt=_DAY,
            drift=0.0,
            volatility=volatility,
            kappa=kappa,
            theta=root_theta * root_theta,
            xi=xi,
            rho=rho,
        )

    def residuals(x: Floats) -> Floats:
        level = np.full(points.years.size, float(x[0]))
        fitted = ModelSmile(model=model(x)).volatilities(points.log_moneyness, points.years, level)
        return points.weights * (fitted - points.volatilities)

    best: Any = None
    bounds = ([0.01, 0.01, 0.01, 0.01, -0.99], [3.0, 30.0, 3.0, 10.0, 0.99])
    for kappa, xi in ((1.5, 0.5), (5.0, 1.5)):
        start = np.clip([short, kappa, long, xi, -0.5], bounds[0], bounds[1])
        found = _minimised(residuals, start, bounds)
        if best is None or found.cost < best.cost:
            best = found
    parameters = {"volatility": float(best.x[0]), "method": model(best.x), "smile": ModelSmile()}
    return parameters, math.sqrt(float(np.mean(best.fun**2)))


def _minimised(residuals: Callable[[Floats], Floats], start: Floats, bounds: Any) -> Any:
    # Volatilities have ten decimals, so that differences are taken over steps that they can tell.
    return least_squares(
        residuals, start, bounds=bounds, x_scale="jac", diff_step=[1e-5] * 5, xtol=1e-11, ftol=1e-13
    )

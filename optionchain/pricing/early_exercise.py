"""What the right to exercise early adds to a put: one integral over the boundary, and its slopes.

From now to expiry, whenever the price is below the boundary, the holder has exercised and earns the interest on the
strike less the dividends of the share. All of it is in units of the strike, with the logarithm of spot over strike as
the coordinate.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from optionchain.arrays import Floats
from optionchain.numerics import Kernel
from optionchain.numerics.elementary import exp
from optionchain.numerics.formula import routine
from optionchain.numerics.normal import gauss, scaled_tail
from optionchain.numerics.series import (
    add_up,
    add_up_with_numpy,
    fill_polynomials,
    fill_slopes,
    polynomial_slopes,
    polynomials,
)
from optionchain.pricing.boundary_panels import Panels
from optionchain.pricing.exercise_boundary import before_expiry, point_of
from optionchain.pricing.exercise_moments import (
    DISTANCES,
    SECH,
    TANH,
    WEIGHTS,
    beyond,
    distances,
    last_slope,
    moment,
)

# Contracts whose moments NumPy takes together.
_AT_ONCE = 1024


class Given(IntEnum):
    """The rows of what `premiums` takes."""

    LOG_MONEYNESS = 0
    YEARS = 1
    RATE = 2
    DIVIDEND_YIELD = 3
    VOLATILITY = 4


class Premium(IntEnum):
    """The rows of what `premiums` gives, in units of the strike."""

    VALUE = 0
    SLOPE = 1
    CURVATURE = 2
    VEGA = 3
    RHO = 4
    IS_EXERCISED = 5


def premiums(given: Floats, which: NDArray[np.int64], panels: Panels, *, by_yield: bool) -> Floats:
    """The early exercise premium of puts and its slopes.

    Args:
        given: ``[5, puts]`` in the order of `Given`; years and volatilities > 0.
        which: ``[puts]`` the panel of each.
        panels: Of these puts.
        by_yield: Whether the last slope is that by the yield; by the rate otherwise. As of the panels.

    Returns:
        ``[6, puts]`` in the order of `Premium`: value, its first and second slope by the log-moneyness, by volatility,
        by rate or yield, and 1.0 where the put is exercised at once (and all the others are zero).
    """
    found = np.zeros((len(Premium), given.shape[1]))
    _PREMIUMS(given, which, panels.ranges, panels.series, np.array([-1.0 if by_yield else 1.0]), found)
    return found


@routine
def _collapse(series: Floats, factors: Floats, slopes: Floats, width: float, collapsed: Floats) -> None:
    """From series in volatility and time to those in time alone: the square, its slopes by volatility and rate."""
    for a in range(slopes.size):
        slopes[a] /= width
    add_up(factors, series[0], collapsed[0])
    add_up(slopes, series[0], collapsed[1])
    add_up(factors, series[1], collapsed[2])


@routine
def _reach_for(distance: float) -> int:
    """How far ahead the moments begin for a price at this distance from the boundary."""
    reach = 0
    for each in range(DISTANCES.size - 1):
        reach += 1 if distance < DISTANCES[each] else 0
    return reach


@routine
def _look_ahead(contract: Floats, panel: Floats, reach: int, ahead: Floats, basis: Floats) -> None:
    """What all contracts of one expiration share at the moments: roots, bonds, shares, and the series' polynomials."""
    years, rate, dividend_yield, horizon, gather = contract[1], contract[2], contract[3], panel[0], panel[1]
    roots, bonds, shares, points = ahead[0], ahead[1], ahead[2], ahead[3]
    root_years, root_share = np.sqrt(years), np.sqrt(years / horizon)
    for j in range(roots.size):
        roots[j] = root_years * SECH[reach, j]
        points[j] = point_of(root_share * TANH[reach, j], gather)
    for j in range(roots.size):
        weight = years * WEIGHTS[reach, j]
        bonds[j] = weight * exp(-rate * roots[j] * roots[j])
        shares[j] = weight * exp(-dividend_yield * roots[j] * roots[j])
    fill_polynomials(points, basis)


@routine
def _contribute(
    contract: Floats,
    last: float,
    slope: float,
    side: float,
    at: Floats,
    ahead: Floats,
    work: Floats,
    parts: Floats,
) -> None:
    """What each moment contributes, in stages, each of which the processor overlaps with itself."""
    moments = parts.shape[1]
    d, density, tail, others = work[0], work[1], work[2], work[3]
    log_moneyness, rate, dividend_yield, volatility = contract[0], contract[2], contract[3], contract[4]
    for j in range(moments):
        d[j], d[moments + j], others[j], others[moments + j] = distances(
            log_moneyness, last, at[0, j], ahead[0, j], rate, dividend_yield, volatility
        )
    for j in range(d.size):
        density[j] = gauss(d[j])
    for j in range(d.size):
        tail[j] = scaled_tail(abs(d[j]))
    spot = exp(log_moneyness)
    for j in range(moments):
        parts[0, j], parts[1, j], parts[2, j], parts[3, j], parts[4, j] = moment(
            d[j],
            d[moments + j],
            density[j],
            density[moments + j],
            tail[j],
            tail[moments + j],
            others[j],
            slope,
            -others[moments + j] * at[1, j],
            -others[moments + j] * at[2, j],
            ahead[0, j] * ahead[0, j],
            ahead[1, j],
            spot * ahead[2, j],
            rate,
            dividend_yield,
            volatility,
            side,
        )


def _loop(
    given: Floats,
    which: NDArray[np.int64],
    ranges: Floats,
    series: Floats,
    sides: Floats,
    found: Floats,
) -> None:
    side, moments = sides[0], SECH.shape[1]
    ahead, basis = np.empty((4, moments)), np.empty((series.shape[3], moments))
    at, work, parts = np.empty((3, moments)), np.empty((4, 2 * moments)), np.empty((5, moments))
    point, now, squared = np.empty(1), np.empty((series.shape[3], 1)), np.empty(1)
    factors, slopes = np.empty((series.shape[2], 1)), np.empty(series.shape[2])
    collapsed, contract = np.empty((3, series.shape[3])), np.empty(5)
    panel, reach, prepared = -1, -1, 0.0
    for i in range(which.size):
        contract[:] = given[:, i]
        log_moneyness, years, rate, dividend_yield, volatility = contract
        of_panel = ranges[which[i]]
        # The contracts of a panel share rate and yield.
        if not (which[i] == panel and years == prepared):
            panel, reach, prepared = which[i], -1, years
            point[0] = point_of(np.sqrt(years / of_panel[0]), of_panel[1])
            fill_polynomials(point, now)
            last, slope = before_expiry(rate, dividend_yield), last_slope(rate, dividend_yield, side)
        point[0] = (volatility - of_panel[2]) / of_panel[3]
        fill_polynomials(point, factors)
        fill_slopes(factors[:, 0], slopes)
        _collapse(series[which[i]], factors[:, 0], slopes, of_panel[3], collapsed)
        add_up(collapsed[0], now, squared)
        distance = beyond(log_moneyness, last, squared[0], years, volatility)
        if not distance > 0.0:
            found[5, i] = 1.0
            continue
        needed = _reach_for(distance)
        if needed != reach:
            reach = needed
            _look_ahead(contract, of_panel, reach, ahead, basis)
        for row in range(3):
            add_up(collapsed[row], basis, at[row])
        _contribute(contract, last, slope, side, at, ahead, work, parts)
        for j in range(moments):
            for row in range(5):
                found[row, i] += parts[row, j]


def _with_numpy(
    given: Floats,
    which: NDArray[np.int64],
    ranges: Floats,
    series: Floats,
    sides: Floats,
    found: Floats,
) -> None:
    for start in range(0, which.size, _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        _some_with_numpy(given[:, some], ranges[which[some]].T, series[which[some]], sides, found[:, some])


def _some_with_numpy(given: Floats, ranges: Floats, series: Floats, sides: Floats, found: Floats) -> None:
    log_moneyness, years, rate, dividend_yield, volatility = given
    horizon, gather, lowest, width = ranges
    side = sides[0]
    last, slope = before_expiry(rate, dividend_yield), last_slope(rate, dividend_yield, side)
    collapsed = _collapse_with_numpy(series, (volatility - lowest) / width, width)
    now = polynomials(series.shape[3] - 1, point_of(np.sqrt(years / horizon), gather))
    squared = add_up_with_numpy(collapsed[0], now)
    distance = beyond(log_moneyness, last, squared, years, volatility)
    found[Premium.IS_EXERCISED] = ~(distance > 0.0)
    alive = np.flatnonzero(distance > 0.0)
    reach = (distance[alive, None] < DISTANCES[:-1]).sum(axis=1)
    of_each = (*given, horizon, gather, last, slope)
    log_moneyness, years, rate, dividend_yield, volatility, horizon, gather, last, slope = (
        each[alive, None] for each in of_each
    )
    root = np.sqrt(years) * SECH[reach]
    basis = polynomials(series.shape[3] - 1, point_of(np.sqrt(years / horizon) * TANH[reach], gather))
    squared, by_volatility, by_rate = (add_up_with_numpy(each[:, alive, None], basis) for each in collapsed)
    d1, d2, per_log, deeper = distances(log_moneyness, last, squared, root, rate, dividend_yield, volatility)
    weight = years * WEIGHTS[reach]
    parts = moment(
        d1,
        d2,
        gauss(d1),
        gauss(d2),
        scaled_tail(abs(d1)),
        scaled_tail(abs(d2)),
        per_log,
        slope,
        -deeper * by_volatility,
        -deeper * by_rate,
        root * root,
        weight * exp(-rate * root * root),
        exp(log_moneyness) * (weight * exp(-dividend_yield * root * root)),
        rate,
        dividend_yield,
        volatility,
        side,
    )
    for row, part in enumerate(parts):
        total = np.zeros(alive.size)
        for j in range(part.shape[1]):
            total = total + part[:, j]
        found[row, alive] = total


def _collapse_with_numpy(series: Floats, position: Floats, width: Floats) -> list[Floats]:
    """``[DEGREE + 1, puts]`` each, as `_collapse` gives for each put."""
    factors = polynomials(series.shape[2] - 1, position)
    slopes = polynomial_slopes(factors) / width
    squared, by_rate = np.moveaxis(series, 0, -1)
    return [
        add_up_with_numpy(each[:, None], of)
        for each, of in ((factors, squared), (slopes, squared), (factors, by_rate))
    ]


_PREMIUMS = Kernel(
    "void(float64[:, ::1], int64[::1], float64[:, ::1], float64[:, :, :, ::1], float64[::1], float64[:, ::1])",
    _with_numpy,
    _loop,
)

"""Early exercise where the share pays dividends in cash: the premium over the European price, by finite differences.

In the escrowed model the spot without the dividends to come moves as in Black-Scholes-Merton, and whoever exercises
gets the spot with them. The premium is the difference of two solutions on one grid, with the right and without it, so
that what the grid gets wrong is mostly gone from it. In logarithms, without drift and discount, and in units of the
deviation to expiration, all contracts of one expiration obey the same heat equation: one tridiagonal matrix for all.

Source:
    S. Ikonen, J. Toivanen, "Operator splitting methods for American option pricing", 2004; R. Rannacher, 1984, for the
    implicit steps after each jump.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from optionchain.arrays import Floats

# Distance of nodes, reach of the grid beyond the drift, and steps to expiration: about 1e-5 of the spot, as measured
# against QuantLib's fine grids.
_NODES_APART, _REACH, _STEPS, _FEWEST_STEPS = 0.05, 5.5, 80, 8
_FARTHEST_DRIFT = 20.0
_IMPLICIT_STEPS = 2
_VOLATILITY_BUMP, _RATE_BUMP = 0.02, 1e-3


class Early(NamedTuple):
    """What the right to exercise early adds to contracts, ``[contracts]`` each.

    Attributes:
        value: Currency units, >= 0.
        slope, curvature: By the spot.
        vega, rho: Per percentage point of volatility and of the rate.
        is_exercised: Whether it is worth exercising now.
    """

    value: Floats
    slope: Floats
    curvature: Floats
    vega: Floats
    rho: Floats
    is_exercised: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """Contracts of one expiration, ``[contracts]``: with the sides and the bumped terms as contracts of their own."""

    spots: Floats
    strikes: Floats
    volatilities: Floats
    rates: Floats
    yields: Floats
    signs: Floats
    years: float
    dividends: Floats

    def present_values(self, left: float) -> Floats:
        """Of the dividends still to come when so many years are left: those of that instant are not."""
        ahead, amounts = self.dividends.T
        elapsed = self.years - left
        comes = ahead > elapsed * (1.0 + 1e-12) + 1e-15
        worth = amounts * np.exp(-np.multiply.outer(self.rates, np.maximum(ahead - elapsed, 0.0)))
        paid: Floats = (worth * comes).sum(axis=1)
        return paid


def early_exercise(
    spot: float,
    strikes: Floats,
    volatilities: Floats,
    *,
    years: float,
    rate: float,
    dividend_yield: float,
    dividends: Floats,
    is_call: bool,
) -> Early:
    """The premiums of the contracts of one side and expiration.

    Args:
        spot: Of the share, with its dividends to come.
        strikes: ``[contracts]`` > 0.
        volatilities: ``[contracts]`` annualised, > 0.
        years: To expiration, > 0.
        rate: Annualised, continuously compounded.
        dividend_yield: Likewise.
        dividends: ``[dividends, 2]`` years ahead, in (0, years], and amounts.
        is_call: Whether they are calls.
    """
    bumps = np.array([(0.0, 0.0), (1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)])
    count = strikes.size
    rates = np.repeat(rate + _RATE_BUMP * bumps[:, 1], count)
    ahead, amounts = dividends.T
    problem = _Problem(
        spots=spot - (amounts * np.exp(-np.multiply.outer(rates, ahead))).sum(axis=1),
        strikes=np.tile(strikes, len(bumps)),
        volatilities=np.outer(1.0 + _VOLATILITY_BUMP * bumps[:, 0], volatilities).ravel(),
        rates=rates,
        yields=np.full(rates.size, dividend_yield),
        signs=np.full(rates.size, 1.0 if is_call else -1.0),
        years=years,
        dividends=dividends,
    )
    nodes, held, european = _solved(problem)
    # Values around the middle node, which is the spot: V = exp(a x + b tau) U.
    premium = (held - european).reshape(5, len(bumps), count)
    value, higher, lower, dearer, cheaper = premium[2]
    apart = volatilities * np.sqrt(years) * (nodes[1] - nodes[0])
    down2, down, middle, up, up2 = premium[:, 0]
    by_log = (8.0 * (up - down) - (up2 - down2)) / (12.0 * apart)
    bent = (16.0 * (up + down) - (up2 + down2) - 30.0 * middle) / (12.0 * apart * apart)
    escrowed = problem.spots[0]
    intrinsic = problem.signs[:count] * (spot - strikes)
    return Early(
        value=np.maximum(value, 0.0),
        slope=by_log / escrowed,
        curvature=(bent - by_log) / (escrowed * escrowed),
        vega=(higher - lower) / (2.0 * _VOLATILITY_BUMP * volatilities) * 0.01,
        rho=(dearer - cheaper) / (2.0 * _RATE_BUMP) * 0.01,
        is_exercised=np.asarray(
            held.reshape(5, len(bumps), count)[2, 0] <= intrinsic * (1.0 + 1e-9), dtype=np.float64
        ),
    )


def _solved(problem: _Problem) -> tuple[Floats, Floats, Floats]:
    """The nodes, and at the middle five of them the values with the right and without it, ``[5, contracts]``."""
    deviations = problem.volatilities * np.sqrt(problem.years)
    drifts = (problem.rates - problem.yields - 0.5 * problem.volatilities**2) * problem.years / deviations
    low = _REACH + min(float(-drifts.min(initial=0.0)), _FARTHEST_DRIFT)
    high = _REACH + min(float(drifts.max(initial=0.0)), _FARTHEST_DRIFT)
    below, above = int(np.ceil(low / _NODES_APART)), int(np.ceil(high / _NODES_APART))
    nodes: Floats = _NODES_APART * np.arange(-below, above + 1.0)
    shares = problem.spots * np.exp(np.multiply.outer(nodes, deviations))
    tilt = np.exp(np.multiply.outer(nodes, drifts))
    decay = problem.rates * problem.years + 0.5 * drifts**2

    # Values as the heat equation has them: tilted by the drift, and by time without what decays.
    tilted_shares, tilted_signs = problem.signs * shares * tilt, problem.signs * tilt

    def worth(left: float, paid: Floats | float = 0.0) -> Floats:
        """What exercise brings so many years before expiration, and a dividend with it."""
        more = problem.present_values(left) + paid - problem.strikes
        scale = np.exp(decay * (left / problem.years))
        brought: Floats = tilted_signs * more
        brought += tilted_shares
        np.maximum(brought, 0.0, out=brought)
        brought *= scale
        return brought

    def at_edges(left: float) -> Floats:
        """What the European option is worth on the first and the last node, where it is a forward or nothing."""
        ends = slice(None, None, len(nodes) - 1)
        ahead = shares[ends] * np.exp(-problem.yields * left) - problem.strikes * np.exp(
            -problem.rates * left
        )
        scale = tilt[ends] * np.exp(decay * (left / problem.years))
        forward: Floats = np.maximum(problem.signs * ahead, 0.0) * scale
        return forward

    held: Floats = worth(0.0)
    european: Floats = held
    pressure = np.zeros_like(held)
    left = 0.0
    paid_at = sorted({problem.years - float(each) for each in problem.dividends[:, 0]} - {0.0})
    for end in (*paid_at, problem.years):
        for step, is_implicit in _steps(end - left, problem.years):
            left = min(left + step, end)
            growth = 0.5 * step / problem.years / _NODES_APART**2
            obstacle, edges = worth(left), at_edges(left)
            highest = np.maximum(edges, obstacle[:: len(nodes) - 1])
            pushed = _stepped(held, growth, is_implicit, edges=highest, added=step * pressure)
            held = np.maximum(pushed - step * pressure, obstacle)
            pressure = pressure + (held - pushed) / step
            european = _stepped(european, growth, is_implicit, edges=edges)
        if end < problem.years:
            # A moment before, whoever exercises gets the dividend too.
            held = np.maximum(held, worth(end, _paid(problem, end)))
            pressure = np.zeros_like(held)
    middle = slice(below - 2, below + 3)
    scale: Floats = 1.0 / (tilt[middle] * np.exp(decay))
    return nodes, held[middle] * scale, european[middle] * scale


def _paid(problem: _Problem, left: float) -> float:
    """The dividends that are paid when so many years are left."""
    ahead, amounts = problem.dividends.T
    return float(amounts[np.isclose(problem.years - ahead, left, rtol=0.0, atol=1e-12)].sum())


def _steps(length: float, years: float) -> list[tuple[float, bool]]:
    """The lengths of the steps of a stretch, and whether they are implicit: the first ones, by halves."""
    count = max(_FEWEST_STEPS, round(_STEPS * length / years))
    step = length / count
    return [(step / 2.0, True)] * (2 * _IMPLICIT_STEPS) + [(step, False)] * (count - _IMPLICIT_STEPS)


def _stepped(
    values: Floats, growth: float, is_implicit: bool, *, edges: Floats, added: Floats | float = 0.0
) -> Floats:
    """One step of the heat equation, ``[nodes, contracts]``; the first and last nodes are given."""
    weight = growth if is_implicit else 0.5 * growth
    given = values + added
    if not is_implicit:
        given[1:-1] += weight * (values[2:] - 2.0 * values[1:-1] + values[:-2])
    given[0], given[-1] = edges
    matrix = np.empty((3, len(values)))
    matrix[0], matrix[1], matrix[2] = -weight, 1.0 + 2.0 * weight, -weight
    matrix[0, :2] = matrix[2, -2:] = 0.0
    matrix[1, 0] = matrix[1, -1] = 1.0
    from scipy.linalg import solve_banded  # noqa: PLC0415  a quarter of a second, for those few who need it

    solved: Floats = solve_banded((1, 1), matrix, given, check_finite=False)
    return solved

"""Early exercise where rates, cash or the right depend on time: the premium over the European, by finite differences.

What is priced on moves as in Black-Scholes-Merton: the spot less the dividends to come (escrowed), the spot, with the
dividends paid so far added to strikes (forward), or a future. Whoever exercises gets the share with what it has yet to
pay. The premium is the difference of two solutions on one grid, with the right and without it, so that what the grid
gets wrong is mostly gone from it. On nodes that drift with the forward, without discount, and in units of the
deviation to expiration, all contracts of one expiration obey the same heat equation, whatever the curve of rates: one
tridiagonal matrix for all.

Source:
    S. Ikonen, J. Toivanen, "Operator splitting methods for American option pricing", 2004; R. Rannacher, 1984, for the
    implicit steps after each jump.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from optionchain.arrays import Floats

# Distance of nodes, reach of the grid, and steps to expiration: about 1e-5 of the spot, as measured against QuantLib's
# fine grids.
_NODES_APART, _REACH, _STEPS, _FEWEST_STEPS = 0.05, 5.5, 80, 8
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ahead:
    """What comes until the expiration of some contracts.

    Attributes:
        years: To expiration, > 0.
        curve: ``[nodes, 2]`` years and the zero rate to then, linear between and flat outside.
        dividend_yield: Annualised, continuously compounded; of no account where the underlying is a future.
        dividends: ``[dividends, 2]`` years ahead, in (0, years], and amounts.
        is_future: Whether the underlying is a future, which no rate moves.
        is_escrowed: Whether dividends to come are off what is priced on; else those paid are added to strikes.
        exercises: ``[dates]`` years ahead, in [0, years), on which alone options can be exercised before they expire;
            None where they can be at any time.
    """

    years: float
    curve: Floats
    dividend_yield: float
    dividends: Floats
    is_future: bool = False
    is_escrowed: bool = True
    exercises: Floats | None = None

    @property
    def is_exercisable(self) -> bool:
        """Whether options can be exercised now."""
        return self.exercises is None or bool((self.exercises == 0.0).any())

    @property
    def short_rate(self) -> float:
        """Of the next instant."""
        return float(self.curve[0, 1])

    def earned(self, elapsed: Floats | float) -> Floats:
        """The logarithm of what one unit has become after so many years, at the curve's rates."""
        return np.asarray(elapsed * np.interp(elapsed, self.curve[:, 0], self.curve[:, 1]))


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """Contracts of one expiration, ``[contracts]``: with the sides and the bumped terms as contracts of their own."""

    ahead: Ahead
    spot: float
    strikes: Floats
    volatilities: Floats
    rate_bumps: Floats
    sign: float

    def earned(self, elapsed: float) -> Floats:
        """``[contracts]`` as `Ahead.earned`, with the bumps."""
        return self.ahead.earned(elapsed) + self.rate_bumps * elapsed

    def carried(self, elapsed: float) -> Floats | float:
        """The logarithm of what the underlying has brought beside its price."""
        return self.earned(elapsed) if self.ahead.is_future else self.ahead.dividend_yield * elapsed

    def starts(self) -> Floats:
        """``[contracts]`` what they are priced on now."""
        return (
            self.spot - self.shifts(0.0) if self.ahead.is_escrowed else np.full_like(self.strikes, self.spot)
        )

    def shifts(self, elapsed: float) -> Floats:
        """``[contracts]`` the share less what is priced on: dividends to come, or less those that were paid."""
        times, amounts = self.ahead.dividends.T
        to_come = times > elapsed * (1.0 + 1e-12) + 1e-15
        if not self.ahead.is_escrowed:
            to_come, amounts = ~to_come, -amounts
        grown = self.ahead.earned(elapsed) - self.ahead.earned(times)
        growth = np.exp(grown + np.multiply.outer(self.rate_bumps, elapsed - times))
        shifted: Floats = (amounts * growth * to_come).sum(axis=1)
        return shifted


def early_exercise(
    ahead: Ahead, spot: float, strikes: Floats, volatilities: Floats, *, is_call: bool
) -> Early:
    """The premiums of the contracts of one side and expiration.

    Args:
        ahead: Until expiration.
        spot: Of the share, with its dividends to come, or of the future.
        strikes: ``[contracts]`` > 0.
        volatilities: ``[contracts]`` annualised, > 0.
        is_call: Whether they are calls.
    """
    bumps = np.array([(0.0, 0.0), (1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)])
    count = strikes.size
    problem = _Problem(
        ahead=ahead,
        spot=spot,
        strikes=np.tile(strikes, len(bumps)),
        volatilities=np.outer(1.0 + _VOLATILITY_BUMP * bumps[:, 0], volatilities).ravel(),
        rate_bumps=np.repeat(_RATE_BUMP * bumps[:, 1], count),
        sign=1.0 if is_call else -1.0,
    )
    nodes, held, european = _solved(problem)
    # Around the middle node, which is what they are priced on.
    premium = (held - european).reshape(5, len(bumps), count)
    value, higher, lower, dearer, cheaper = premium[2]
    apart = volatilities * np.sqrt(ahead.years) * (nodes[1] - nodes[0])
    down2, down, middle, up, up2 = premium[:, 0]
    by_log = (8.0 * (up - down) - (up2 - down2)) / (12.0 * apart)
    bent = (16.0 * (up + down) - (up2 + down2) - 30.0 * middle) / (12.0 * apart * apart)
    start = float(problem.starts()[0])
    intrinsic = problem.sign * (spot - strikes)
    return Early(
        value=np.maximum(value, 0.0),
        slope=by_log / start,
        curvature=(bent - by_log) / (start * start),
        vega=(higher - lower) / (2.0 * _VOLATILITY_BUMP * volatilities) * 0.01,
        rho=(dearer - cheaper) / (2.0 * _RATE_BUMP) * 0.01,
        is_exercised=np.asarray(
            ahead.is_exercisable & (held.reshape(5, len(bumps), count)[2, 0] <= intrinsic * (1.0 + 1e-9)),
            dtype=np.float64,
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Nodes that drift with the forward: what a contract is worth there to whoever exercises it.

    Attributes:
        problem: Which contracts.
        start: ``[nodes, contracts]`` what they are priced on, on each node now.
    """

    problem: _Problem
    start: Floats

    def shares(self, elapsed: float, some: slice = slice(None)) -> Floats:
        """``[nodes, contracts]`` what is priced on, after so many years."""
        of = self.problem
        drift = of.earned(elapsed) - of.carried(elapsed) - 0.5 * of.volatilities**2 * elapsed
        moved: Floats = self.start[some] * np.exp(drift)
        return moved

    def worth(self, left: float, paid: float = 0.0) -> Floats:
        """What exercise brings so many years before expiration, and a dividend with it; in money of the end."""
        of, elapsed = self.problem, self.problem.ahead.years - left
        exercised = self.shares(elapsed)
        exercised += of.shifts(elapsed) + paid - of.strikes
        exercised *= of.sign
        np.maximum(exercised, 0.0, out=exercised)
        exercised *= np.exp(of.earned(of.ahead.years) - of.earned(elapsed))
        return exercised

    def at_edges(self, left: float, exercised: float) -> Floats:
        """What it is worth on the first and the last node to exercise after so many years: a forward, or nothing."""
        of, elapsed = self.problem, self.problem.ahead.years - left
        ends = self.shares(elapsed, slice(None, None, len(self.start) - 1))
        then = of.earned(exercised)
        grown = np.exp(then - of.earned(elapsed) - of.carried(exercised) + of.carried(elapsed))
        brings = of.sign * (ends * grown + of.shifts(exercised) - of.strikes)
        forward: Floats = np.maximum(brings * np.exp(of.earned(of.ahead.years) - then), 0.0)
        return forward

    def highest_at_edges(self, left: float, edges: Floats) -> Floats:
        """The same for whoever holds the right: the most that exercise brings, now or on any date to come."""
        dates, elapsed = self.problem.ahead.exercises, self.problem.ahead.years - left
        if dates is None:
            return np.maximum(edges, self.worth(left)[:: len(self.start) - 1])
        for date in dates[dates >= elapsed].tolist():
            edges = np.maximum(edges, self.at_edges(left, date))
        return edges


def _solved(problem: _Problem) -> tuple[Floats, Floats, Floats]:
    """The nodes, and at the middle five of them the values with the right and without it, ``[5, contracts]``."""
    years, dates = problem.ahead.years, problem.ahead.exercises
    reach = int(np.ceil(_REACH / _NODES_APART))
    nodes: Floats = _NODES_APART * np.arange(-reach, reach + 1.0)
    deviations = problem.volatilities * np.sqrt(years)
    grid = _Grid(problem, problem.starts() * np.exp(np.multiply.outer(nodes, deviations)))
    held: Floats = grid.worth(0.0)
    european: Floats = held
    pressure = np.zeros_like(held)
    left = 0.0
    for end in _stops(problem.ahead):
        for step, is_implicit in _steps(end - left, years):
            left = min(left + step, end)
            growth = 0.5 * step / years / _NODES_APART**2
            edges = grid.at_edges(left, years)
            highest = grid.highest_at_edges(left, edges)
            pushed = _stepped(held, growth, is_implicit, edges=highest, added=step * pressure)
            if dates is None:
                held = np.maximum(pushed - step * pressure, grid.worth(left))
                pressure = pressure + (held - pushed) / step
            else:
                held = pushed
            european = _stepped(european, growth, is_implicit, edges=edges)
        if dates is None and end < years:
            # A moment before, whoever exercises gets the dividend too.
            held = np.maximum(held, grid.worth(end, _paid(problem.ahead, end)))
            pressure = np.zeros_like(held)
        elif dates is not None and np.isclose(years - end, dates, rtol=0.0, atol=1e-12).any():
            held = np.maximum(held, grid.worth(end))
    middle = slice(reach - 2, reach + 3)
    scale = np.exp(-problem.earned(years))
    return nodes, held[middle] * scale, european[middle] * scale


def _stops(ahead: Ahead) -> list[float]:
    """The years left when a dividend is paid, the curve bends or exercise is possible, ascending; at last all."""
    dates = () if ahead.exercises is None else ahead.exercises.tolist()
    times = {*ahead.dividends[:, 0].tolist(), *ahead.curve[:, 0].tolist(), *dates}
    return sorted({ahead.years - each for each in times if 0.0 < each < ahead.years} | {ahead.years})


def _paid(ahead: Ahead, left: float) -> float:
    """The dividends that are paid when so many years are left."""
    times, amounts = ahead.dividends.T
    return float(amounts[np.isclose(ahead.years - times, left, rtol=0.0, atol=1e-12)].sum())


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

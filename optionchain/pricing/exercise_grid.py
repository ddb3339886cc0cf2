"""Early exercise where rates, cash or the right depend on time: the premium over the European, by finite differences.

What is priced on moves as in Black-Scholes-Merton: the spot less the dividends to come (escrowed), the spot, with the
dividends paid so far added to strikes (forward), or a future. Whoever exercises gets the share with what it has yet to
pay. The premium is the difference of two solutions on one grid, with the right and without it, so that what the grid
gets wrong is mostly gone from it. On nodes that drift with the forward, without discount, and in units of the
deviation to expiration, all contracts of one expiration obey the same heat equation, whatever the curve of rates: one
tridiagonal matrix for all.

Source:
    As `optionchain.pricing.exercise_steps` has it; R. Rannacher, 1984, for the implicit steps after each jump.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.pricing.exercise_steps import Value, march, stretch_of

# Distance of nodes, and reach of the grid: with the steps, about 1e-5 of the spot, as measured against QuantLib's fine
# grids.
_NODES_APART, _REACH = 0.05, 5.5
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
        dividends: ``[dividends, 2]`` years ahead, in (0, years] and ascending, and amounts.
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

    def earned(self, elapsed: Floats) -> Floats:
        """The logarithm of what one unit has become after so many years, at the curve's rates."""
        return np.asarray(elapsed * np.interp(elapsed, self.curve[:, 0], self.curve[:, 1]))


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """Contracts of one expiration, ``[contracts]``: with the bumped terms as contracts of their own.

    Attributes:
        worths: ``[dividends + 1, contracts]`` now, of the share less what is priced on, once so many are paid.
    """

    ahead: Ahead
    spot: float
    strikes: Floats
    volatilities: Floats
    rate_bumps: Floats
    sign: float
    worths: Floats

    def earned(self, elapsed: Floats) -> Floats:
        """``[times, contracts]`` as `Ahead.earned`, with the bumps; of ``[times, 1]``."""
        return self.ahead.earned(elapsed) + self.rate_bumps * elapsed

    def carried(self, elapsed: Floats) -> Floats:
        """The logarithm of what the underlying has brought beside its price."""
        return self.earned(elapsed) if self.ahead.is_future else self.ahead.dividend_yield * elapsed

    def starts(self) -> Floats:
        """``[contracts]`` what they are priced on now."""
        now = np.zeros((1, 1))
        return (
            self.spot - self.shifts(now)[0]
            if self.ahead.is_escrowed
            else np.full_like(self.strikes, self.spot)
        )

    def shifts(self, elapsed: Floats) -> Floats:
        """``[times, contracts]`` the share less what is priced on: dividends to come, or less those that were paid."""
        paid = np.searchsorted(
            self.ahead.dividends[:, 0], elapsed[:, 0] * (1.0 + 1e-12) + 1e-15, side="right"
        )
        shifted: Floats = self.worths[paid] * numerics.exp(self.earned(elapsed))
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
    rate_bumps = np.repeat(_RATE_BUMP * bumps[:, 1], count)
    problem = _Problem(
        ahead=ahead,
        spot=spot,
        strikes=np.tile(strikes, len(bumps)),
        volatilities=np.outer(1.0 + _VOLATILITY_BUMP * bumps[:, 0], volatilities).ravel(),
        rate_bumps=rate_bumps,
        sign=1.0 if is_call else -1.0,
        worths=_worths(ahead, rate_bumps),
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


def _worths(ahead: Ahead, rate_bumps: Floats) -> Floats:
    """As `_Problem.worths`: of those to come, or less those that were paid."""
    times, amounts = ahead.dividends.T[:, :, None]
    worths = np.zeros((len(times) + 1, rate_bumps.size))
    worths[1:] = np.cumsum(amounts * numerics.exp(-ahead.earned(times) - rate_bumps * times), axis=0)
    return worths[-1] - worths if ahead.is_escrowed else -worths


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Nodes that drift with the forward: what a contract is worth there to whoever exercises it.

    Attributes:
        problem: Which contracts.
        start: ``[nodes, contracts]`` what they are priced on, on each node now.
    """

    problem: _Problem
    start: Floats

    def exercised(self, left: Floats, paid: float = 0.0) -> Floats:
        """``[times, 2, contracts]`` what exercise brings so many years before expiration, in money of the end: the
        slope by the start, and the constant; with a dividend of then.
        """
        of, elapsed = self.problem, (self.problem.ahead.years - left)[:, None]
        scale = of.sign * numerics.exp(of.earned(np.array([[of.ahead.years]])) - of.earned(elapsed))
        return np.stack(
            [self._moved(elapsed) * scale, (of.shifts(elapsed) + paid - of.strikes) * scale], axis=1
        )

    def worth(self, left: float, paid: float = 0.0) -> Floats:
        """``[nodes, contracts]`` the same on each node."""
        [(slope, constant)] = self.exercised(np.array([left]), paid)
        brings: Floats = np.maximum(self.start * slope + constant, 0.0)
        return brings

    def at_edges(self, left: Floats, exercised: float) -> Floats:
        """``[times, 2, contracts]`` what it is worth on the first and the last node to exercise after so many years: a
        forward, or nothing.
        """
        of, elapsed = self.problem, (self.problem.ahead.years - left)[:, None]
        then, end = np.array([[exercised]]), np.array([[of.ahead.years]])
        earned = of.earned(then)
        grown = self._moved(elapsed) * numerics.exp(
            earned - of.earned(elapsed) - of.carried(then) + of.carried(elapsed)
        )
        brings = of.sign * (self._ends * grown[:, None] + (of.shifts(then) - of.strikes))
        forward: Floats = np.maximum(brings * numerics.exp(of.earned(end) - earned), 0.0)
        return forward

    def edges(self, left: Floats, exercised: Floats) -> Floats:
        """``[times, 2, 2, contracts]`` of whoever holds the right, and of whoever does not: the most that exercise
        brings, now or on any date to come, or that at expiration.
        """
        ahead = self.problem.ahead
        without = self.at_edges(left, ahead.years)
        if ahead.exercises is None:
            held = np.maximum(without, self._ends * exercised[:, :1] + exercised[:, 1:])
        else:
            held = without
            # A stretch ends on each date: those ahead of its first moment are so of all others.
            for date in ahead.exercises[ahead.exercises >= (ahead.years - left).max()].tolist():
                held = np.maximum(held, self.at_edges(left, date))
        return np.stack([held, without], axis=1)

    @property
    def _ends(self) -> Floats:
        return self.start[:: len(self.start) - 1]

    def _moved(self, elapsed: Floats) -> Floats:
        """``[times, contracts]`` what is priced on, after so many years, over what it is now."""
        of = self.problem
        drift = of.earned(elapsed) - of.carried(elapsed) - 0.5 * of.volatilities**2 * elapsed
        moved: Floats = numerics.exp(drift)
        return moved


def _solved(problem: _Problem) -> tuple[Floats, Floats, Floats]:
    """The nodes, and at the middle five of them the values with the right and without it, ``[5, contracts]``."""
    years, dates = problem.ahead.years, problem.ahead.exercises
    reach = int(np.ceil(_REACH / _NODES_APART))
    nodes: Floats = _NODES_APART * np.arange(-reach, reach + 1.0)
    deviations = problem.volatilities * np.sqrt(years)
    grid = _Grid(problem, problem.starts() * numerics.exp(np.multiply.outer(nodes, deviations)))
    values = np.zeros((len(Value), *grid.start.shape))
    held, pressure = values[Value.HELD], values[Value.PRESSURE]
    held[:] = values[Value.EUROPEAN] = grid.worth(0.0)
    left = 0.0
    for end in _stops(problem.ahead):
        stretch = stretch_of(end - left, years, is_exercisable=dates is None)
        lefts = np.minimum(left + np.cumsum(stretch[:, 0]), end)
        exercised = grid.exercised(lefts)
        growths = 0.5 * stretch[:, 0] / years / _NODES_APART**2
        march(values, grid.start, exercised, grid.edges(lefts, exercised), growths, stretch)
        left = end
        if dates is None and end < years:
            # A moment before, whoever exercises gets the dividend too.
            np.maximum(held, grid.worth(end, _paid(problem.ahead, end)), out=held)
            pressure[:] = 0.0
        elif dates is not None and np.isclose(years - end, dates, rtol=0.0, atol=1e-12).any():
            np.maximum(held, grid.worth(end), out=held)
    middle = slice(reach - 2, reach + 3)
    scale = numerics.exp(-problem.earned(np.array([[years]])))
    return nodes, held[middle] * scale, values[Value.EUROPEAN, middle] * scale


def _stops(ahead: Ahead) -> list[float]:
    """The years left when a dividend is paid, the curve bends or exercise is possible, ascending; at last all."""
    dates = () if ahead.exercises is None else ahead.exercises.tolist()
    times = {*ahead.dividends[:, 0].tolist(), *ahead.curve[:, 0].tolist(), *dates}
    return sorted({ahead.years - each for each in times if 0.0 < each < ahead.years} | {ahead.years})


def _paid(ahead: Ahead, left: float) -> float:
    """The dividends that are paid when so many years are left."""
    times, amounts = ahead.dividends.T
    return float(amounts[np.isclose(ahead.years - times, left, rtol=0.0, atol=1e-12)].sum())

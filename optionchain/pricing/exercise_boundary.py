"""Below which price an American put is exercised, as a function of the time to expiry: one integral equation, solved.

On the boundary the put is worth its intrinsic value; the excess over the European put is what exercising earns from
then on, an integral over the boundary at later times. The logarithm of the boundary, squared, is a smooth function of
the root of the time, and thus a short series of Chebyshev polynomials, whose values at the points of interpolation
are iterated to the fixed point. A call is a put with spot and strike, and rate and yield, exchanged.

Source:
    L. Andersen, M. Lake, D. Offengenden, "High-performance American option pricing", 2016: the equation FP-B and the
    squared logarithm. That the points are gathered where the boundary bends, when it settles long before the horizon,
    is ours.
"""

from __future__ import annotations

import numpy as np

from optionchain.arrays import Floats
from optionchain.numerics import Kernel
from optionchain.numerics.elementary import exp, log
from optionchain.numerics.formula import Number, formula, routine, select
from optionchain.numerics.nodes import chebyshev_points, gauss_legendre
from optionchain.numerics.normal import ndtr
from optionchain.numerics.series import (
    add_up,
    add_up_with_numpy,
    coefficients_matrix,
    fill_polynomials,
    polynomials,
)

DEGREE = 20
"""Of the series in time."""
_QUADRATURE = 16
# The error falls by a factor of about three at each of them; by a fifth where it is slow.
_ITERATIONS, _SLOW_ITERATIONS = 18, 150
# Where it is: what a share gains by waiting, and how much of that the strike bears in interest at most.
_LEAST_GAIN, _LITTLE_INTEREST = 0.25, 0.01
# Of the logarithm between the boundary just before expiry and ever: a lower one is never reached.
_DEEPEST = 50.0
_LEAST = 1e-18
# How far the points gather towards expiry, in units of the time in which the boundary settles.
_GATHER = 0.5


_POINTS = chebyshev_points(DEGREE)[1:]
_SHARES, _WEIGHTS = gauss_legendre(_QUADRATURE)
_SERIES = coefficients_matrix(DEGREE)


@formula
def settling(rate: Number, dividend_yield: Number, volatility: Number) -> tuple[Number, Number]:
    """Drift of the logarithm of the price, and by how much of it per year the boundary settles, at least."""
    drift = rate - dividend_yield - 0.5 * volatility * volatility
    return drift, np.sqrt(drift * drift + 2.0 * rate * volatility * volatility)


@formula
def before_expiry(rate: Number, dividend_yield: Number) -> Number:
    """The logarithm of the boundary over the strike, just before expiry."""
    is_below = dividend_yield > rate
    return log(select(is_below, rate / select(is_below, dividend_yield, 1.0), 1.0))


@formula
def _depth(rate: Number, dividend_yield: Number, volatility: Number) -> Number:
    """How much lower the logarithm of the boundary is for an option that never expires."""
    drift, speed = settling(rate, dividend_yield, volatility)
    exponent = select(drift < 0.0, 2.0 * rate / (speed - drift), (speed + drift) / (volatility * volatility))
    depth = before_expiry(rate, dividend_yield) + log(1.0 + 1.0 / exponent)
    depth = select(depth < _DEEPEST, depth, _DEEPEST)
    return select(depth > _LEAST, depth, _LEAST)


@formula
def gathering(rate: Number, dividend_yield: Number, volatility: Number, horizon: Number) -> Number:
    """What `root_share` takes: small where the boundary settles long before the horizon."""
    _, speed = settling(rate, dividend_yield, volatility)
    gather = _GATHER * volatility / (speed * np.sqrt(horizon))
    return select(gather < 1e3, gather, 1e3)


def is_slow(rate: float, dividend_yield: float, horizon: float) -> bool:
    """Whether the iteration is: where a share gains a lot until the horizon, and the strike next to no interest."""
    gain = -dividend_yield
    return gain * horizon > _LEAST_GAIN and rate < _LITTLE_INTEREST * gain


@formula
def root_share(point: Number, gather: Number) -> Number:
    """The root of the time over the horizon at a point of the series in [0, 1]."""
    return gather * point / (1.0 + gather - point)


@formula
def point_of(root: Number, gather: Number) -> Number:
    """The inverse of `root_share`."""
    return root * (1.0 + gather) / (root + gather)


@formula
def _counted(drift: Number) -> Number:
    """Which probabilities are added up, those above the boundary (1) or the rest (-1): the ones that are soon over."""
    return select(drift > 0.0, -1.0, 1.0)


@formula
def _ahead(
    share: Number, weight: Number, root_time: Number, volatility: Number, speed: Number
) -> tuple[Number, Number, Number]:
    """From now to expiry: root of the time that passed, root of the time left, and the weight of the moment.

    The roots are a sine and a cosine, rational in the tangent of half the angle, so that both ends are smooth.
    """
    gather = volatility / (speed * root_time)
    tangent = root_share(share, gather)
    stretch = gather * (1.0 + gather) / ((1.0 + gather - share) * (1.0 + gather - share))
    inverse = 1.0 / (1.0 + tangent * tangent)
    sine, cosine = 2.0 * tangent * inverse, (1.0 - tangent * tangent) * inverse
    return (
        root_time * sine,
        root_time * cosine,
        weight * stretch * 4.0 * sine * cosine * inverse * root_time * root_time,
    )


@formula
def _earned(
    log_boundary: Number,
    squared: Number,
    root: Number,
    rate: Number,
    dividend_yield: Number,
    volatility: Number,
    side: Number,
) -> tuple[Number, Number]:
    """From the boundary now, the probabilities of `side` of the boundary then: of bonds and of shares."""
    total = volatility * root
    distance = log_boundary + np.sqrt(select(squared > 0.0, squared, 0.0))
    distance = (distance + (rate - dividend_yield) * root * root) / total
    return ndtr(side * (distance - 0.5 * total)), ndtr(side * (distance + 0.5 * total))


@formula
def _improved(
    before: Number, bonds: Number, shares: Number, side: Number, just_before_expiry: Number, depth: Number
) -> Number:
    """The next logarithm of the boundary, over that just before expiry."""
    bonds = select(side > 0.0, bonds, 1.0 - bonds)
    shares = select(side > 0.0, shares, 1.0 - shares)
    is_sound = select(shares > 0.0, bonds, 0.0) > 0.0
    ratio = select(is_sound, bonds, 1.0) / select(is_sound, shares, 1.0)
    proposed = select(is_sound, log(ratio) - just_before_expiry, before)
    proposed = select(proposed < 0.0, proposed, 0.0)
    return select(proposed > -depth, proposed, -depth)


@formula
def _start(root_time: Number, volatility: Number, depth: Number, slow: Number) -> Number:
    """Where to start: from the boundary just before expiry towards that of an option that never expires.

    A slow iteration that starts too low may stay there.
    """
    pace = select(slow > 0.0, -1.0, -2.0)
    return depth * (exp(pace * volatility * root_time / depth) - 1.0)


def boundaries(problems: Floats) -> Floats:
    """Solve for the boundary of each of some puts.

    Args:
        problems: ``[6, puts]`` rate, dividend yield, volatility, the longest time to expiry, `gathering` and
            `is_slow` (1 or 0). The rate is > 0, or zero with a negative yield.

    Returns:
        ``[puts, DEGREE + 1]`` Chebyshev's coefficients, in `point_of` the root of the time to expiry over the longest,
        of ``(ln(boundary / strike) - before_expiry)²``.
    """
    coefficients = np.zeros((problems.shape[1], DEGREE + 1))
    _SOLVE(problems, coefficients)
    return coefficients


@routine
def _series(values: Floats, coefficients: Floats) -> None:
    for k in range(coefficients.size):
        total = 0.0
        for j in range(values.size):
            total += _SERIES[k, j + 1] * values[j]
        coefficients[k] = total


def _solve(problems: Floats, coefficients: Floats) -> None:
    points, shares = _POINTS.size, _SHARES.size
    basis, ahead = np.empty((coefficients.shape[1], points * shares)), np.empty((8, points * shares))
    root, position, of_bonds, of_shares = ahead[0], ahead[1], ahead[2], ahead[3]
    now, squared, bonds, stock = ahead[4], ahead[5], ahead[6], ahead[7]
    roots, logs, squares = np.empty(points), np.empty(points), np.empty(points)
    for put in range(problems.shape[1]):
        rate, dividend_yield, volatility = problems[0, put], problems[1, put], problems[2, put]
        horizon, gather, slow = problems[3, put], problems[4, put], problems[5, put]
        drift, speed = settling(rate, dividend_yield, volatility)
        side = _counted(drift)
        last, depth = before_expiry(rate, dividend_yield), _depth(rate, dividend_yield, volatility)
        for i in range(points):
            roots[i] = np.sqrt(horizon) * root_share(_POINTS[i], gather)
            logs[i] = _start(roots[i], volatility, depth, slow)
            for j in range(shares):
                at = i * shares + j
                root[at], left, weight = _ahead(_SHARES[j], _WEIGHTS[j], roots[i], volatility, speed)
                position[at] = point_of(left / np.sqrt(horizon), gather)
                of_bonds[at] = rate * weight
                of_shares[at] = dividend_yield * weight
        for at in range(root.size):
            of_bonds[at] *= exp(-rate * root[at] * root[at])
            of_shares[at] *= exp(-dividend_yield * root[at] * root[at])
        fill_polynomials(position, basis)
        for _ in range(_SLOW_ITERATIONS if slow > 0.0 else _ITERATIONS):
            for i in range(points):
                squares[i] = logs[i] * logs[i]
                now[i * shares : (i + 1) * shares] = logs[i]
            _series(squares, coefficients[put])
            add_up(coefficients[put], basis, squared)
            for at in range(root.size):
                bonds[at], stock[at] = _earned(
                    now[at], squared[at], root[at], rate, dividend_yield, volatility, side
                )
            for i in range(points):
                paid, kept = _at_expiry(logs[i] + last, roots[i], rate, dividend_yield, volatility, side)
                for at in range(i * shares, (i + 1) * shares):
                    paid += of_bonds[at] * bonds[at]
                    kept += of_shares[at] * stock[at]
                logs[i] = _improved(logs[i], paid, kept, side, last, depth)
        for i in range(points):
            squares[i] = logs[i] * logs[i]
        _series(squares, coefficients[put])


@formula
def _at_expiry(
    log_boundary: Number,
    root: Number,
    rate: Number,
    dividend_yield: Number,
    volatility: Number,
    side: Number,
) -> tuple[Number, Number]:
    """The European put's part: discounted probabilities of `side` of the strike, of bonds and of shares."""
    total = volatility * root
    distance = (log_boundary + (rate - dividend_yield) * root * root) / total
    return (
        exp(-rate * root * root) * ndtr(side * (distance - 0.5 * total)),
        exp(-dividend_yield * root * root) * ndtr(side * (distance + 0.5 * total)),
    )


def _solve_with_numpy(problems: Floats, coefficients: Floats) -> None:
    rate, dividend_yield, volatility, horizon, gather, slow = problems[:, :, None]
    drift, speed = settling(rate, dividend_yield, volatility)
    side = _counted(drift)
    last, depth = before_expiry(rate, dividend_yield), _depth(rate, dividend_yield, volatility)
    roots = np.sqrt(horizon) * root_share(_POINTS, gather)
    logs = _start(roots, volatility, depth, slow)
    each = [term[:, :, None] for term in (rate, dividend_yield, volatility, side)]
    root, left, weight = _ahead(_SHARES, _WEIGHTS, roots[:, :, None], each[2], speed[:, :, None])
    position = point_of(left / np.sqrt(horizon)[:, :, None], gather[:, :, None])
    of_bonds = each[0] * weight * exp(-each[0] * root * root)
    of_shares = each[1] * weight * exp(-each[1] * root * root)
    basis = polynomials(coefficients.shape[1] - 1, position)
    rounds = np.where(slow > 0.0, _SLOW_ITERATIONS, _ITERATIONS)
    for n in range(rounds.max(initial=0)):
        coefficients[:] = _series_with_numpy(logs * logs)
        squared = add_up_with_numpy(coefficients.T[:, :, None, None], basis)
        bonds, stock = _earned(logs[:, :, None], squared, root, each[0], each[1], each[2], each[3])
        paid, kept = _at_expiry(logs + last, roots, rate, dividend_yield, volatility, side)
        for j in range(_SHARES.size):
            paid = paid + of_bonds[:, :, j] * bonds[:, :, j]
            kept = kept + of_shares[:, :, j] * stock[:, :, j]
        logs = np.where(n < rounds, _improved(logs, paid, kept, side, last, depth), logs)
    coefficients[:] = _series_with_numpy(logs * logs)


def _series_with_numpy(values: Floats) -> Floats:
    total: Floats = np.zeros((len(values), len(_SERIES)))
    for j in range(values.shape[1]):
        total = total + _SERIES[:, j + 1] * values[:, j, None]
    return total


_SOLVE = Kernel("void(float64[:, ::1], float64[:, ::1])", _solve_with_numpy, _solve)

"""Series of Chebyshev's polynomials on [0, 1]: from values to coefficients, and sums at many points."""

from __future__ import annotations

import numpy as np

from optionchain.arrays import Floats
from optionchain.numerics.formula import routine
from optionchain.numerics.nodes import chebyshev_points


def coefficients_matrix(degree: int) -> Floats:
    """``[degree + 1, degree + 1]`` from the values at `chebyshev_points` to the coefficients of the series through
    them.

    Example:
        >>> coefficients_matrix(2) @ chebyshev_points(2)  # the identity: 1/2 + 1/2 (2 x - 1)
        array([0.5, 0.5, 0. ])
    """
    basis = polynomials(degree, chebyshev_points(degree))
    basis *= 2.0 / degree
    basis[0] *= 0.5
    basis[-1] *= 0.5
    basis[:, 0] *= 0.5
    basis[:, -1] *= 0.5
    return basis


def polynomials(degree: int, points: Floats) -> Floats:
    """``[degree + 1, ...]`` the polynomials at some points."""
    basis = np.empty((degree + 1, *points.shape))
    basis[0], basis[1] = 1.0, 2.0 * points - 1.0
    for k in range(2, degree + 1):
        basis[k] = 2.0 * basis[1] * basis[k - 1] - basis[k - 2]
    return basis


def polynomial_slopes(basis: Floats) -> Floats:
    """``[degree + 1, ...]`` their slopes there."""
    slopes = np.zeros_like(basis)
    slopes[1] = 2.0
    for k in range(2, len(basis)):
        slopes[k] = 4.0 * basis[k - 1] + 2.0 * basis[1] * slopes[k - 1] - slopes[k - 2]
    return slopes


@routine
def fill_polynomials(points: Floats, basis: Floats) -> None:
    """As `polynomials`, into ``[degree + 1, points]``."""
    basis[0] = 1.0
    for j in range(points.size):
        basis[1, j] = 2.0 * points[j] - 1.0
    for k in range(2, basis.shape[0]):
        for j in range(points.size):
            basis[k, j] = 2.0 * basis[1, j] * basis[k - 1, j] - basis[k - 2, j]


@routine
def fill_slopes(basis: Floats, slopes: Floats) -> None:
    """As `polynomial_slopes`, at one point, into ``[degree + 1]``."""
    slopes[0], slopes[1] = 0.0, 2.0
    for k in range(2, slopes.size):
        slopes[k] = 4.0 * basis[k - 1] + 2.0 * basis[1] * slopes[k - 1] - slopes[k - 2]


@routine
def add_up(coefficients: Floats, basis: Floats, totals: Floats) -> None:
    """The sum of some terms at each of some points, four at a time, for memory is what takes time here.

    Args:
        coefficients: ``[terms]``, one and a multiple of four.
        basis: ``[terms, points]``.
        totals: ``[points]`` is written to.
    """
    for j in range(totals.size):
        totals[j] = coefficients[0] * basis[0, j]
    for k in range(1, coefficients.size, 4):
        c0, c1, c2, c3 = coefficients[k], coefficients[k + 1], coefficients[k + 2], coefficients[k + 3]
        t0, t1, t2, t3 = basis[k], basis[k + 1], basis[k + 2], basis[k + 3]
        for j in range(totals.size):
            totals[j] = (((totals[j] + c0 * t0[j]) + c1 * t1[j]) + c2 * t2[j]) + c3 * t3[j]


def add_up_with_numpy(coefficients: Floats, basis: Floats) -> Floats:
    """As `add_up`, and to the same bytes, for a ``[terms, ...]`` basis and coefficients that broadcast with it."""
    totals = np.asarray(coefficients[0] * basis[0])
    for k in range(1, len(coefficients)):
        totals = totals + coefficients[k] * basis[k]
    return totals

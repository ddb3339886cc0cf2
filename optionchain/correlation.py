"""Correlations of several underlyings: checked, repaired on request, and as weights of independent normals."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

from optionchain.arrays import Floats
from optionchain.errors import InvalidInput

Matrix: TypeAlias = tuple[tuple[float, ...], ...]

# What the rounding of a matrix of two decimals may leave below zero of its least eigenvalue is more than this.
_ROUNDING = 1e-10
_MOST_ROUNDS, _CLOSE = 1000, 1e-12


def checked_correlations(matrix: Matrix, size: int) -> Matrix:
    """A matrix that correlations can have.

    Args:
        matrix: Rows.
        size: How many underlyings there are.

    Raises:
        InvalidInput: ``correlations``: it is of another size, not symmetric, has something else than ones on its
            diagonal, or no normals have it: then its least eigenvalue is below zero.
    """
    _check_shape(matrix, size)
    least = float(np.linalg.eigvalsh(np.array(matrix)).min())
    if least < -_ROUNDING:
        reason = f"no prices can have these: the least eigenvalue is {least:.3g}. correlation_repair: nearest mends it"
        raise InvalidInput("correlations", reason)
    return matrix


def nearest_correlations(matrix: Matrix, size: int) -> Matrix:
    """The matrix of correlations that is nearest to a given one, by the sum of squared differences.

    Example:
        >>> wrong = ((1.0, 0.9, -0.9), (0.9, 1.0, 0.9), (-0.9, 0.9, 1.0))
        >>> [round(each, 3) for each in nearest_correlations(wrong, 3)[0]]
        [1.0, 0.5, -0.5]

    Raises:
        InvalidInput: As `checked_correlations`, but for the eigenvalues.

    Source:
        N. Higham, "Computing the nearest correlation matrix", 2002, algorithm 3.3.
    """
    _check_shape(matrix, size)
    repaired, correction = np.array(matrix), np.zeros((size, size))
    for _ in range(_MOST_ROUNDS):
        shifted = repaired - correction
        values, vectors = np.linalg.eigh(shifted)
        positive = (vectors * np.maximum(values, 0.0)) @ vectors.T
        correction = positive - shifted
        before, repaired = repaired, positive.copy()
        np.fill_diagonal(repaired, 1.0)
        if np.abs(repaired - before).max() < _CLOSE:
            break
    # A hair inside: what is on the edge may be beyond it by a rounding.
    inside = (repaired + repaired.T) / 2.0 * (1.0 - _ROUNDING)
    np.fill_diagonal(inside, 1.0)
    return _rows(np.clip(inside, -1.0, 1.0))


def of_common_factors(loadings: Matrix, size: int) -> Matrix:
    """The correlations of underlyings that move with common factors, and each by itself beside.

    Args:
        loadings: ``[size, factors]`` of each underlying: the correlation of its price with each factor.
        size: How many underlyings there are.

    Raises:
        InvalidInput: ``common_factors``: rows are missing or of different lengths, or the squares of one are above 1.

    Example:
        >>> of_common_factors(((0.8,), (0.5,)), 2)
        ((1.0, 0.4), (0.4, 1.0))
    """
    if len(loadings) != size or len({len(row) for row in loadings}) != 1:
        raise InvalidInput("common_factors", f"must have {size} rows of one length, one an underlying")
    for index, row in enumerate(loadings):
        if math.fsum(each * each for each in row) > 1.0 + _ROUNDING:
            raise InvalidInput(f"common_factors[{index}]", "must have squares that add up to at most 1")
    found = np.array(loadings) @ np.array(loadings).T
    np.fill_diagonal(found, 1.0)
    return _rows(found)


def weights_of(matrix: Matrix) -> Matrix:
    """For each underlying the weights of independent normals that sum up to its own: the lower Cholesky factor.

    The first underlying has the first normal alone, so that it is what it is without the others. In plain arithmetic,
    in one order: the same to the last bit on every machine.

    Example:
        >>> weights_of(((1.0, 0.6), (0.6, 1.0)))
        ((1.0,), (0.6, 0.8))
    """
    rows: list[list[float]] = []
    for index, correlations in enumerate(matrix):
        row: list[float] = []
        for column in range(index):
            rest = correlations[column]
            for weight, other in zip(row, rows[column], strict=False):
                rest -= weight * other
            pivot = rows[column][column]
            row.append(rest / pivot if pivot > 0.0 else 0.0)
        left = 1.0
        for weight in row:
            left -= weight * weight
        row.append(math.sqrt(left) if left > _ROUNDING else 0.0)
        rows.append(row)
    return tuple(tuple(row) for row in rows)


def _check_shape(matrix: Matrix, size: int) -> None:
    if len(matrix) != size or any(len(row) != size for row in matrix):
        raise InvalidInput(
            "correlations", f"must have {size} rows of {size} numbers, in the underlyings' order"
        )
    for row in range(size):
        if matrix[row][row] != 1.0:
            raise InvalidInput(f"correlations[{row}][{row}]", "must be 1")
        for column in range(row):
            if matrix[row][column] != matrix[column][row]:
                raise InvalidInput(f"correlations[{row}][{column}]", f"must be that of [{column}][{row}]")


def _rows(matrix: Floats) -> Matrix:
    return tuple(tuple(row) for row in matrix.tolist())

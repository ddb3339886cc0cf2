"""Each elementary function against mpmath, over the range that it promises."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

from optionchain import numerics

Floats = NDArray[np.float64]
COUNT = 3000
DIGITS = 50


def uniform(low: float, high: float) -> Floats:
    return np.random.default_rng(4).uniform(low, high, COUNT)


def powers(low: float, high: float) -> Floats:
    return 10.0 ** uniform(low, high)


def tiny() -> Floats:
    return uniform(-1.0, 1.0) ** 9


def mills(x: Any) -> Any:
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


def quantile(p: Any) -> Any:
    """By Newton's method from the function itself, which only has to be near."""
    x = mpmath.mpf(numerics.ndtri(float(p)))
    for _ in range(4):
        x -= (mills(x) - p) / mpmath.npdf(x)
    return x


def relative_errors(
    function: Callable[[Floats], Floats], exact: Callable[[Any], Any], numbers: Floats
) -> float:
    with mpmath.workdps(DIGITS):
        return max(
            float(abs(mpmath.mpf(found) - right) / abs(right))
            if (right := exact(mpmath.mpf(number)))
            else abs(found)
            for number, found in zip(numbers.tolist(), function(numbers).tolist(), strict=True)
        )


def ulps(function: Callable[[Floats], Floats], exact: Callable[[Any], Any], numbers: Floats) -> float:
    with mpmath.workdps(DIGITS):
        return max(
            float(abs(mpmath.mpf(found) - right)) / math.ulp(float(right))
            for number, found in zip(numbers.tolist(), function(numbers).tolist(), strict=True)
            for right in [exact(mpmath.mpf(number))]
        )


@pytest.mark.parametrize(
    ("function", "exact", "numbers", "most"),
    [
        (numerics.exp, mpmath.exp, uniform(-745.0, 709.7), 1.0),
        (numerics.exp, mpmath.exp, uniform(-1.0, 1.0), 1.0),
        (numerics.log, mpmath.log, powers(-308.0, 308.0), 1.0),
        (numerics.log, mpmath.log, powers(-323.0, -308.0), 1.0),
        (numerics.log, mpmath.log, uniform(0.5, 2.0), 1.0),
        (numerics.log, mpmath.log, 1.0 + 0.3 * tiny(), 1.0),
        (numerics.expm1, mpmath.expm1, uniform(-40.0, 700.0), 3.0),
        (numerics.expm1, mpmath.expm1, uniform(-2.0, 2.0), 3.0),
        (numerics.expm1, mpmath.expm1, tiny(), 3.0),
        (numerics.log1p, mpmath.log1p, uniform(-0.999, 3.0), 4.0),
        (numerics.log1p, mpmath.log1p, 0.9 * tiny(), 4.0),
    ],
)
def test_within_so_many_units_in_the_last_place(
    function: Callable[[Floats], Floats], exact: Callable[[Any], Any], numbers: Floats, most: float
) -> None:
    assert ulps(function, exact, numbers) <= most


@pytest.mark.parametrize(
    ("function", "exact", "numbers", "most"),
    [
        (numerics.ndtr, mills, uniform(-8.0, 0.0), 1e-15),
        (numerics.ndtr, mills, uniform(0.0, 9.0), 1e-15),
        (numerics.ndtr, mills, uniform(-0.1, 0.0), 1e-15),
        (numerics.ndtr, mills, uniform(-37.5, -8.0), 1e-13),
        (numerics.log_ndtr, lambda x: mpmath.log(mills(x)), uniform(-37.0, 8.0), 1e-15),
        (numerics.ndtri, quantile, uniform(0.0, 1.0)[:600], 1e-15),
        (numerics.ndtri, quantile, powers(-300.0, -1.0)[:600], 1e-15),
    ],
)
def test_within_a_relative_error(
    function: Callable[[Floats], Floats], exact: Callable[[Any], Any], numbers: Floats, most: float
) -> None:
    assert relative_errors(function, exact, numbers) <= most


@pytest.mark.parametrize(
    ("function", "number", "expected"),
    [
        (numerics.exp, 0.0, 1.0),
        (numerics.exp, -0.0, 1.0),
        (numerics.exp, 710.0, math.inf),
        (numerics.exp, math.inf, math.inf),
        (numerics.exp, -746.0, 0.0),
        (numerics.exp, -math.inf, 0.0),
        (numerics.expm1, 0.0, 0.0),
        (numerics.expm1, -math.inf, -1.0),
        (numerics.log, 1.0, 0.0),
        (numerics.log, 0.0, -math.inf),
        (numerics.log, math.inf, math.inf),
        (numerics.log1p, 0.0, 0.0),
        (numerics.log1p, -1.0, -math.inf),
        (numerics.ndtr, 0.0, 0.5),
        (numerics.ndtr, math.inf, 1.0),
        (numerics.ndtr, -math.inf, 0.0),
        (numerics.ndtr, -1e300, 0.0),
        (numerics.ndtri, 0.0, -math.inf),
        (numerics.ndtri, 0.5, 0.0),
        (numerics.ndtri, 1.0, math.inf),
    ],
)
def test_the_edges(function: Callable[[float], float], number: float, expected: float) -> None:
    assert function(number) == expected


@pytest.mark.parametrize(
    "function", [numerics.exp, numerics.expm1, numerics.log, numerics.log1p, numerics.ndtr, numerics.ndtri]
)
def test_nan_stays_nan(function: Callable[[float], float]) -> None:
    assert math.isnan(function(math.nan))


def test_a_logarithm_below_zero_is_not_a_number() -> None:
    assert math.isnan(numerics.log(-1.0))


def test_any_shape_stays_what_it_was() -> None:
    numbers = np.arange(24.0).reshape(2, 3, 4)[:, ::2].T
    numbers.flags.writeable = False

    assert numerics.exp(numbers).shape == numbers.shape
    assert numerics.exp(numbers)[1, 1, 1] == numerics.exp(float(numbers[1, 1, 1]))
    assert numerics.exp(np.empty((0, 3))).shape == (0, 3)

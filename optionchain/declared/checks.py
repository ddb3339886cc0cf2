"""Checks of single numbers, each naming the field and what it allows; NumPy's scalars become Python's own."""

from __future__ import annotations

import math

import numpy as np

from optionchain.declared.limits import HIGHEST_PATH
from optionchain.errors import InvalidInput


def finite(field: str, value: object, *, low: float = -HIGHEST_PATH, high: float = HIGHEST_PATH) -> float:
    """Return `value` as a float in ``[low, high]``.

    Raises:
        InvalidInput: It is not a number, not finite, or outside.
    """
    if type(value) is float and low <= value <= high and math.isfinite(value):
        return value  # as nearly all are: every chain asks
    number = _number(field, value)
    if not low <= number <= high:
        raise InvalidInput(field, f"must be between {low:g} and {high:g}")
    return number


def positive(field: str, value: object, *, low: float = 0.0, high: float = HIGHEST_PATH) -> float:
    """Return `value` as a float in ``[low, high]``, above zero.

    Raises:
        InvalidInput: It is not a number, not finite, or outside.
    """
    number = _number(field, value)
    if number <= 0.0:
        raise InvalidInput(field, "must be greater than zero")
    if number < low:
        raise InvalidInput(field, f"must be at least {low:g}")
    if number > high:
        raise InvalidInput(field, f"must be at most {high:g}")
    return number


def whole(field: str, value: object, *, low: int, high: int) -> int:
    """Return `value` as an int in ``[low, high]``.

    Raises:
        InvalidInput: It is not a whole number, or outside.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise InvalidInput(field, "must be a whole number")
    number = int(value)
    if not low <= number <= high:
        raise InvalidInput(field, f"must be between {low} and {high}")
    return number


def _number(field: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InvalidInput(field, "must be a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidInput(field, "must be a finite number")
    return number

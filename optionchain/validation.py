"""Checks of single numbers, each naming the field and what it allows."""

from __future__ import annotations

import math

from optionchain.errors import InvalidInput


def finite(field: str, value: object, *, low: float = -1e12, high: float = 1e12) -> float:
    """Return `value` as a float in ``[low, high]``.

    Raises:
        InvalidInput: It is not a number, not finite, or outside.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidInput(field, "must be a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidInput(field, "must be a finite number")
    if not low <= number <= high:
        raise InvalidInput(field, f"must be between {low:g} and {high:g}")
    return number


def positive(field: str, value: object, *, high: float = 1e12) -> float:
    """Return `value` as a float in ``(0, high]``."""
    number = finite(field, value, low=-math.inf, high=high)
    if number <= 0.0:
        raise InvalidInput(field, "must be greater than zero")
    return number


def whole(field: str, value: object, *, low: int, high: int) -> int:
    """Return `value` as an int in ``[low, high]``."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInput(field, "must be a whole number")
    if not low <= value <= high:
        raise InvalidInput(field, f"must be between {low} and {high}")
    return value

"""The terms of option contracts, checked and broadcast against each other."""

from __future__ import annotations

from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from optionchain.arrays import Floats
from optionchain.declared.limits import MOST_GROWTH, WIDEST_PRICED
from optionchain.errors import InvalidInput

Term: TypeAlias = Floats | float
Scalar = TypeVar("Scalar", bound=np.generic)

# Wider than any market, and narrow enough that no intermediate result overflows.
_RANGES = {
    "spot": (1.0 / WIDEST_PRICED, WIDEST_PRICED),
    "strike": (1.0 / WIDEST_PRICED, WIDEST_PRICED),
    "expiry_years": (0.0, 1e4),
    "volatility": (0.0, 1e3),
    "rate": (-1e3, 1e3),
    "dividend_yield": (-1e3, 1e3),
}


def numbers(field: str, value: ArrayLike) -> Floats:
    """Return `value` as floats of its own shape.

    Raises:
        InvalidInput: It is not numeric, or ragged.
    """
    try:
        array = np.asarray(value)
    except ValueError:
        raise InvalidInput(field, "must be numbers in rows of equal length") from None
    if array.dtype.kind not in "fiu":
        raise InvalidInput(field, "must be numbers")
    return np.asarray(array, dtype=np.float64)


def checked(**terms: ArrayLike) -> dict[str, Floats]:
    """Return the terms as floats, each within the range that its name has in `_RANGES`.

    Raises:
        InvalidInput: A term is not numeric, not finite or out of range, or grows beyond e^100 until expiry.
    """
    arrays = {field: numbers(field, value) for field, value in terms.items()}
    for field, array in arrays.items():
        low, high = _RANGES[field]
        if not np.all((array >= low) & (array <= high)):
            raise InvalidInput(field, f"must be between {low:g} and {high:g}")
    longest = arrays["expiry_years"].max(initial=0.0)
    for field in ("rate", "dividend_yield"):
        if np.abs(arrays[field]).max(initial=0.0) * longest > MOST_GROWTH:
            raise InvalidInput(field, f"times expiry_years must be at most {MOST_GROWTH:g} in size")
    return arrays


def common_shape(**terms: ArrayLike) -> tuple[int, ...]:
    """Return the shape that the terms broadcast to.

    Raises:
        InvalidInput: There is none.
    """
    shapes = {field: np.shape(value) for field, value in terms.items()}
    try:
        return np.broadcast_shapes(*shapes.values())
    except ValueError:
        described = ", ".join(f"{field} {list(shape)}" for field, shape in shapes.items() if shape)
        raise InvalidInput("", f"the shapes do not broadcast: {described}") from None


def flat(term: NDArray[Scalar], shape: tuple[int, ...]) -> NDArray[Scalar]:
    """Return one entry a contract, in a flat array."""
    return np.broadcast_to(term, shape).ravel()


def flat_unless_single(term: Floats, shape: tuple[int, ...]) -> Term:
    """Return a float if there is just one number, which saves its arithmetic per contract."""
    return float(term) if term.ndim == 0 else flat(term, shape)

"""The elementary functions for arrays of any shape, and for single floats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

import numpy as np

from optionchain.arrays import Floats
from optionchain.numerics import elementary, normal
from optionchain.numerics.engine import Kernel


class Elementwise:
    """A formula of one number, applied to each of an array.

    Args:
        formula: Its bounds and edges are in its own docstring.
    """

    def __init__(self, formula: Callable[[Any], Any]) -> None:
        self.__doc__ = formula.__doc__

        def plain(numbers: Floats, results: Floats) -> None:
            results[:] = formula(numbers)

        def loop(numbers: Floats, results: Floats) -> None:
            for index in range(numbers.size):
                results[index] = formula(numbers[index])

        self._kernel = Kernel("void(float64[::1], float64[::1])", plain, loop)

    @overload
    def __call__(self, numbers: float) -> float: ...
    @overload
    def __call__(self, numbers: Floats) -> Floats: ...
    def __call__(self, numbers: float | Floats) -> float | Floats:
        """The function of each number, in a new array of the same shape; a float for a float."""
        if isinstance(numbers, float | int):
            single, result = np.array([numbers], dtype=np.float64), np.empty(1)
            self._kernel(single, result)
            return float(result[0])
        contiguous = np.ascontiguousarray(numbers, dtype=np.float64)
        if not contiguous.flags.writeable:
            contiguous = contiguous.copy()  # the kernel is compiled for arrays that may be written to
        results = np.empty_like(contiguous)
        self._kernel(contiguous.reshape(-1), results.reshape(-1))
        return results.reshape(np.shape(numbers))


exp = Elementwise(elementary.exp)
expm1 = Elementwise(elementary.expm1)
log = Elementwise(elementary.log)
log1p = Elementwise(elementary.log1p)
ndtr = Elementwise(normal.ndtr)
log_ndtr = Elementwise(normal.log_ndtr)
ndtri = Elementwise(normal.ndtri)

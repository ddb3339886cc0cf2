"""Antithetic draws: every odd path mirrors the even one before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

import numpy as np

from optionchain.arrays import Paths
from optionchain.draws.philox import Factor, PhiloxDraws
from optionchain.errors import InvalidInput

# The greatest uniform below 1: mirrored, 0 gives it and it gives 0.
_HIGHEST = 1.0 - 2.0**-53


@dataclass(frozen=True, slots=True)
class AntitheticDraws:
    """Pairs of paths ``2j, 2j + 1`` with the normals z and -z, the uniforms u and 1 - 2^-53 - u.

    Path 2j has the numbers of `PhiloxDraws` path j. The mean of a monotone measure over a pair varies less
    than over two independent paths; the pairs are independent of each other.

    Args:
        seed: 0 to 2^64 - 1.
        first_path: Even, >= 0.
        paths: Even, >= 2.

    Raises:
        InvalidInput: One of them is out of range.

    Example:
        >>> pair = AntitheticDraws(7, paths=2).normals(Factor.PRICE, 3)
        >>> bool((pair[0] == -pair[1]).all())
        True

    Source:
        P. Glasserman, "Monte Carlo Methods in Financial Engineering", 2003, section 4.2.
    """

    seed: int
    _: KW_ONLY
    first_path: int = 0
    paths: int = 2

    def __post_init__(self) -> None:
        for field, number in (("first_path", self.first_path), ("paths", self.paths)):
            if number % 2:
                raise InvalidInput(field, "must be even: paths are mirrored in pairs")
        self._originals()

    def normals(self, factor: Factor, steps: int) -> Paths:
        """Standard normals, ``[paths, steps]``."""
        return self._mirrored(self._originals().normals(factor, steps), np.negative)

    def uniforms(self, factor: Factor, steps: int) -> Paths:
        """Multiples of 2^-53 in [0, 1), ``[paths, steps]``."""
        return self._mirrored(self._originals().uniforms(factor, steps), lambda row: _HIGHEST - row)

    def _originals(self) -> PhiloxDraws:
        return PhiloxDraws(self.seed, first_path=self.first_path // 2, paths=self.paths // 2)

    def _mirrored(self, originals: Paths, mirror: Callable[[Paths], Paths]) -> Paths:
        numbers = np.empty((self.paths, originals.shape[1]))
        numbers[0::2] = originals
        numbers[1::2] = mirror(originals)
        return numbers

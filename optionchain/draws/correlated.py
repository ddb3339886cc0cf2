"""The random numbers of one of several underlyings, whose prices move together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from optionchain.arrays import Paths
from optionchain.draws.philox import MAX_WORD, Draws, Factor

OpenStream: TypeAlias = Callable[[int], Draws]
"""Makes the draws of a seed, of the paths and in the way that are wanted."""


def seed_of_stream(seed: int, stream: int) -> int:
    """The seed of one of several streams; that of the first is the seed itself.

    Source:
        SplitMix64: G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
    """
    if stream == 0:
        return seed
    word = (seed + stream * 0x9E3779B97F4A7C15) & MAX_WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MAX_WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MAX_WORD
    return word ^ (word >> 31)


@dataclass(frozen=True, slots=True)
class CorrelatedDraws:
    """Streams of one seed: the normals of the price are a weighted sum of those of several, all else is of one's own.

    Args:
        seed: Of all underlyings.
        stream: Whose own: 0 is the first underlying's.
        weights: Of the streams from 0 on; the sum of their squares is 1.
        open_stream: Makes the draws of a seed.
    """

    seed: int
    stream: int
    weights: tuple[float, ...]
    open_stream: OpenStream

    @property
    def paths(self) -> int:
        """Number of paths."""
        return self._of(self.stream).paths

    def normals(self, factor: Factor, steps: int) -> Paths:
        """Standard normals, ``[paths, steps]``."""
        if factor is not Factor.PRICE:
            return self._of(self.stream).normals(factor, steps)
        total: Paths | None = None
        for stream, weight in enumerate(self.weights):
            if weight != 0.0:
                drawn = self._of(stream).normals(factor, steps)
                drawn *= weight
                total = drawn if total is None else np.add(total, drawn, out=total)
        if total is None:
            raise ValueError("an underlying has a weight")
        return total

    def uniforms(self, factor: Factor, steps: int) -> Paths:
        """Uniforms in [0, 1), ``[paths, steps]``."""
        return self._of(self.stream).uniforms(factor, steps)

    def _of(self, stream: int) -> Draws:
        return self.open_stream(seed_of_stream(self.seed, stream))

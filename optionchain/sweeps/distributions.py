"""Quantiles and tail means of one measure: exact while its values can be kept, and from fine buckets beyond.

Both give the same answer whatever the blocks were and in whatever order they were merged. Sketches that
compact at random or by arrival (KLL, t-digest) do not, so the second one is DDSketch's: counts in buckets of
equal relative width, which add up exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from optionchain import numerics
from optionchain.arrays import Floats

# Up to so many paths a scenario's values are kept: 0.8 MB a measure while the scenario is being computed.
MOST_EXACT_PATHS = 100_000

RELATIVE_ACCURACY = 1e-4
_GAMMA = (1.0 + RELATIVE_ACCURACY) / (1.0 - RELATIVE_ACCURACY)
# Sizes below it count as zero; it puts every other size's bucket above 0, which leaves the sign to the key.
_LEAST = 1e-12
_LOG_GAMMA = numerics.log(_GAMMA)
_OFFSET = 1 - math.floor(numerics.log(_LEAST) / _LOG_GAMMA)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """All values.

    Attributes:
        values: ``[paths]`` in any order.
    """

    values: Floats

    def merged(self, other: Sample) -> Sample:
        """The values of both."""
        return Sample(np.concatenate([self.values, other.values]))

    def ordered(self) -> Ordered:
        """The values in ascending order."""
        return Ordered(np.sort(self.values), np.ones(self.values.size))

    def arrays(self) -> dict[str, Floats]:
        """Everything, as arrays that `from_arrays` reads."""
        return {"values": self.values}


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """Counts of values in buckets whose borders are powers of one number.

    Attributes:
        keys: ``[buckets]`` whole, ascending; negative for negative values, 0 for zero.
        counts: ``[buckets]`` >= 1.

    Source:
        C. Masson, J. Rim, H. Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error
        Guarantees", VLDB 2019. One value is at most 0.01 % from what its bucket stands for.
    """

    keys: NDArray[np.int64]
    counts: Floats

    @classmethod
    def of(cls, values: Floats) -> Buckets:
        """Of values ``[paths]``, finite."""
        sizes = np.abs(values)
        is_zero = sizes < _LEAST
        keys = np.ceil(numerics.log(np.where(is_zero, 1.0, sizes)) / _LOG_GAMMA).astype(np.int64) + _OFFSET
        keys = np.where(is_zero, 0, keys * np.sign(values).astype(np.int64))
        return cls(*_counted(keys, np.ones(values.size)))

    def merged(self, other: Buckets) -> Buckets:
        """Of the values of both."""
        return Buckets(
            *_counted(np.concatenate([self.keys, other.keys]), np.concatenate([self.counts, other.counts]))
        )

    def ordered(self) -> Ordered:
        """What the buckets stand for, in ascending order."""
        powers = np.abs(self.keys) - _OFFSET
        sizes = numerics.exp(powers * _LOG_GAMMA) * (2.0 / (1.0 + _GAMMA))
        return Ordered(np.where(self.keys == 0, 0.0, np.sign(self.keys) * sizes), self.counts)

    def arrays(self) -> dict[str, Floats]:
        """Everything, as arrays that `distribution_from` reads."""
        return {"keys": self.keys.astype(np.float64), "counts": self.counts}


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """Values in ascending order, each with how often it occurs.

    Attributes:
        values: ``[values]``.
        counts: ``[values]`` >= 1.
    """

    values: Floats
    counts: Floats

    def quantiles(self, levels: Floats) -> Floats:
        """``[levels]`` by linear interpolation between order statistics, as `numpy.quantile` does.

        Args:
            levels: In [0, 1].
        """
        last = np.cumsum(self.counts)
        positions = levels * (last[-1] - 1.0)
        below = np.floor(positions)
        low, high = (
            self.values[np.searchsorted(last, rank, side="right")] for rank in (below, np.ceil(positions))
        )
        interpolated: Floats = low + (positions - below) * (high - low)
        return interpolated

    def tail_mean(self, level: float) -> float:
        """Mean of the lowest `level` of all values, a value that is cut counting in part.

        Source:
            C. Acerbi, D. Tasche, "On the coherence of expected shortfall", 2002, definition 2.6.
        """
        wanted = level * float(self.counts.sum())
        before = np.cumsum(self.counts) - self.counts
        weights = np.clip(wanted - before, 0.0, self.counts)
        return math.fsum(weights * self.values) / wanted


Distribution: TypeAlias = Sample | Buckets


def distribution_of(values: Floats, *, paths: int) -> Distribution:
    """Of some of the values of a scenario.

    Args:
        values: ``[paths of the block]``, finite.
        paths: Of the whole scenario; they decide which kind it is.
    """
    return Sample(values) if paths <= MOST_EXACT_PATHS else Buckets.of(values)


def merged_distributions(one: Distribution, other: Distribution) -> Distribution:
    """Of the values of both, which are of one kind."""
    if isinstance(one, Sample) and isinstance(other, Sample):
        return one.merged(other)
    if isinstance(one, Buckets) and isinstance(other, Buckets):
        return one.merged(other)
    raise TypeError("distributions of one scenario are of one kind")


def distribution_from(arrays: dict[str, Floats]) -> Distribution:
    """The inverse of ``arrays()``."""
    if "values" in arrays:
        return Sample(arrays["values"])
    return Buckets(arrays["keys"].astype(np.int64), arrays["counts"])


def _counted(keys: NDArray[np.int64], counts: Floats) -> tuple[NDArray[np.int64], Floats]:
    distinct, which = np.unique(keys, return_inverse=True)
    return distinct, np.bincount(which, weights=counts).astype(np.float64)

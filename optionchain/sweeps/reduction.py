"""What is kept of a scenario's paths: mergeable parts, and the row of statistics that they end in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np

from optionchain.arrays import Floats
from optionchain.sweeps.distributions import (
    Distribution,
    distribution_from,
    distribution_of,
    merged_distributions,
)
from optionchain.sweeps.moments import Moments, Replicates, controlled
from optionchain.sweeps.sampling import Groups, Sampling

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some paths of a scenario, reduced.

    Attributes:
        moments: Of the measures, and of the control where there is one.
        groups: Of the independent observations among the paths; the same object as `moments` where every
            path is one.
        lows, highs: ``[measures]``.
        distributions: One a measure.
    """

    moments: Moments
    groups: Groups
    lows: Floats
    highs: Floats
    distributions: tuple[Distribution, ...]

    @classmethod
    def of(cls, values: Floats, *, measures: int, sampling: Sampling, paths: int) -> Part:
        """Of values ``[measures and control, paths of the block]``.

        Args:
            values: Finite.
            measures: How many of the rows are measures.
            sampling: How the paths were drawn.
            paths: Of the whole scenario.
        """
        moments = Moments.of(values)
        measured = values[:measures]
        return cls(
            moments,
            moments if sampling.grouped == Moments.of else sampling.grouped(values),
            measured.min(axis=1),
            measured.max(axis=1),
            tuple(distribution_of(row, paths=paths) for row in measured),
        )

    def merged(self, other: Part) -> Part:
        """Of the paths of both."""
        moments = self.moments.merged(other.moments)
        return Part(
            moments,
            moments if self.groups is self.moments else _merged_groups(self.groups, other.groups),
            np.minimum(self.lows, other.lows),
            np.maximum(self.highs, other.highs),
            tuple(map(merged_distributions, self.distributions, other.distributions)),
        )

    def arrays(self) -> dict[str, Floats]:
        """Everything, as named arrays that `part_from` reads."""
        named = {"lows": self.lows, "highs": self.highs} | _prefixed("moments", self.moments.arrays())
        if self.groups is not self.moments:
            named |= _prefixed("groups", self.groups.arrays())
        for index, distribution in enumerate(self.distributions):
            named |= _prefixed(f"distribution{index}", distribution.arrays())
        return named


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Which numbers are reported of each measure, in which order.

    Attributes:
        measures: Names.
        profits: Which of them are profits and losses, and so have a tail risk.
        quantiles: Levels in [0, 1].
        tail: Share of the worst paths that value at risk and expected shortfall look at, in (0, 1).
        has_control: Whether the last variable is a control variate.
        has_covariances: Whether the covariance of each pair of measures is reported.
    """

    measures: tuple[str, ...]
    profits: tuple[bool, ...]
    quantiles: tuple[float, ...]
    tail: float
    has_control: bool
    has_covariances: bool

    MOMENTS: ClassVar = ("mean", "std", "std_error", "min", "max")
    CONTROLLED: ClassVar = ("controlled_mean", "controlled_std_error")
    TAIL: ClassVar = ("value_at_risk", "expected_shortfall")

    def columns(self) -> list[str]:
        """The names of the numbers of `row`."""
        of_measures = [f"{name}_{what}" for name, is_profit in self._each() for what in self._of(is_profit)]
        pairs = [f"{one}_{other}_covariance" for one, other in self._pairs(self.measures)]
        return of_measures + pairs

    @property
    def count(self) -> int:
        """How many numbers a row has, without naming them: there may be half a million."""
        pairs = len(self.measures) * (len(self.measures) - 1) // 2 if self.has_covariances else 0
        return pairs + sum(
            len(self.MOMENTS)
            + (len(self.CONTROLLED) if self.has_control else 0)
            + len(self.quantiles)
            + (len(self.TAIL) if is_profit else 0)
            for is_profit in self.profits
        )

    def row(self, part: Part, known_mean: float | None) -> Floats:
        """The numbers of a whole scenario.

        Args:
            part: Of all of its paths.
            known_mean: Of the control, where there is one.
        """
        count = len(self.measures)
        covariances = part.moments.covariances()
        estimate = part.groups.moments()
        rows = [
            estimate.means[:count],
            np.sqrt(covariances.diagonal()[:count]),
            estimate.standard_errors()[:count],
            part.lows,
            part.highs,
        ]
        table = np.column_stack(
            [*rows, *(controlled(estimate, known_mean) if known_mean is not None else ())]
        )
        numbers = [
            [*moments, *self._of_distribution(distribution, is_profit)]
            for moments, distribution, (_, is_profit) in zip(
                table.tolist(), part.distributions, self._each(), strict=True
            )
        ]
        pairs = [covariances[pair] for pair in self._pairs(range(count))]
        return np.array([number for row in numbers for number in row] + pairs, dtype=np.float64)

    def _of(self, is_profit: bool) -> list[str]:
        quantiles = [f"q{100 * level:g}" for level in self.quantiles]
        controlled = self.CONTROLLED if self.has_control else ()
        return [*self.MOMENTS, *controlled, *quantiles, *(self.TAIL if is_profit else ())]

    def _of_distribution(self, distribution: Distribution, is_profit: bool) -> list[float]:
        ordered = distribution.ordered()
        levels = [*self.quantiles, *([self.tail] if is_profit else [])]
        numbers: list[float] = ordered.quantiles(np.array(levels, dtype=np.float64)).tolist()
        if is_profit:
            numbers[-1] = -numbers[-1]
            numbers.append(-ordered.tail_mean(self.tail))
        return numbers

    def _each(self) -> list[tuple[str, bool]]:
        return list(zip(self.measures, self.profits, strict=True))

    def _pairs(self, items: Sequence[Item]) -> list[tuple[Item, Item]]:
        if not self.has_covariances:
            return []
        return [(one, other) for index, one in enumerate(items) for other in items[index + 1 :]]


def part_from(arrays: Mapping[str, Floats]) -> Part:
    """The inverse of `Part.arrays`."""
    moments = Moments.from_arrays(_under("moments", arrays))
    groups: Groups = moments
    if grouped := _under("groups", arrays):
        groups = (Replicates if "sums" in grouped else Moments).from_arrays(grouped)
    distributions = tuple(
        distribution_from(_under(f"distribution{index}", arrays)) for index in range(len(arrays["lows"]))
    )
    return Part(moments, groups, arrays["lows"], arrays["highs"], distributions)


def _merged_groups(one: Groups, other: Groups) -> Groups:
    if isinstance(one, Moments) and isinstance(other, Moments):
        return one.merged(other)
    if isinstance(one, Replicates) and isinstance(other, Replicates):
        return one.merged(other)
    raise TypeError("parts of one scenario are drawn in one way")


def _prefixed(prefix: str, arrays: Mapping[str, Floats]) -> dict[str, Floats]:
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def _under(prefix: str, arrays: Mapping[str, Floats]) -> dict[str, Floats]:
    return {
        name.removeprefix(prefix + "."): array
        for name, array in arrays.items()
        if name.startswith(prefix + ".")
    }

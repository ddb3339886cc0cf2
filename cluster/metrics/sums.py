"""Our metrics of several nodes summed over their processes: of Ray's labels none remains."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from prometheus_client.parser import text_string_to_metric_families

from adapters.metrics.rows import Count, Histogram, Level
from adapters.metrics.sums import BUCKET_LABEL
from adapters.metrics.table import METRICS

RAY_PREFIX = "ray_"
OUR_PREFIX = "optionchain_"
TOTAL = "_total"

Values: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """All lines of one name.

    Attributes:
        labels: Their names.
        values: What each line says, by the values of its labels.
    """

    labels: tuple[str, ...]
    values: dict[Values, float] = field(default_factory=dict)

    def total(self) -> float:
        """All lines together."""
        return math.fsum(self.values.values())

    def regrouped(
        self, labels: Mapping[str, str], where: Callable[[Mapping[str, str]], bool] = lambda _: True
    ) -> Sample:
        """The sums by other labels.

        Args:
            labels: The old name of each new label.
            where: Which lines are summed, by their old labels.
        """
        sums: defaultdict[Values, float] = defaultdict(float)
        for values, amount in self.values.items():
            old = dict(zip(self.labels, values, strict=True))
            if where(old):
                sums[tuple(old[name] for name in labels.values())] += amount
        return Sample(tuple(labels), dict(sums))


Samples: TypeAlias = dict[str, Sample]
"""By name, as Prometheus has it: `..._total`, `..._bucket`; of each row of the table all that there are."""


def summed(pages: Iterable[str]) -> Samples:
    """The samples of our metrics, over all pages of Ray's agents.

    A counter or a distribution of which nothing has come yet is 0, where its labels are known.
    """
    found: defaultdict[str, list[tuple[Mapping[str, str], float]]] = defaultdict(list)
    for page in pages:
        for family in text_string_to_metric_families(page):
            if family.name.startswith(RAY_PREFIX + OUR_PREFIX):
                for sample in family.samples:
                    found[sample.name.removeprefix(RAY_PREFIX)].append((sample.labels, sample.value))
    samples: Samples = {}
    for row in METRICS:
        match row:
            case Count():
                samples[row.name + TOTAL] = _with_zeros(
                    _together(found[row.name + TOTAL], row.labels, math.fsum), _known(row)
                )
            case Level():
                samples[row.name] = _together(found[row.name], row.labels, row.over_processes)
            case Histogram():
                samples |= _distribution(row, found)
    return samples


def _distribution(row: Histogram, found: Mapping[str, list[tuple[Mapping[str, str], float]]]) -> Samples:
    parts = {"_bucket": (*row.labels, BUCKET_LABEL), "_sum": row.labels, "_count": row.labels}
    samples = {
        row.name + part: _together(found.get(row.name + part + TOTAL, []), labels, math.fsum)
        for part, labels in parts.items()
    }
    if not row.labels:
        bounds = [*(f"{bound:g}" for bound in row.buckets), "+Inf"]
        lines_of: dict[str, list[Values]] = {
            "_bucket": [(bound,) for bound in bounds],
            "_sum": [()],
            "_count": [()],
        }
        for part, lines in lines_of.items():
            samples[row.name + part] = _with_zeros(samples[row.name + part], lines)
    return samples


def _together(
    lines: Iterable[tuple[Mapping[str, str], float]],
    labels: tuple[str, ...],
    together: Callable[[Sequence[float]], float],
) -> Sample:
    gathered: defaultdict[Values, list[float]] = defaultdict(list)
    for given, value in lines:
        gathered[tuple(given.get(label, "") for label in labels)].append(value)
    return Sample(labels, {values: float(together(amounts)) for values, amounts in gathered.items()})


def _known(row: Count) -> list[Values]:
    return [(value,) for value in row.known] if row.known else [] if row.labels else [()]


def _with_zeros(sample: Sample, lines: Iterable[Values]) -> Sample:
    return Sample(sample.labels, dict.fromkeys(lines, 0.0) | sample.values)

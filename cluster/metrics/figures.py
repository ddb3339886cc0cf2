"""What happened between two readings of the service's metrics: rates, and how long things took.

Quantiles are those of PromQL's `histogram_quantile`: linear within a bucket, the last bound where all is beyond it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from adapters.metrics.sums import BUCKET_LABEL
from cluster.metrics.sums import TOTAL, Sample, Samples, Values

SLOW_QUANTILE = 0.99


@dataclass(frozen=True, slots=True)
class Timing:
    """What was observed of one thing meanwhile.

    Attributes:
        labels: What it is, by the metric's own labels.
        rate: How often, a second.
        median: In the unit of the metric; NaN of nothing.
        slow: The 99th of 100, the same.
    """

    labels: Values
    rate: float
    median: float
    slow: float


@dataclass(frozen=True, slots=True)
class Reading:
    """The metrics of one moment.

    Attributes:
        at: Seconds of a monotonic clock.
        samples: Of the service's page.
    """

    at: float
    samples: Samples


def read(page: str) -> Samples:
    """The samples of a page of Prometheus text, as `GET /metrics` has them."""
    samples: Samples = {}
    for family in text_string_to_metric_families(page):
        for line in family.samples:
            sample = samples.setdefault(line.name, Sample(tuple(sorted(line.labels))))
            sample.values[tuple(line.labels[name] for name in sample.labels)] = line.value
    return samples


@dataclass(frozen=True, slots=True)
class Between:
    """Two readings, the earlier first; what was counted from 0 anew meanwhile counts whole."""

    before: Reading
    after: Reading

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.after.at - self.before.at

    def level(self, name: str) -> float:
        """What a gauge is now, over all its lines; 0 where there is none."""
        sample = self.after.samples.get(name)
        return sample.total() if sample else 0.0

    def rate(self, counter: str, **where: str) -> float:
        """How much more a counter is, a second, over its lines with these labels."""
        increases = self._increases(counter + TOTAL)
        return self._per_second(
            math.fsum(more for labels, more in increases if where.items() <= labels.items())
        )

    def timings(self, histogram: str, *by: str) -> list[Timing]:
        """How often and how long, by some of the histogram's labels; the most frequent first."""
        groups: defaultdict[Values, dict[float, float]] = defaultdict(lambda: defaultdict(float))
        for labels, more in self._increases(histogram + "_bucket"):
            groups[tuple(labels[name] for name in by)][float(labels[BUCKET_LABEL])] += more
        timings = [self._timing(labels, buckets) for labels, buckets in groups.items()]
        return sorted((each for each in timings if each.rate), key=lambda each: (-each.rate, each.labels))

    def _timing(self, labels: Values, buckets: Mapping[float, float]) -> Timing:
        rate = self._per_second(buckets[math.inf])
        return Timing(labels, rate, quantile(0.5, buckets), quantile(SLOW_QUANTILE, buckets))

    def _per_second(self, amount: float) -> float:
        return amount / self.seconds if self.seconds > 0 else 0.0

    def _increases(self, name: str) -> Iterator[tuple[Mapping[str, str], float]]:
        now = self.after.samples.get(name, Sample(()))
        earlier = self.before.samples.get(name, Sample(())).values
        for values, value in now.values.items():
            more = value - earlier.get(values, 0.0)
            yield dict(zip(now.labels, values, strict=True)), more if more >= 0 else value


def quantile(share: float, buckets: Mapping[float, float]) -> float:
    """Where so large a share of the observations is below.

    Args:
        share: Between 0 and 1.
        buckets: How many observations are at most each upper bound; the last bound is infinite.
    """
    bounds = sorted(buckets)
    total = buckets[bounds[-1]] if bounds else 0.0
    if total <= 0:
        return math.nan
    lower, below = 0.0, 0.0
    for bound in bounds:
        if buckets[bound] >= share * total:
            if math.isinf(bound):
                return lower
            return lower + (bound - lower) * (share * total - below) / (buckets[bound] - below)
        lower, below = bound, buckets[bound]
    return lower

"""Our metrics of the whole cluster as a page of Prometheus text, under their own names and the Rust service's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client import Metric, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from adapters.metrics.rows import Count, Histogram
from adapters.metrics.table import METRICS
from cluster.metrics.aliases import ALIASES
from cluster.metrics.sums import TOTAL, Sample, Samples

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def page_of(samples: Samples) -> bytes:
    """The samples as text, each family once."""
    families: dict[str, Metric] = {}
    for row in METRICS:
        kind = "histogram" if isinstance(row, Histogram) else "counter" if isinstance(row, Count) else "gauge"
        families[row.name] = _family(row.name, row.description, kind, samples)
    for alias in ALIASES:
        name = alias.name.removesuffix(TOTAL) if alias.kind == "counter" else alias.name
        families[name] = _family(name, f"As {alias.of}", alias.kind, alias.samples(samples))
    return generate_latest(_Families([family for family in families.values() if family.samples]))


def _family(name: str, description: str, kind: str, samples: Samples) -> Metric:
    family = Metric(name, description, kind)
    endings = {"histogram": ("_bucket", "_sum", "_count"), "counter": (TOTAL,), "gauge": ("",)}[kind]
    for ending in endings:
        for labels, value in _lines(samples[name + ending]):
            family.add_sample(name + ending, labels, value)
    return family


def _lines(sample: Sample) -> Iterable[tuple[dict[str, str], float]]:
    for values, value in sorted(sample.values.items(), key=lambda line: [_in_order(v) for v in line[0]]):
        yield dict(zip(sample.labels, values, strict=True)), value


def _in_order(value: str) -> tuple[float, str]:
    """Bounds of buckets by their size."""
    try:
        return float(value), ""
    except ValueError:
        return 0.0, value


class _Families:
    """What prometheus_client writes; see its `Collector`."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Sequence[Metric]:
        return self._families

"""Our metrics of the whole cluster as one page: a replica knows only its own process, Ray's agents know them all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence

import httpx
import ray
from prometheus_client import Metric, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.parser import text_string_to_metric_families

from optionchain.errors import Unavailable

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
RAY_PREFIX = "ray_"
OUR_PREFIX = "optionchain_"
TIMEOUT_SECONDS = 3.0


async def cluster_metrics() -> bytes:
    """Prometheus text of the ``optionchain_*`` series of every node that answers.

    Raises:
        Unavailable: No node answers.
    """
    pages = [page for page in await _pages() if page is not None]
    if not pages:
        raise Unavailable("the metrics of the cluster")
    # Of a cluster, to read them takes longer than a loop may be held.
    return await asyncio.to_thread(merged, pages)


def merged(pages: Iterable[str]) -> bytes:
    """One page out of those of several nodes: each family once, with the samples of all, under our own name."""
    families: dict[str, Metric] = {}
    for page in pages:
        for family in _ours(page):
            families.setdefault(family.name, family)
            if families[family.name] is not family:
                families[family.name].samples += family.samples
    return generate_latest(_Families(list(families.values())))


class _Families:
    """What prometheus_client writes; see its `Collector`."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Sequence[Metric]:
        return self._families


def _ours(page: str) -> Iterator[Metric]:
    for family in text_string_to_metric_families(page):
        if family.name.startswith(RAY_PREFIX + OUR_PREFIX):
            family.name = family.name.removeprefix(RAY_PREFIX)
            family.samples = [
                sample._replace(name=sample.name.removeprefix(RAY_PREFIX)) for sample in family.samples
            ]
            yield family


async def _pages() -> list[str | None]:
    nodes = [node for node in await asyncio.to_thread(ray.nodes) if node["Alive"]]
    urls = [f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics" for node in nodes]
    async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as agents:
        return list(await asyncio.gather(*(_page(agents, url) for url in urls)))


async def _page(agents: httpx.AsyncClient, url: str) -> str | None:
    try:
        return (await agents.get(url)).raise_for_status().text
    except httpx.HTTPError:
        return None

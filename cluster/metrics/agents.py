"""Our metrics from Ray's agents: a replica knows only its own process, they know them all."""

from __future__ import annotations

import asyncio

import httpx
import ray

from cluster.metrics.page import page_of
from cluster.metrics.sums import Samples, summed
from optionchain.errors import Unavailable

TIMEOUT_SECONDS = 3.0


async def cluster_metrics() -> bytes:
    """Prometheus text of the ``optionchain_*`` series of every node that answers, and of their other names.

    Raises:
        Unavailable: No node answers.
    """
    return page_of(await cluster_samples())


async def cluster_samples() -> Samples:
    """The same as figures.

    Raises:
        Unavailable: No node answers.
    """
    pages = [page for page in await _pages() if page is not None]
    if not pages:
        raise Unavailable("the metrics of the cluster")
    # Of a cluster, to read them takes longer than a loop may be held.
    return await asyncio.to_thread(summed, pages)


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

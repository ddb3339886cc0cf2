"""The metrics of sweeps, as Prometheus reads them."""

import asyncio
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.metrics.hand_over import ray_metrics
from cluster.metrics.agents import cluster_metrics
from cluster.sweeps.ray_engine import OnRay
from optionchain.sweeps import Silent
from tests.unit.sweeps.sweep_examples import sweep
from tests.waiting import passing, take, until

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("ray_address")]

PATIENCE_SECONDS = 60.0
# As the cluster of these tests is told to report.
REPORT_SECONDS = 0.5


async def page():
    text = (await cluster_metrics()).decode()
    return [
        sample
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if family.name.startswith("optionchain_sweep")
    ]


def total(samples, name):
    return sum(sample.value for sample in samples if sample.name == f"optionchain_sweep_{name}")


async def page_where(is_true):
    async def found():
        samples = await page()
        return samples if is_true(samples) else None

    return await until(found, "the metrics say so", patience_seconds=PATIENCE_SECONDS)


async def settled():
    """What there is when nothing more comes of the sweeps before this one."""
    found, since = await page(), time.monotonic()
    while time.monotonic() - since < 4 * REPORT_SECONDS:
        await passing(0.1)
        if (now := await page()) != found:
            found, since = now, time.monotonic()
    return found


async def test_a_sweep_is_counted_while_it_runs_and_a_resumed_one_is_not_counted_again(tmp_path):
    def slow(block):
        if block.parameters.volatility > 1.0:
            raise ValueError("too much")
        take(0.3 if block.paths > 10 else 0.0)
        return block.prices[:, -1]

    one = sweep(measures=[slow], grid={"volatility": [0.1 + 0.01 * index for index in range(19)] + [2.0]})
    before = await settled()
    options = {
        "engine": OnRay(seconds_per_task=0.3, observer=ray_metrics("test", 0.2)),
        "observer": Silent(),
        "output": str(tmp_path),
    }
    running = asyncio.create_task(asyncio.to_thread(one.run, **options))

    await page_where(lambda found: total(found, "running") == 1.0 and total(found, "scenarios_total") > 0.0)
    await running
    await asyncio.to_thread(one.run, **options)
    found = await page_where(
        lambda found: total(found, "scenarios_total") - total(before, "scenarios_total") >= 20.0
    )

    assert total(found, "scenarios_total") - total(before, "scenarios_total") == 20.0
    assert total(found, "paths_total") - total(before, "paths_total") == 19 * 200
    assert total(found, "failures_total") - total(before, "failures_total") == 1.0
    assert not any(one.id in value for sample in found for value in sample.labels.values())

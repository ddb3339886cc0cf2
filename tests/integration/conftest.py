"""One small Ray cluster for all tests that need no more, on ports of its own, with a custom resource to place by."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def ray_address() -> Iterator[str]:
    ray = pytest.importorskip("ray")
    ray.init(
        address="local",
        num_cpus=2,
        resources={"sweep": 1},
        include_dashboard=False,
        log_to_driver=False,
        _system_config={"metrics_report_interval_ms": 500},
    )
    try:
        yield ray.get_runtime_context().gcs_address
    finally:
        ray.shutdown()

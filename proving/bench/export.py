"""What an export costs, pricing included: contracts a second for each format, of one core and over HTTP."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial

import httpx

from optionchain.expirations import DailyRule, MonthlyRule, Schedule
from optionchain.export import Export, Format
from optionchain.models import GeometricBrownian
from optionchain.numerics import compile_kernels
from optionchain.parameters import SimulationParameters
from optionchain.simulation import simulate
from optionchain.wire.sessions import replay_request

_REPETITIONS = 3
_CHAIN_SIZE = 30
# A second or so of each: text is several times slower.
_STEPS = {Format.ARROW: 4000, Format.PARQUET: 4000, Format.CSV: 800, Format.JSON: 800}
_PARAMETERS = SimulationParameters(
    symbol="BENCH",
    steps=max(_STEPS.values()),
    initial_price=5000.0,
    volatility=0.2,
    method=GeometricBrownian(dt=1 / 365, drift=0.05, volatility=0.2),
    expirations=Schedule(
        timezone="America/New_York",
        expiration_time=datetime(2026, 1, 5, 17).time(),
        rules=(
            DailyRule(rule_id="daily", target_count=3),
            MonthlyRule(rule_id="monthlies", target_count=12, weekday="Tue"),
        ),
    ),
    seed=42,
    start_at=datetime(2026, 1, 5, 14, 30, tzinfo=UTC),
    chain_size=_CHAIN_SIZE,
    strike_interval=25.0,
    risk_free_rate=0.04,
    dividend_yield=0.012,
)


def run() -> dict[str, float]:
    """Export about 915 contracts a step in every format, without a network.

    Returns:
        ``*_contracts_per_core_second`` by the processor time of all threads, ``*_contracts_per_second`` by the
        clock; each the best of three.
    """
    compile_kernels()
    figures: dict[str, float] = {}
    for format, steps in _STEPS.items():
        export = Export(parameters=_PARAMETERS, format=format, to_step=steps - 1)
        cpu, elapsed = _fastest(partial(_read, export))
        contracts = _contracts(steps)
        figures[f"export_{format}_contracts_per_core_second"] = contracts / cpu
        figures[f"export_{format}_contracts_per_second"] = contracts / elapsed
    return figures


def run_over_http(base_url: str, api_key: str | None) -> dict[str, float]:
    """Download the same exports from a running service; the reader's time is a part of it.

    Args:
        base_url: Of the service.
        api_key: Of any caller; None where none is needed.

    Returns:
        ``*_contracts_per_second`` by the clock, the best of three.
    """
    headers = {"X-API-Key": api_key or ""}
    with httpx.Client(base_url=base_url, headers=headers, timeout=120.0, trust_env=False) as client:
        created = client.post("/api/v2/simulations", json=replay_request(_PARAMETERS))
        path = f"/api/v2/simulations/{created.raise_for_status().json()['id']}"
        try:
            return {
                f"export_{format}_http_contracts_per_second": _contracts(steps)
                / _fastest(partial(_download, client, f"{path}/export?format={format}&to_step={steps - 1}"))[
                    1
                ]
                for format, steps in _STEPS.items()
            }
        finally:
            client.delete(path)


def _contracts(steps: int) -> int:
    """Rows of the first steps; coincident expirations are one."""
    simulation = simulate(_PARAMETERS)
    return (2 * _CHAIN_SIZE + 1) * sum(len(simulation.expirations(step)) for step in range(steps))


def _read(export: Export) -> None:
    _drain(export.pieces())


def _download(client: httpx.Client, url: str) -> None:
    with client.stream("GET", url) as answer:
        _drain(answer.raise_for_status().iter_raw())


def _drain(pieces: Iterable[bytes]) -> None:
    for _ in pieces:
        pass


def _fastest(function: Callable[[], object]) -> tuple[float, float]:
    """Seconds of processor and of clock that one call takes, each the best of some."""
    cpu = elapsed = math.inf
    for _ in range(_REPETITIONS):
        cpu_start, start = time.process_time(), time.perf_counter()
        function()
        cpu = min(cpu, time.process_time() - cpu_start)
        elapsed = min(elapsed, time.perf_counter() - start)
    return cpu, elapsed

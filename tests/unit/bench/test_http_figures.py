"""What `bench http` makes of its measurements: shares of processes and ratios, and a table that holds them all."""

from __future__ import annotations

import pytest
from rich.console import Console

from proving.bench import http
from proving.bench.load_generator import Measured


def measured(p50_seconds: float) -> Measured:
    return Measured(
        requests=1000, requests_per_second=500.0, p50_seconds=p50_seconds, p99_seconds=0.02, failed=0
    )


def test_processor_time_is_shared_by_the_requests_and_told_by_process() -> None:
    figures = http._figures("step_at_64", measured(0.004), {"replica": 0.6, "redis": 0.2})

    assert figures["step_at_64_processor_milliseconds_replica"] == pytest.approx(0.6)
    assert figures["step_at_64_processor_milliseconds_redis"] == pytest.approx(0.2)
    assert figures["step_at_64_processor_milliseconds"] == pytest.approx(0.8)


def test_the_table_has_a_line_for_each_load_and_the_rest_below() -> None:
    figures = http._figures("noop_at_1", measured(0.001), {"replica": 0.5})
    figures |= http._figures("step_at_1", measured(0.002), {"replica": 0.5, "actor": 0.25})
    figures |= {"step_at_1_ratio": 2.0, "is_lower_bound": 0.0}
    console = Console(width=80)

    with console.capture() as shown:
        for table in http.tables(figures):
            console.print(table)

    lines = [line.replace("│", " ").split() for line in shown.get().splitlines()]
    assert ["1", "step", "500", "2.00", "20.00", "0"] in lines
    assert ["1", "step", "0.750", "0.250", "0.500"] in lines
    assert ["1", "noop", "0.500", "0.000", "0.500"] in lines
    assert ["step", "at", "1", "ratio", "2.000"] in lines
    assert ["is", "lower", "bound", "0.000"] in lines

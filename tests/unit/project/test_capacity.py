"""The model behind docs/capacity.md is a queue's, and the page has its tables."""

from __future__ import annotations

import make_capacity
import numpy as np
import pytest


def simulated_seconds(arrivals_a_second: float, service_seconds: float, customers: int = 400_000) -> float:
    """The mean time in a queue with one server, first come first served, by Lindley's recursion."""
    rng = np.random.default_rng(7)
    gaps = rng.exponential(1.0 / arrivals_a_second, customers)
    services = rng.exponential(service_seconds, customers)
    # A wait is how far the work that has come exceeds the time that has passed, at its highest so far.
    excess = np.concatenate([[0.0], np.cumsum(services[:-1] - gaps[1:])])
    waits = excess - np.minimum.accumulate(excess)
    return float(np.mean(waits + services))


@pytest.mark.parametrize("steps", [100.0, 300.0, 550.0])
def test_a_visit_takes_what_a_simulated_queue_takes(steps: float) -> None:
    one = make_capacity.plan(steps, {"only": 1.0})

    simulated = simulated_seconds(steps, 1e-3)

    assert one.processes == {"only": 1}
    waits = make_capacity.WAITS * make_capacity.MILLISECONDS
    # Of the mean of so many the standard error is below 1 %.
    assert one.seconds - waits == pytest.approx(simulated, rel=0.03)


@pytest.mark.parametrize("steps", [1.0, 2_600.0, 1e6])
def test_no_process_works_for_longer_than_it_is_to(steps: float) -> None:
    planned = make_capacity.plan(steps)

    for part, demand in make_capacity.DEMANDS.items():
        assert steps * demand * 1e-3 <= make_capacity.BUSY * planned.processes[part]
        assert steps * demand * 1e-3 > make_capacity.BUSY * (planned.processes[part] - 1)


def test_two_cores_do_what_was_measured_on_them() -> None:
    # 0.60 ms of a step among 64 callers, all processes together (docs/performance.md).
    assert make_capacity.most_steps(2) == pytest.approx(2 / 0.60e-3)


def test_the_page_has_these_tables() -> None:
    text = make_capacity.PAGE.read_text(encoding="utf-8")

    assert make_capacity.page(text) == text, "python docs/make_capacity.py makes them again"

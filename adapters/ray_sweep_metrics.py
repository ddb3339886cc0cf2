"""What sweeps tell: metrics through Ray's agent, without labels however many there are, and failures in the log."""

from __future__ import annotations

import logging
from functools import cache

from ray.util.metrics import Counter, Gauge

from optionchain.observing import Operation, Unobserved

logger = logging.getLogger("ray.serve")

COUNTERS = {
    "sweep.scenarios": ("optionchain_sweep_scenarios", "Scenarios that sweeps have finished"),
    "sweep.paths": ("optionchain_sweep_paths", "Paths that sweeps have simulated"),
    "sweep.contracts": ("optionchain_sweep_contracts", "Contracts that sweeps have priced"),
    "sweep.failures": ("optionchain_sweep_failures", "Scenarios of sweeps that failed"),
}
LEVELS = {"sweep.running": ("optionchain_sweep_running", "Sweeps that run")}


class RaySweepMetrics(Unobserved):
    """The observer of the sweeps of one process."""

    def __init__(self) -> None:
        self._counters = {name: Counter(*described) for name, described in COUNTERS.items()}
        self._levels = {name: Gauge(*described) for name, described in LEVELS.items()}

    def failed(self, operation: Operation, error: BaseException) -> None:
        if operation.name != "sweep.run":  # whoever runs a sweep gets the error of it
            logger.warning("%s failed", operation.name, extra={"facts": operation.facts}, exc_info=error)

    def counted(self, quantity: str, amount: float = 1.0, **labels: str) -> None:
        if quantity in self._levels:
            self._levels[quantity].set(amount)
        elif quantity in self._counters and amount:  # Ray refuses an increment of zero
            self._counters[quantity].inc(amount)


@cache
def ray_sweep_metrics() -> RaySweepMetrics:
    """The one of this process, whose sweeps share its series."""
    return RaySweepMetrics()

"""The clock of the benchmarks that compare functions: they take turns, so that a busy machine slows all of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


def fastest(*functions: Callable[[], object], calls: int = 1, repetitions: int = 25) -> list[float]:
    """Seconds of one call of each, the best of many repetitions that take turns."""
    best = [math.inf] * len(functions)
    for _ in range(repetitions):
        for index, function in enumerate(functions):
            start = time.perf_counter()
            for _ in range(calls):
                function()
            best[index] = min(best[index], (time.perf_counter() - start) / calls)
    return best

"""Hands over to Ray what a process has summed up, and what is to be known of every process, every few seconds; Ray's
agent shows it to Prometheus.

Histograms go as counters of their buckets. Of Ray's own, an observation costs the agent 16 microseconds of Python, and
the sum is a guess from the middle of the buckets; these cost next to nothing, and their sum is exact. Whoever reads
them takes the `_total` off their names again.

Ray forgets a level that nobody has set for two of its reports, 20 s, so each is set again every time; and it knows a
counter only once it was counted, so each begins with a zero.
"""

from __future__ import annotations

import atexit
import platform
import threading
import time
from collections.abc import Callable
from functools import cache

import psutil
import ray
from ray.util.metrics import Counter, Gauge

from adapters.metrics.sums import MetricSums, Series
from optionchain import __version__
from optionchain.observing import Observer

HAND_OVER_SECONDS = 5.0
TELEMETRY_FAILED = "telemetry.failed"


@cache
def ray_metrics(process: str = "", seconds: float = HAND_OVER_SECONDS) -> MetricSums:
    """The metrics of this process: one, whoever asks, and handed over as long as the process lives.

    Args:
        process: What kind of process this is.
        seconds: From one hand-over to the next.
    """
    sums = MetricSums(process=process)
    HandOver(sums, ProcessFigures().tell, seconds=seconds).begin()
    return sums


class HandOver:
    """Hands over the sums of one process.

    Args:
        sums: What is handed over.
        tell_figures: Tells the observer what is to be known of the process each time.
        seconds: From one time to the next.
    """

    def __init__(
        self,
        sums: MetricSums,
        tell_figures: Callable[[Observer], None] | None = None,
        *,
        seconds: float = HAND_OVER_SECONDS,
    ) -> None:
        self._sums = sums
        self._tell_figures = tell_figures
        self._seconds = seconds
        self._counters: dict[str, _FromZero] = {}
        self._gauges: dict[str, Gauge] = {}
        self._known: set[Series] = set()
        self._is_over = threading.Event()

    def begin(self) -> None:
        """Hand over from now on, in a thread of its own, and once more when the process ends."""
        atexit.register(self.end)
        threading.Thread(target=self._again_and_again, name="metrics", daemon=True).start()

    def end(self) -> None:
        """Hand over for the last time."""
        self._is_over.set()
        self._attempt()

    def hand_over(self) -> None:
        """Hand over now."""
        if self._tell_figures is not None:
            self._tell_figures(self._sums)
        counts, levels = self._sums.taken()
        for series, amount in counts.items():
            if amount or series not in self._known:
                self._known.add(series)
                self._counter(series).add(amount, _tags(series))
        for series, amount in levels.items():
            self._gauge(series).set(amount, _tags(series))

    def _again_and_again(self) -> None:
        self._attempt()
        while not self._is_over.wait(self._seconds):
            self._attempt()

    def _attempt(self) -> None:
        try:
            self.hand_over()
        except Exception:
            # What was taken is lost, and counted as such; nobody who told of it is to hear of that.
            self._sums.counted(TELEMETRY_FAILED, signal="metrics")

    def _counter(self, series: Series) -> _FromZero:
        counter = self._counters.get(series.name)
        if counter is None:
            counter = self._counters[series.name] = _FromZero(series.name, series.description, series.labels)
        return counter

    def _gauge(self, series: Series) -> Gauge:
        gauge = self._gauges.get(series.name)
        if gauge is None:
            gauge = self._gauges[series.name] = Gauge(series.name, series.description, series.labels)
        return gauge


class ProcessFigures:
    """What is to be known of every process of ours: its memory, its processor time, its age and its build."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._told_seconds = 0.0
        self._build = {"version": __version__, "python": platform.python_version(), "ray": ray.__version__}

    def tell(self, observer: Observer) -> None:
        """Tell the figures of this process, each time again."""
        with self._process.oneshot():
            observer.counted("process.memory_bytes", self._process.memory_info().rss)
            observer.counted("process.started", self._process.create_time())
            times = self._process.cpu_times()
        observer.counted("process.seen", time.time())
        seconds = times.user + times.system
        observer.counted("process.cpu_seconds", seconds - self._told_seconds)
        self._told_seconds = seconds
        observer.counted("build.info", 1.0, **self._build)


class _FromZero(Counter):
    """Ray's counter, whose `inc` refuses 0, though a zero is what makes the series known."""

    def add(self, amount: float, tags: dict[str, str]) -> None:
        self._record(amount, tags)


def _tags(series: Series) -> dict[str, str]:
    return dict(zip(series.labels, series.values, strict=True))

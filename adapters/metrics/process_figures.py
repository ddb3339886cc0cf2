"""What is to be known of every process of ours: its memory, its processor time, its age and its build."""

from __future__ import annotations

import platform
import time

import psutil
import ray

from optionchain import __version__
from optionchain.observing import Observer


class ProcessFigures:
    """The figures of this process, told again each time."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._told_seconds = 0.0
        self._build = {"version": __version__, "python": platform.python_version(), "ray": ray.__version__}

    def tell(self, observer: Observer) -> None:
        """Tell them."""
        with self._process.oneshot():
            observer.counted("process.memory_bytes", self._process.memory_info().rss)
            observer.counted("process.started", self._process.create_time())
            times = self._process.cpu_times()
        observer.counted("process.seen", time.time())
        seconds = times.user + times.system
        observer.counted("process.cpu_seconds", seconds - self._told_seconds)
        self._told_seconds = seconds
        observer.counted("build.info", 1.0, **self._build)

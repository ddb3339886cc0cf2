"""What a local instance costs to start and to keep; and whether it starts on a busy machine."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import psutil

from cluster.instance import processes
from cluster.instance.instance import Instance
from cluster.instance.problem import InstanceProblem
from cluster.instance.progress import Progress
from cluster.instance.temporary import private_settings

QUIET_STARTS = 3
IDLE_SECONDS = 30.0
BUSY_PROCESSES = 20
BUSY_STARTS = 10


def run() -> dict[str, float]:
    """Start on the machine as it is, then beside processes that never rest.

    Returns:
        ``start_seconds`` (the fastest), what an idle instance has of ``processes``, ``megabytes`` (each page of memory
        counted once) and ``idle_cores``; ``busy_starts`` that were ready of ``busy_starts_tried``, and the slowest.
    """
    starts, idle = zip(*(_started() for _ in range(QUIET_STARTS)), strict=True)
    with _busy(BUSY_PROCESSES):
        busy = [_started_or_not() for _ in range(BUSY_STARTS)]
    ready = [seconds for seconds in busy if seconds is not None]
    return {
        "start_seconds": min(starts),
        **idle[0],
        "busy_starts": len(ready),
        "busy_starts_tried": BUSY_STARTS,
        "busy_start_seconds": max(ready, default=float("nan")),
    }


def _started() -> tuple[float, dict[str, float]]:
    with TemporaryDirectory(prefix="optionchain-") as folder:
        instance = Instance(private_settings(Path(folder)))
        began = perf_counter()
        instance.up(Progress())
        try:
            return perf_counter() - began, _idle(folder)
        finally:
            instance.down(Progress())


def _started_or_not() -> float | None:
    with TemporaryDirectory(prefix="optionchain-") as folder:
        instance = Instance(private_settings(Path(folder)))
        began = perf_counter()
        try:
            instance.up(Progress())
            return perf_counter() - began
        except InstanceProblem:
            return None
        finally:
            instance.down(Progress())


def _idle(folder: str) -> dict[str, float]:
    """What it takes while nobody asks for anything."""
    before = _processor_seconds(folder)
    began = perf_counter()
    time.sleep(IDLE_SECONDS)
    after, seconds = _processor_seconds(folder), perf_counter() - began
    memory = [process.memory_full_info().pss for process in family(folder)]
    return {
        "processes": len(memory),
        "megabytes": sum(memory) / 1e6,
        "idle_cores": sum(after[pid] - before[pid] for pid in after if pid in before) / seconds,
    }


def _processor_seconds(folder: str) -> dict[int, float]:
    return {process.pid: sum(process.cpu_times()[:2]) for process in family(folder)}


def family(folder: str) -> list[psutil.Process]:
    """The processes of an instance, and those of Ray whose environment is overwritten: children of its node."""
    marked = processes.marked(str(Path(folder).resolve()))
    found = {process.pid: process for process in marked}
    for process in marked:
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            found |= {child.pid: child for child in process.children(recursive=True)}
    return list(found.values())


@contextmanager
def _busy(count: int) -> Iterator[None]:
    """So many processes that never rest, for as long as the block lasts."""
    workers = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(count)]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.kill()
            worker.join()


def _spin() -> None:
    while True:
        pass

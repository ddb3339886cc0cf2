"""How the memory of every process of an instance grows while it serves: its slope, once the start is over."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from pathlib import Path

import httpx
import numpy as np
import psutil
from rich.console import Console

from cluster.commands.first_session import PARAMETERS
from cluster.instance.temporary import temporary_instance
from proving.bench.start import family

PER_SECOND = 100.0
MINUTES = 60.0
SAMPLE_SECONDS = 5.0
STEPS_OF_A_SESSION = 400
CALLERS = 16
# What grows at the start, such as caches and imports, is not what grows.
SETTLING_SHARE = 0.4


def run(minutes: float = MINUTES) -> dict[str, float]:
    """Serve 100 requests a second on an instance of its own, and weigh its processes.

    Args:
        minutes: How long; the first two fifths do not count.

    Returns:
        ``<process>_megabytes_per_minute`` of every process (the slope of its resident memory by least squares), of all
        of them together, ``<process>_megabytes`` at the end, ``requests`` and how many ``failed``.
    """
    with temporary_instance(Console(stderr=True)) as (settings, state):
        return asyncio.run(_soaked(state.base_url, state.api_key, settings.data.folder, 60.0 * minutes))


async def _soaked(base_url: str, api_key: str | None, folder: Path, seconds: float) -> dict[str, float]:
    samples: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    load = asyncio.create_task(_served(base_url, api_key, seconds))
    began = time.monotonic()
    while not load.done():
        now = time.monotonic() - began
        for name, megabytes in (await asyncio.to_thread(weighed, folder)).items():
            samples[name].append((now, megabytes))
        await asyncio.wait([load], timeout=SAMPLE_SECONDS)
    requests, failed = await load
    slopes = {
        name: slope_of([point for point in points if point[0] >= SETTLING_SHARE * seconds])
        for name, points in samples.items()
    }
    figures = {f"{name}_megabytes_per_minute": slope for name, slope in sorted(slopes.items())}
    figures |= {f"{name}_megabytes": points[-1][1] for name, points in sorted(samples.items())}
    return figures | {
        "all_megabytes_per_minute": sum(slopes.values()),
        "requests": requests,
        "failed": failed,
    }


def slope_of(points: list[tuple[float, float]]) -> float:
    """Megabytes a minute, by least squares; 0 of a process that was seen less than three times."""
    if len(points) < 3:
        return 0.0
    seconds, megabytes = np.array(points).T
    return 60.0 * float(np.polyfit(seconds, megabytes, 1)[0])


def weighed(folder: Path) -> dict[str, float]:
    """The resident memory of the processes of an instance in megabytes, by what they are."""
    megabytes: defaultdict[str, float] = defaultdict(float)
    for process in family(str(folder)):
        try:
            megabytes[_kind_of(process)] += process.memory_info().rss / 1e6
        except psutil.Error:
            continue  # it has ended
    return dict(megabytes)


def _kind_of(process: psutil.Process) -> str:
    """The program; of one of ours, or of Ray's, in Python what it runs."""
    command = process.cmdline()
    title = command[0] if command else process.name()
    if title.startswith("ray::"):
        return title.removeprefix("ray::").partition(".")[0].partition(":")[0].strip()
    for argument in command[1:]:
        if argument.endswith(".py"):
            return "_".join(Path(argument).parts[-2:]).removesuffix(".py")
    if "-m" in command:
        return command[command.index("-m") + 1]
    return process.name()


async def _served(base_url: str, api_key: str | None, seconds: float) -> tuple[int, int]:
    """Step and peek at the rate, each session to its end; how many requests were sent, and how many failed."""
    sent = failed = 0
    until = time.monotonic() + seconds
    headers = {"X-API-Key": api_key or ""}
    body = PARAMETERS | {"steps": STEPS_OF_A_SESSION, "days_to_expiration": STEPS_OF_A_SESSION + 1.0}

    async def keep_asking(api: httpx.AsyncClient) -> None:
        nonlocal sent, failed
        session, left = "", 0
        while time.monotonic() < until:
            due = time.monotonic() + CALLERS / PER_SECOND
            try:
                if not left:
                    answer = await api.post("/api/v1/chain", json=body)
                    session, left = str(answer.raise_for_status().json()["id"]), STEPS_OF_A_SESSION
                elif left % 2:
                    await api.get("/api/v1/chain", params={"sessionid": session})
                    left -= 1
                else:
                    (await api.post("/api/v1/chain/step", params={"sessionid": session})).raise_for_status()
                    left -= 1
            except (httpx.HTTPError, KeyError):
                failed, left = failed + 1, 0
            sent += 1
            await asyncio.sleep(max(due - time.monotonic(), 0.0))

    async with (
        httpx.AsyncClient(base_url=base_url, headers=headers, timeout=30.0, trust_env=False) as api,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(CALLERS):
            group.create_task(keep_asking(api))
    return sent, failed

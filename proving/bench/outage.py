"""How long nobody is served when HAProxy has died, and until Ray's own HAProxy is back."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median

import httpx
import psutil
from rich.console import Console

from cluster.commands.first_session import PARAMETERS
from cluster.instance.temporary import temporary_instance
from proving.bench.start import family

DEATHS = 5
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.02
STAND_IN = "stand-in"


def run() -> dict[str, float]:
    """Kill HAProxy, and peek until the service answers.

    Returns:
        ``answered_seconds`` (median and ``slowest_``) from the kill to the next answer, ``own_haproxy_seconds`` until
        Ray's own has taken over again, ``refused`` peeks that were told 503 meanwhile, of ``deaths``.

    Raises:
        TimeoutError: The service did not come back.
    """
    answered, restored = [], []
    statuses: list[int] = []
    with (
        temporary_instance(Console(stderr=True)) as (settings, state),
        _caller(state.base_url, state.api_key) as api,
    ):
        created = api.post("/api/v1/chain", json=PARAMETERS).raise_for_status().json()
        peek = {"sessionid": str(created["id"])}
        for _ in range(DEATHS):
            for process, _ in _haproxies(settings.data.folder):
                process.kill()
            died = time.monotonic()
            _wait(lambda: _status(api, peek, statuses) == 200)
            answered.append(time.monotonic() - died)
            _wait(lambda: _status(api, peek, statuses) == 200 and _is_rays_own(settings.data.folder))
            restored.append(time.monotonic() - died)
    return {
        "answered_seconds": median(answered),
        "slowest_answered_seconds": max(answered),
        "own_haproxy_seconds": median(restored),
        "refused": statuses.count(503),
        "deaths": DEATHS,
    }


def _caller(base_url: str, api_key: str | None) -> httpx.Client:
    headers = {"X-API-Key": api_key or ""}
    return httpx.Client(base_url=base_url, headers=headers, timeout=10.0, trust_env=False)


def _status(api: httpx.Client, peek: dict[str, str], seen: list[int]) -> int:
    """What a peek gets; 0 where nobody listens."""
    try:
        status = api.get("/api/v1/chain", params=peek).status_code
    except httpx.TransportError:
        status = 0
    seen.append(status)
    return status


def _haproxies(folder: Path) -> list[tuple[psutil.Process, str]]:
    """Those that run, and what each was started with."""
    found = []
    for process in family(str(folder)):
        with suppress(psutil.NoSuchProcess):
            if process.name() == "haproxy":
                found.append((process, " ".join(process.cmdline())))
    return found


def _is_rays_own(folder: Path) -> bool:
    """Whether one runs that is not the supervisor's stand-in."""
    return any(STAND_IN not in command for _, command in _haproxies(folder))


def _wait(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError(f"the service is not back after {PATIENCE_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)

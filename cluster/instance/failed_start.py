"""What becomes of a start that failed: its logs are kept, and another attempt made where that may help."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from cluster.instance.private_files import owner_only
from cluster.instance.processes import PortLost, tail
from cluster.instance.progress import Progress

T = TypeVar("T")
KEPT_STARTS = 3
# How often a start that has lost a port goes on with others.
OTHER_PORTS = 2
MOST_BYTES_A_LOG = 1 << 20
# What Ray says when one of its parts has not waited long enough for another; its 30 s for a node are no setting.
SLOW_STARTS = (
    "timed out during startup",
    "Failed to get node info",
    "did not start within",
    "Timed out waiting",
)


def is_slow_start(log: Path) -> bool:
    """Whether Ray gave up on a part of its own that may only have been slow."""
    told = tail(log, 500)
    return any(sign in told for sign in SLOW_STARTS)


def with_other_ports(progress: Progress, start: Callable[[], T], end: Callable[[], object]) -> T:
    """Start, again with other ports where somebody took one between our choice and its use.

    Args:
        progress: Told of an attempt that is given up.
        start: Chooses its ports.
        end: Ends what an attempt has left.
    """
    for _ in range(OTHER_PORTS):
        try:
            return start()
        except PortLost:
            progress.give_up()
            end()
    return start()


def keep_logs(logs: Path, ray_logs: Path) -> Path:
    """Copy the ends of all logs to a folder of their own, of which the latest three are kept; return it."""
    failed = logs / "failed"
    kept = failed / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}"
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    for source, place in ((logs, kept), (ray_logs, kept / "ray")):
        for file in source.rglob("*"):
            if file.is_file() and failed not in file.parents:
                _copy_end(file, place / file.relative_to(source))
    for old in sorted(failed.iterdir())[:-KEPT_STARTS]:
        shutil.rmtree(old, ignore_errors=True)
    return kept


def _copy_end(file: Path, copy: Path) -> None:
    copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file.open("rb") as source, open(copy, "wb", opener=owner_only) as target:
        source.seek(max(file.stat().st_size - MOST_BYTES_A_LOG, 0))
        target.write(source.read())

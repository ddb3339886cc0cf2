"""Stands in for a HAProxy that has died, until Ray has noticed and starts another, which takes 5 seconds or more.

It is another HAProxy, on the latest routes; it has no admin socket, so that Ray sees that its own is gone. The next one
takes its ports over (`amended.py`) and it ends when its connections have.
"""

from __future__ import annotations

from pathlib import Path

from cluster.haproxy.amended import ADMIN_SOCKET, KNOWN, PREFIX, STAND_IN
from cluster.instance import processes
from cluster.instance.state import InstanceState, write_private


def stand_in(state: InstanceState, log: Path) -> bool:
    """Start one where the instance had a HAProxy with routes; returns whether it was started.

    Args:
        state: Of the instance.
        log: Where its output goes.

    Raises:
        ProcessFailed: It cannot be started.
    """
    refusal = state.environment.get(f"{PREFIX}_REFUSAL")
    if not refusal:
        return False
    folder = Path(refusal).parent
    known = max(folder.glob(f"*/*{KNOWN}"), key=lambda file: file.stat().st_mtime, default=None)
    if known is None:
        return False
    config = folder / f"{STAND_IN}.cfg"
    write_private(config, ADMIN_SOCKET.sub("", known.read_text()))
    command = [state.environment[PREFIX], "-db", "-f", str(config)]
    process = processes.start("HAProxy", command, log=log, marker=state.marker, env={})
    write_private(folder / f"{STAND_IN}.pid", str(process.pid))
    return True

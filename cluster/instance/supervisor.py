"""Starts again what dies of an instance: ``python -m cluster.instance.supervisor FOLDER``, begun by `optionchain up`.

It stays as long as the instance. It imports next to nothing, for it is one more process: private servers it starts by
the commands that the state names; Ray and the service it leaves to a command of its own, which does what `up` does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from cluster.haproxy.stand_in import stand_in
from cluster.instance import processes
from cluster.instance.disk_room import DiskRoom
from cluster.instance.embedded_servers import REDIS
from cluster.instance.lock import locked
from cluster.instance.ports import refuses
from cluster.instance.problem import InstanceProblem
from cluster.instance.processes import ProcessFailed
from cluster.instance.state import InstanceState, PrivateServer, read_state

LOOK_SECONDS = 0.25
# Between two attempts at what does not come back; twice as long each time.
PAUSE_SECONDS, MOST_PAUSE_SECONDS = 2.0, 120.0
# Ray brings back its proxy within seconds, so a port that nobody listens on for so long has lost more than that.
SILENT_SECONDS = 60.0
RAY_PROGRAMS = ("gcs_server", "raylet")


class Supervisor:
    """Looks at one instance, twice a second.

    Args:
        folder: Of the instance.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._failures = 0
        self._not_before = 0.0
        self._heard_at = time.monotonic()
        self._serves = False
        self._is_silent = False
        self._room = DiskRoom(folder)

    def watch(self) -> None:
        """Return when the instance was ended."""
        while (state := read_state(self._folder / "instance.json")) is not None:
            self._look(state)
            _let_go()
            time.sleep(LOOK_SECONDS)

    def _look(self, state: InstanceState) -> None:
        dead = [server for server in state.servers if refuses(server.port)]
        self._look_at_the_disk([server for server in state.servers if server not in dead])
        is_serving = ray_lives(state) and self._is_heard(state)
        if is_serving and self._serves and self._is_silent:
            self._stand_in(state)
        if (dead or not is_serving) and time.monotonic() >= self._not_before:
            self._mend(state, dead, is_serving=is_serving)

    def _look_at_the_disk(self, servers: list[PrivateServer]) -> None:
        for server in servers:
            if server.name == REDIS:
                with suppress(OSError):  # it is asked again in a moment
                    if self._room.look(server):
                        tell(
                            "the disk is nearly full: Redis takes no writes"
                            if self._room.is_short
                            else "there is room again: Redis takes writes"
                        )

    def _mend(self, state: InstanceState, dead: list[PrivateServer], *, is_serving: bool) -> None:
        try:
            if dead:
                with locked(self._folder):
                    for server in dead:
                        tell(f"{server.name} has died and is started again")
                        processes.start_server(server, marker=state.marker)
            if not is_serving:
                self._serves = False
                tell("Ray has died, or nobody listens any more, and is started again")
                command = [sys.executable, "-m", "cluster.instance.mend", str(self._folder)]
                subprocess.run(command, stdin=subprocess.DEVNULL, check=True)  # noqa: S603  (the command is ours)
        except (InstanceProblem, ProcessFailed, subprocess.CalledProcessError) as problem:
            self._failures += 1
            pause = min(PAUSE_SECONDS * 2.0**self._failures, MOST_PAUSE_SECONDS)
            self._not_before = time.monotonic() + pause
            tell(f"not yet: {problem}; tried again in {pause:.0f} s")
        else:
            self._failures = 0
            self._heard_at = time.monotonic()

    def _stand_in(self, state: InstanceState) -> None:
        """Whoever listened has died: Ray brings it back, and somebody listens until then."""
        self._serves = False  # once: one that dies as well is for Ray to replace
        try:
            if stand_in(state, self._folder / "logs" / "stand_in.log"):
                tell("HAProxy has died, and another stands in for it until Ray has started the next")
        except ProcessFailed as problem:
            tell(f"nobody stands in for HAProxy: {problem}")

    def _is_heard(self, state: InstanceState) -> bool:
        """Whether somebody listened at the service's port a short while ago."""
        port = int(state.base_url.rpartition(":")[2])
        self._is_silent = refuses(port, state.host)
        if not self._is_silent:
            self._serves = True
            self._heard_at = time.monotonic()
        return time.monotonic() - self._heard_at < SILENT_SECONDS


def _let_go() -> None:
    """Take note of what we started and has ended: until then it is there, for whoever waits for its end."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def ray_lives(state: InstanceState) -> bool:
    """Whether the processes without which there is no Ray run."""
    return all(processes.runs(pid, RAY_PROGRAMS) for pid in state.ray_pids)


def tell(what: str) -> None:
    """Write a line to the log."""
    print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {what}", flush=True)


if __name__ == "__main__":
    Supervisor(Path(sys.argv[1])).watch()

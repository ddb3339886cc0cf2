"""Processes of the local instance: started in the background, found again, and ended, orphans included.

Every process inherits a marker in its environment, so that what a crashed start left behind can be found
without trusting a pid file.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

MARKER = "OPTIONCHAIN_INSTANCE"
POLL_SECONDS = 0.05


class ProcessFailed(Exception):
    """A process that should run has ended, or is not ready in time; the message says where its log is."""


def start(
    name: str, command: Sequence[str], *, log: Path, marker: str, env: Mapping[str, str]
) -> psutil.Popen:
    """Start a process in a session of its own, so that Ctrl-C reaches only us.

    Args:
        name: What to call it in messages.
        command: Program and arguments.
        log: Where its output goes.
        marker: Identity of the instance.
        env: Variables on top of ours.

    Raises:
        ProcessFailed: The program cannot be started.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        try:
            return psutil.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **env, MARKER: marker},
                start_new_session=True,
            )
        except OSError as error:
            raise ProcessFailed(f"{name} cannot be started: {command[0]}: {error.strerror}") from error


def wait_until(
    is_ready: Callable[[], bool], *, name: str, process: psutil.Popen, log: Path, timeout_seconds: float
) -> None:
    """Wait until a process, or what it leaves behind when it ends well, is ready.

    Raises:
        ProcessFailed: It failed, or is not ready in time.
    """
    deadline = time.monotonic() + timeout_seconds
    while not is_ready():
        if process.poll() not in (None, 0):
            raise ProcessFailed(f"{name} ended while it started. Its last words, from {log}:\n{tail(log)}")
        if time.monotonic() > deadline:
            raise ProcessFailed(
                f"{name} is not ready after {timeout_seconds:.0f} s. Its log is {log}:\n{tail(log)}\n"
                "On a slow machine, raise OCS_RAY_START_TIMEOUT_SECONDS."
            )
        time.sleep(POLL_SECONDS)


def marked(marker: str) -> list[psutil.Process]:
    """Every process of ours that carries the marker, but for this one."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARKER) == marker:
                found.append(process)
        except psutil.Error:
            continue
    return found


def has_argument(process: psutil.Process, argument: str) -> bool:
    """Whether a process was started with the argument; one that has ended meanwhile was not."""
    try:
        return argument in process.cmdline()
    except psutil.Error:
        return False


def end(processes: Sequence[psutil.Process], *, patience_seconds: float) -> None:
    """Ask the processes to end, then make them."""
    for process in processes:
        _signal(process.terminate)
    _, alive = psutil.wait_procs(processes, timeout=patience_seconds)
    for process in alive:
        _signal(process.kill)
    psutil.wait_procs(alive, timeout=patience_seconds)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _signal(send: Callable[[], None]) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return

"""Processes of the local instance: started in the background, found again, and ended, orphans included.

Every process inherits a marker in its environment, so that what a crashed start left behind can be found
without trusting a pid file.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from cluster.instance.private_files import owner_only
from cluster.instance.state import PrivateServer

MARKER = "OPTIONCHAIN_INSTANCE"
POLL_SECONDS = 0.05
# What servers say of it: Ray's in Python and in C++, Redis and MongoDB.
LOST_PORTS = ("Failed to bind to address", "ddress already in use")


class ProcessFailed(Exception):
    """A process that should run has ended, or is not ready in time; the message says where its log is."""


class PortLost(ProcessFailed):
    """Somebody else had a port that was free when it was chosen; with another it may start."""


def start(
    name: str,
    command: Sequence[str],
    *,
    log: Path,
    marker: str,
    env: Mapping[str, str],
    is_told: bool = False,
) -> psutil.Popen:
    """Start a process in a session of its own, so that Ctrl-C reaches only us.

    Args:
        name: What to call it in messages.
        command: Program and arguments.
        log: Where its output goes.
        marker: Identity of the instance.
        env: Variables on top of ours.
        is_told: Whether it reads from us, by `tell`; there is nothing to read otherwise.

    Raises:
        ProcessFailed: The program cannot be started.
    """
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(log, "ab", opener=owner_only) as output:
        try:
            return psutil.Popen(
                command,
                stdin=subprocess.PIPE if is_told else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **env, MARKER: marker},
                start_new_session=True,
                umask=0o077,  # what it writes is for its owner alone
            )
        except OSError as error:
            raise ProcessFailed(f"{name} cannot be started: {command[0]}: {error.strerror}") from error


def tell(process: psutil.Popen, text: str) -> None:
    """Give a process what it waits for, and nothing after that. One that has ended hears nothing."""
    with suppress(BrokenPipeError), process.stdin:
        process.stdin.write(text.encode())


def wait_until(
    is_ready: Callable[[], bool], *, name: str, process: psutil.Popen, log: Path, timeout_seconds: float
) -> None:
    """Wait until a process, or what it leaves behind when it ends well, is ready.

    Raises:
        PortLost: It ended for want of a port.
        ProcessFailed: It failed, or is not ready in time.
    """
    began = time.monotonic()
    while not is_ready():
        waited = time.monotonic() - began
        if process.poll() not in (None, 0):
            told = tail(log, 500)
            failure = PortLost if any(sign in told for sign in LOST_PORTS) else ProcessFailed
            raise failure(
                f"{name} ended while it started, after {waited:.0f} s. Its last words, of {log}:\n{last_words(log)}"
            )
        if waited > timeout_seconds:
            raise ProcessFailed(
                f"{name} is not ready after {waited:.0f} s. On a slow machine, raise OCS_RAY_START_TIMEOUT_SECONDS. "
                f"Its last words, of {log}:\n{last_words(log)}"
            )
        time.sleep(POLL_SECONDS)


def start_server(server: PrivateServer, *, marker: str) -> psutil.Popen:
    """Start a private server; as `start`."""
    return start(server.name, server.command, log=Path(server.log), marker=marker, env={})


def listens(process: psutil.Process, port: int) -> bool:
    """Whether the process, or one that it started, listens there; that somebody does may be a stranger's work."""
    try:
        return any(
            connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            for member in (process, *process.children(recursive=True))
            for connection in member.net_connections("tcp")
        )
    except psutil.NoSuchProcess:
        return False


def runs(pid: int, programs: Sequence[str]) -> bool:
    """Whether the process is there, and still one of these programs."""
    try:
        process = psutil.Process(pid)
        return process.name() in programs and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


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


def named(marker: str, names: Sequence[str]) -> list[psutil.Process]:
    """The processes with the marker that run one of these programs."""
    return [process for process in marked(marker) if runs(process.pid, names)]


def with_argument(marker: str, argument: str) -> list[psutil.Process]:
    """The processes with the marker that were started with the argument."""
    return [process for process in marked(marker) if has_argument(process, argument)]


def has_argument(process: psutil.Process, argument: str) -> bool:
    """Whether a process was started with the argument; one that has ended meanwhile was not."""
    return argument in command_of(process)


def is_one_of(process: psutil.Process, commands: Collection[tuple[str, ...]]) -> bool:
    """Whether a process was started by one of these commands."""
    return command_of(process) in commands


def command_of(process: psutil.Process) -> tuple[str, ...]:
    """Program and arguments of a process; empty where it has ended meanwhile."""
    try:
        return tuple(process.cmdline())
    except psutil.Error:
        return ()


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


def last_words(log: Path, lines: int = 5) -> str:
    """The last lines of a log that say something to a user: of a traceback only the error at its end."""
    told: list[str] = []
    is_trace = False
    for line in tail(log, 500).splitlines():
        if line.startswith("Traceback (most recent call last)"):
            is_trace = True
        elif not is_trace or not line.startswith((" ", "\t")):
            is_trace = False
            if line.strip():
                told.append(line)
    return "\n".join(told[-lines:])


def _signal(send: Callable[[], None]) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return

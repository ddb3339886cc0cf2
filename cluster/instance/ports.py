"""TCP ports on this machine: some that are free, and who has one that is not."""

from __future__ import annotations

import errno
import random
import socket
from collections import deque
from collections.abc import Collection
from itertools import islice

import psutil

# Below the ports that the kernel gives to any connection (32768 and up on Linux), of which Ray opens hundreds
# between our choice and its use of it, and clear of Ray's workers (10002-19999) and replicas (30000-31000).
PRIVATE_PORTS = range(20_000, 30_000)
LOOPBACK = "127.0.0.1"
ANSWER_SECONDS = 1.0
# What this process has chosen lately may not be listened on yet.
_chosen: deque[int] = deque(maxlen=1_000)


def free_ports(count: int, *, but: Collection[int] = ()) -> list[int]:
    """So many different ports that nobody has, nor had a moment ago, and that were not returned lately.

    Args:
        count: How many.
        but: Ports that somebody is going to listen on.
    """
    candidates = random.sample(PRIVATE_PORTS, len(PRIVATE_PORTS))
    free = (port for port in candidates if port not in but and port not in _chosen and _is_untouched(port))
    chosen = list(islice(free, count))
    _chosen.extend(chosen)
    return chosen


def _is_untouched(port: int) -> bool:
    """Whether even a program that does not ask for SO_REUSEADDR, as Ray's proxy, could listen there."""
    return _refusal(LOOPBACK, port, reusing=False) is None


def obstacle(host: str, port: int, setting: str = "`--port` or OCS_HTTP_PORT") -> str | None:
    """Why we cannot listen there and what to do, for a message; None where we can.

    Args:
        host, port: Where.
        setting: By which another port is chosen.
    """
    match _refusal(host, port):
        case None:
            return None
        case OSError(errno=errno.EADDRINUSE):
            return f"Port {port} is in use by {listener(port)}. Stop that program, or choose another by {setting}."
        case PermissionError():
            return f"Port {port} is not open to this user: choose one above 1023 by {setting}."
        case OSError() as error:
            return (
                f"OCS_HTTP_HOST: this machine cannot listen at {host} ({error.strerror}). Set it to 127.0.0.1, to "
                "0.0.0.0, to ::, or to one of this machine's addresses."
            )


def _refusal(host: str, port: int, *, reusing: bool = True) -> OSError | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reusing)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


def accepts(port: int, host: str = LOOPBACK) -> bool:
    """Whether somebody accepts connections there."""
    return _answer(port, host) == 0


def refuses(port: int, host: str = LOOPBACK) -> bool:
    """Whether nobody listens there. Who is only slow has a place in the queue of its port."""
    return _answer(port, host) == errno.ECONNREFUSED


def _answer(port: int, host: str) -> int:
    with socket.socket() as probe:
        probe.settimeout(ANSWER_SECONDS)
        return probe.connect_ex((host, port))


def listener(port: int) -> str:
    """Who listens on the port, for a message."""
    try:
        for connection in psutil.net_connections("tcp"):
            is_listening = connection.status == psutil.CONN_LISTEN and connection.pid is not None
            if is_listening and getattr(connection.laddr, "port", None) == port:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return "another program"

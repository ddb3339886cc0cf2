"""TCP ports on this machine: which are free, and who has one that is not."""

from __future__ import annotations

import random
import socket
from itertools import islice

import psutil

# Below the ports that the kernel gives to any connection (32768 and up on Linux), of which Ray opens hundreds
# between our choice and its use of it, and clear of Ray's workers (10002-19999) and replicas (30000-31000).
PRIVATE_PORTS = range(20_000, 30_000)


def free_ports(count: int) -> list[int]:
    """So many different ports that nobody listens on."""
    candidates = random.sample(PRIVATE_PORTS, len(PRIVATE_PORTS))
    return list(islice((port for port in candidates if is_free("127.0.0.1", port)), count))


def is_free(host: str, port: int) -> bool:
    """Whether we could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def accepts(port: int) -> bool:
    """Whether somebody on loopback accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


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

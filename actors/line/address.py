"""Where an actor listens: on a Unix socket for callers on its node, on a TCP port for those on others."""

from __future__ import annotations

import os
import re
import ssl
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from actors.line.handshake import VERSION
from optionchain.errors import InvalidInput

ANY_PORT = "0"
_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
HIGHEST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class LineAddress:
    """Where an actor listens, and what a caller must know to be let in.

    Attributes:
        path: Of its Unix socket; empty for a TCP port.
        host: Its node.
        port: On that node.
        secret: See `actors.line.handshake`.
        version: What it speaks.
    """

    path: str = ""
    host: str = ""
    port: int = 0
    secret: bytes = field(default=b"", repr=False)
    version: int = VERSION


def parse_ports(text: str) -> range:
    """Read ``20500``, ``20500-20599``, or ``0`` for any port that is free.

    Raises:
        InvalidInput: It is none of these.
    """
    match = _PORTS.fullmatch(text)
    first = int(match[1]) if match else -1
    last = int(match[2] or first) if match else -1
    if text != ANY_PORT and not 1 <= first <= last <= HIGHEST_PORT:
        raise InvalidInput(
            "ports", f"must be a port, a range such as 20500-20599, or {ANY_PORT} for any free one"
        )
    return range(first, last + 1)


def socket_folder(given: Path | None) -> Path:
    """A folder for Unix sockets that nobody else can enter: the one that was given, or one of this user's.

    Raises:
        OSError: It cannot be made, is somebody else's, or others may enter it.
    """
    folder = given or Path(tempfile.gettempdir(), f"ocs-line-{os.geteuid()}")
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise PermissionError(f"{folder} is not a folder of ours alone")
    return folder


def tls_to_listen() -> ssl.SSLContext | None:
    """How an actor proves who it is to callers on other nodes, where Ray's own connections are encrypted."""
    return _tls(ssl.Purpose.CLIENT_AUTH)


def tls_to_call() -> ssl.SSLContext | None:
    """How a caller proves who it is to an actor on another node, where Ray's own connections are encrypted."""
    return _tls(ssl.Purpose.SERVER_AUTH)


def _tls(purpose: ssl.Purpose) -> ssl.SSLContext | None:
    """With the certificate of the node and of the authority that Ray was given; both ends show theirs, as Ray's do."""
    if os.environ.get("RAY_USE_TLS", "0").lower() not in ("1", "true"):
        return None
    context = ssl.create_default_context(purpose, cafile=os.environ["RAY_TLS_CA_CERT"])
    context.load_cert_chain(os.environ["RAY_TLS_SERVER_CERT"], os.environ["RAY_TLS_SERVER_KEY"])
    context.verify_mode = ssl.CERT_REQUIRED
    return context

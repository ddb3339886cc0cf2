"""Has the private Redis refuse writes before its disk is full: what it has acknowledged must find room.

With ``appendfsync always`` Redis ends when it cannot write its log; with ``everysec`` it has acknowledged by then what
it cannot write. It imports next to nothing, for the supervisor runs it.
"""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from urllib.parse import urlsplit

from cluster.instance.state import PrivateServer

# What must be free: an eighth of the disk, and no more than Redis could fill before the next look.
RESERVED_PART, MOST_RESERVED_BYTES = 1 / 8, 128 << 20
# Then writes are taken again only when there is so much more than that.
ENOUGH = 1.25
# It never has a replica, so that one that it needs stops all writes, and nothing else.
REFUSE, ACCEPT = "1", "0"
TIMEOUT_SECONDS = 1.0


class DiskRoom:
    """Looks at the disk of one server.

    Args:
        folder: Where the server writes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.is_short = False

    def look(self, server: PrivateServer) -> bool:
        """Have the server refuse writes, or take them again. Whether that has changed.

        Raises:
            OSError: The server does not answer.
        """
        disk = shutil.disk_usage(self._folder)
        reserved = min(disk.total * RESERVED_PART, MOST_RESERVED_BYTES)
        is_short = disk.free < reserved * (ENOUGH if self.is_short else 1.0)
        has_changed = is_short != self.is_short
        if is_short or has_changed:  # again and again: it may have been started anew
            set_option(server, "min-replicas-to-write", REFUSE if is_short else ACCEPT)
            self.is_short = is_short
        return has_changed


def set_option(server: PrivateServer, name: str, value: str) -> None:
    """Set an option of a running Redis, until it ends.

    Raises:
        OSError: It does not answer, or refuses.
    """
    password = urlsplit(server.url).password or ""
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_SECONDS) as connection:
        connection.sendall(_command("AUTH", password) + _command("CONFIG", "SET", name, value))
        with connection.makefile("rb") as answers:
            said = [answers.readline(), answers.readline()]
    if said != [b"+OK\r\n"] * 2:
        raise OSError(f"Redis does not take {name}: {said}")


def _command(*words: str) -> bytes:
    lines = [f"*{len(words)}", *(line for word in words for line in (f"${len(word)}", word)), ""]
    return "\r\n".join(lines).encode()

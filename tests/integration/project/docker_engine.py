"""Docker's engine for a test: in a network, among processes and with mounts of its own, which end with it.

Nothing of it is in this machine's network or firewall, and its images come from podman. The engine is Debian's
`docker.io` with `iptables`; Compose is the plugin that is installed, or one that `make compose-plugin` has built.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from proving.machines.hosts import inside
from tests.integration.project.containers import BUILD_SECONDS, ULIMITS, run
from tests.waiting import eventually

Found = TypeVar("Found")

PROGRAMS = ("dockerd", "docker", "iptables", "ip", "unshare", "nsenter")
PLUGIN = Path(__file__).with_name("built") / "build.sh"
START_SECONDS, END_SECONDS = 60.0, 300.0
BOOT = 'ip link set lo up && exec dockerd "$@"'


class Docker:
    """A running engine, and its command line.

    Args:
        folder: Of the engine's socket, and of the command line's plugins.
        process: The engine.
    """

    def __init__(self, folder: Path, process: int) -> None:
        self.process = process
        self._environment = {"DOCKER_HOST": f"unix://{folder}/socket", "DOCKER_CONFIG": str(folder)}

    def run(
        self,
        *words: object,
        seconds: float = 100.0,
        check: bool = True,
        env: Mapping[str, str] | None = None,
    ) -> str:
        """What `docker WORDS` prints."""
        environment = {**self._environment, **(env or {})}
        return run("docker", *words, seconds=seconds, check=check, env=environment).stdout

    def inside(self, do: Callable[[], Found]) -> Found:
        """Do something where the engine publishes ports."""
        return inside(Path(f"/proc/{self.process}/ns/net"), do)

    def take(self, podman: str, names: Mapping[str, str]) -> None:
        """Have images of podman's.

        Args:
            podman: The program.
            names: Podman's name of each, and the name that it has here.
        """
        save = [podman, "save", "--multi-image-archive", *names]
        with subprocess.Popen(save, stdout=subprocess.PIPE) as archive:
            subprocess.run(
                ["docker", "load", "--quiet"],
                stdin=archive.stdout,
                stdout=subprocess.DEVNULL,
                env={**os.environ, **self._environment},
                check=True,
                timeout=BUILD_SECONDS,
            )
        for theirs, ours in names.items():
            self.run("tag", theirs, ours)


@contextmanager
def docker_engine() -> Iterator[Docker]:
    """An engine without an image; skips the test where there can be none, or no Compose."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("an engine of its own needs Linux and root")
    if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
        pytest.skip(f"not installed: {', '.join(missing)}")
    # Its socket has a short name, and its images are not kept as pytest keeps folders.
    folder = Path(tempfile.mkdtemp(prefix="ocs-docker-"))
    try:
        _provide_compose(folder)
        with _running(folder) as docker:
            yield docker
    finally:
        run("rm", "-rf", folder, seconds=END_SECONDS)


@contextmanager
def _running(folder: Path) -> Iterator[Docker]:
    places = {"host": f"unix://{folder}/socket", "data-root": folder / "data", "exec-root": folder / "run"}
    options = [f"--{each}={value}" for each, value in places.items()]
    options += [f"--pidfile={folder}/pid", *(f"--default-ulimit={limit}" for limit in ULIMITS)]
    isolated = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command = ["unshare", *isolated, "bash", "-c", BOOT, "boot", *options]
    with (folder / "log").open("wb") as log:
        started = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        yield _ready(folder, started)
    finally:
        _end(started)


def _provide_compose(folder: Path) -> None:
    if run("docker", "compose", "version", check=False, env={"DOCKER_CONFIG": str(folder)}).returncode == 0:
        return
    built = Path(run(PLUGIN, "--where").stdout.strip(), "docker-compose")
    if not built.exists():
        pytest.skip("Docker Compose is not installed; `make compose-plugin` builds it, once, with Go")
    (folder / "cli-plugins").mkdir()
    (folder / "cli-plugins" / "docker-compose").symlink_to(built)


def _ready(folder: Path, started: subprocess.Popen[bytes]) -> Docker:
    def answers() -> Docker | None:
        assert started.poll() is None, (folder / "log").read_text()[-3000:]
        found = [Docker(folder, child.pid) for child in psutil.Process(started.pid).children()]
        if found and found[0].run("version", "--format={{.Server.Version}}", check=False).strip():
            return found[0]
        return None

    docker = eventually(answers, "dockerd answers", patience_seconds=START_SECONDS, pause_seconds=0.2)
    assert docker is not None
    return docker


def _end(started: subprocess.Popen[bytes]) -> None:
    for child in psutil.Process(started.pid).children():
        child.send_signal(signal.SIGTERM)
    try:
        started.wait(END_SECONDS)
    finally:
        started.kill()
        started.wait(END_SECONDS)

"""A node of this machine that has joined the cluster of another: started, emptied and ended."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path

from pydantic import SecretStr

from cluster.instance import processes
from cluster.instance.lock import locked, made
from cluster.instance.parts import STOP_PATIENCE_SECONDS
from cluster.instance.ports import free_ports
from cluster.instance.private_files import private_folder
from cluster.instance.problem import InstanceProblem
from cluster.instance.processes import ProcessFailed
from cluster.instance.progress import Progress
from cluster.instance.ray_node import (
    HAPROXY_FOLDER,
    LOOPBACK,
    RayPorts,
    kept_token,
    ray_environment,
    ray_temporary_folder,
    worker_command,
)
from cluster.instance.state import InstanceState, write_private
from cluster.settings import Settings

REACH_SECONDS = 5.0
LEAVE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """How commands of this machine reach a cluster.

    Attributes:
        address: Of its head, or `auto` for that of the node which this process is on.
        environment: The variables for it.
    """

    address: str
    environment: dict[str, str]


THIS = Cluster("auto", {})


class JoinedNode:
    """The node of one data folder.

    Args:
        settings: All settings; `settings.data.folder` is the node's identity.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.data.folder
        self._marker = str(self._folder.resolve())
        self._file = self._folder / "node.json"

    def is_kept(self) -> bool:
        """Whether nobody has ended it."""
        return self._file.exists()

    def cluster(self) -> Cluster | None:
        """The cluster that it has joined, or None."""
        if not self._file.exists():
            return None
        kept = json.loads(self._file.read_text())
        return Cluster(kept["address"], kept["environment"])

    def join(self, head: str, progress: Progress) -> None:
        """Start it, and wait until it belongs to the cluster.

        Args:
            head: Address and port of the head.
            progress: Told what is waited for.

        Raises:
            InstanceProblem: It cannot join; nothing is left running.
        """
        if self._settings.ray.token is None:
            raise InstanceProblem(
                "OCS_RAY_TOKEN, or OCS_RAY_TOKEN_FILE, must have the token of the cluster: `ray_token` in the data "
                "folder of its head."
            )
        _reach(head)
        with locked(made(self._folder)):
            if processes.marked(self._marker):
                raise InstanceProblem(
                    f"Something runs in {self._folder} already: another --data, or `down` first."
                )
            progress.step(f"the cluster of {head}")
            try:
                self._start(head)
            except BaseException as error:
                progress.give_up()
                self._end()
                if isinstance(error, ProcessFailed):
                    raise InstanceProblem(str(error)) from error
                raise

    def leave(self, progress: Progress) -> str:
        """Empty it and end it; says what was not emptied in time.

        Raises:
            InstanceProblem: There is none.
        """
        if (cluster := self.cluster()) is None:
            raise InstanceProblem("Nothing of this folder has joined a cluster.")
        with locked(self._folder):
            progress.step("what is on this node to move")
            left = moved("leave", cluster, self._settings, seconds=LEAVE_SECONDS)
            progress.step("the end of what runs")
            self._end()
        return left

    def _start(self, head: str) -> None:
        ports = RayPorts(*free_ports(len(fields(RayPorts)), but=(self._settings.http.port,)))
        settings = self._settings.with_changes({"ray": {"address": head}})
        kept_token(settings, self._folder)
        environment = ray_environment(settings, ports, self._folder)
        temporary = private_folder(ray_temporary_folder(self._folder).parent)
        (temporary / HAPROXY_FOLDER).mkdir(mode=0o700, exist_ok=True)
        log = self._folder / "logs" / "ray.log"
        log.unlink(missing_ok=True)
        command = worker_command(settings, ports, self._folder, head=head)
        process = processes.start("Ray", command, log=log, marker=self._marker, env=environment)
        patience = settings.ray.start_timeout_seconds
        processes.wait_until(
            lambda: process.poll() == 0, name="Ray", process=process, log=log, timeout_seconds=patience
        )
        cluster = Cluster(head, environment)
        if problem := moved("agree", cluster, settings, seconds=LEAVE_SECONDS):
            raise ProcessFailed(problem)
        kept = {"address": head, "environment": environment}
        write_private(self._file, json.dumps(kept))

    def _end(self) -> None:
        # The node first and alone: it takes its workers with it, in order.
        raylet = processes.named(self._marker, ("raylet",))
        processes.end(raylet, patience_seconds=STOP_PATIENCE_SECONDS)
        processes.end(processes.marked(self._marker), patience_seconds=STOP_PATIENCE_SECONDS)
        self._file.unlink(missing_ok=True)


def moved(what: str, cluster: Cluster, settings: Settings, *, seconds: float) -> str:
    """Have `cluster.nodes.moves` do something, and return what it says could not be done.

    Raises:
        InstanceProblem: The cluster does not answer.
    """
    command = [sys.executable, "-m", "cluster.nodes.moves", what, cluster.address, settings.ray.namespace]
    try:
        done = subprocess.run(  # noqa: S603  (the command is ours)
            [*command, str(seconds)],
            env={**os.environ, **cluster.environment},
            capture_output=True,
            text=True,
            timeout=2 * seconds + LEAVE_SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        words = "\n".join(error.stderr.strip().splitlines()[-2:])
        raise InstanceProblem(f"The cluster at {cluster.address} does not answer:\n{words}") from error
    except subprocess.TimeoutExpired as error:
        raise InstanceProblem(f"The cluster at {cluster.address} gives no answer.") from error
    said: str = json.loads(done.stdout.splitlines()[-1])
    return said


def in_company(settings: Settings) -> Settings:
    """The settings of a node that others reach: its HTTP port and its replicas are for them too."""
    if settings.http.ipv4_host not in LOOPBACK:
        return settings
    return settings.with_changes({"http": {"host": "0.0.0.0"}})  # noqa: S104  that others reach it is what was asked for


def as_it_listens(settings: Settings, state: InstanceState | None) -> Settings:
    """The settings of an instance that runs: a head goes on being one, whoever asks."""
    host = state.ray_address.rpartition(":")[0] if state else LOOPBACK[0]
    if host in LOOPBACK:
        return settings
    return in_company(settings.with_changes({"ray": {"listen": host}}))


def with_token_of(settings: Settings, file: Path | None) -> Settings:
    """The settings with the token in a file, where one is named."""
    if file is None:
        return settings
    try:
        token = SecretStr(file.read_text().strip())
    except OSError as error:
        raise InstanceProblem(f"{file} cannot be read: {error.strerror}") from error
    return settings.with_changes({"ray": {"token": token}})


def _reach(head: str) -> None:
    host, _, port = head.rpartition(":")
    if not host or not port.isdigit():
        raise InstanceProblem(f"{head}: the head is an address and a port, such as 10.0.0.1:6380.")
    try:
        socket.create_connection((host, int(port)), REACH_SECONDS).close()
    except OSError as error:
        raise InstanceProblem(
            f"Nobody answers at {head} ({error}). `optionchain up --listen {host}` starts a head there; a firewall "
            "must let this machine through."
        ) from error

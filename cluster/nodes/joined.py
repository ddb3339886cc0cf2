"""A node of this machine that has joined the cluster of another: started, emptied and ended."""

from __future__ import annotations

import json
from dataclasses import fields

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
from cluster.nodes.reaching import Cluster, asked, cluster_at, disagreement, moved
from cluster.settings import Settings

LEAVE_SECONDS = 60.0
RAYLET = "raylet"


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

    def runs(self) -> bool:
        """Whether Ray's node does: it ends by itself when its cluster has given it up."""
        try:
            kept = json.loads(self._file.read_text())
        except FileNotFoundError:
            return False
        return processes.runs(kept["pid"], (RAYLET,))

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
        cluster = cluster_at(head, self._settings)
        with locked(made(self._folder)):
            if processes.marked(self._marker):
                raise InstanceProblem(
                    f"Something runs in {self._folder} already: another --data, or `down` first."
                )
            progress.step(f"the cluster of {head}")
            try:
                if problem := disagreement(asked(cluster)):
                    raise InstanceProblem(problem)
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
            InstanceProblem: There is none, or it has fallen out of its cluster; nothing of it is left then.
        """
        if (cluster := self.cluster()) is None:
            raise InstanceProblem("Nothing of this folder has joined a cluster.")
        with locked(self._folder):
            if not self.is_kept():
                return ""  # somebody else has ended it meanwhile
            if not self.runs():
                self._end()
                raise InstanceProblem(
                    f"This node has fallen out of the cluster of {cluster.address}, which had not heard of it for too "
                    "long; what was on it goes on elsewhere. `optionchain join` makes it a node again."
                )
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
        raylet = processes.named(self._marker, (RAYLET,))
        if not raylet:
            raise ProcessFailed(
                f"Ray's node ended as soon as it had started. Its last words: {processes.tail(log, 5)}"
            )
        kept = {"address": head, "environment": environment, "pid": raylet[0].pid}
        write_private(self._file, json.dumps(kept))

    def _end(self) -> None:
        # The node first and alone: it takes its workers with it, in order.
        raylet = processes.named(self._marker, (RAYLET,))
        processes.end(raylet, patience_seconds=STOP_PATIENCE_SECONDS)
        processes.end(processes.marked(self._marker), patience_seconds=STOP_PATIENCE_SECONDS)
        self._file.unlink(missing_ok=True)


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

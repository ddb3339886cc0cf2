"""The parts of a local instance, each as it is started and ended: private servers, Ray, the service, the supervisor."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from cluster.api_keys import kept_key
from cluster.instance import processes
from cluster.instance.completed_settings import revealed
from cluster.instance.embedded_servers import MONGODB, embedded_mongo, embedded_redis, provide_user, running
from cluster.instance.failed_start import is_slow_start
from cluster.instance.ports import free_ports
from cluster.instance.private_files import private_folder
from cluster.instance.processes import ProcessFailed
from cluster.instance.progress import Progress
from cluster.instance.ray_node import (
    HAPROXY_FOLDER,
    RayPorts,
    kept_token,
    ray_command,
    ray_environment,
    ray_temporary_folder,
    refused,
)
from cluster.instance.state import PrivateServer, write_private
from cluster.instance.supervisor import RAY_PROGRAMS
from cluster.settings import Settings

STOP_PATIENCE_SECONDS = 20.0
SUPERVISOR = "cluster.instance.supervisor"
# Left in the data folder once the private MongoDB asks for a password.
HAS_USER = "mongo_has_user"


class Parts:
    """What an instance consists of. Every start raises `ProcessFailed` where it does not succeed.

    Args:
        settings: All settings.
        marker: What each process carries in its environment.
    """

    def __init__(self, settings: Settings, marker: str) -> None:
        self._settings = settings
        self._folder = settings.data.folder
        self._logs = self._folder / "logs"
        self._ray_log, self._deploy_log = self._logs / "ray.log", self._logs / "deploy.log"
        self._marker = marker

    def private_servers(self) -> tuple[PrivateServer, ...]:
        """Those that the settings name no address for; none is started yet."""
        servers = []
        redis_port, mongo_port = free_ports(2, but=(self._settings.http.port,))
        redis, mongo = self._settings.redis, self._settings.mongo
        if redis.url is None:
            password = kept_key(self._folder / "redis_password")
            servers.append(embedded_redis(self._folder / "redis", redis_port, password, fsync=redis.fsync))
        if mongo.uri is None:
            password = kept_key(self._folder / "mongo_password")
            servers.append(embedded_mongo(self._folder / "mongo", mongo_port, password))
        return tuple(
            replace(server, log=str(self._logs / f"{server.name.lower()}.log")) for server in servers
        )

    def start_server(self, progress: Progress, server: PrivateServer) -> None:
        """Start a private server, and wait until it listens."""
        progress.step(server.name)
        if server.name == MONGODB and not (self._folder / HAS_USER).exists():
            self._provide_user(server)
        process = processes.start_server(server, marker=self._marker)
        self._wait(
            lambda process: processes.listens(process, server.port), server.name, process, Path(server.log)
        )

    def _provide_user(self, server: PrivateServer) -> None:
        """Before the first start with passwords: a server without them, for as long as it takes to make the user."""
        patience = self._settings.ray.start_timeout_seconds
        welcoming = embedded_mongo(self._folder / "mongo", server.port)
        with running(welcoming, self._folder, patience_seconds=patience):
            password = kept_key(self._folder / "mongo_password")
            provide_user(welcoming.url, password, patience_seconds=patience)
        write_private(self._folder / HAS_USER, "")

    def environment_of_ray(self, ports: RayPorts) -> dict[str, str]:
        """The variables of the node's processes, and of whoever connects to it."""
        kept_token(self._settings, self._folder)
        return ray_environment(self._settings, ports, self._folder)

    def start_ray(
        self,
        progress: Progress,
        ports: RayPorts,
        servers: Sequence[PrivateServer],
        environment: Mapping[str, str],
        meanwhile: Callable[[], object],
    ) -> None:
        """Start the node, once more where a part of Ray has given up on another that was slow to start.

        Args:
            progress: Told what is waited for.
            ports: Of the node.
            servers: What stays when a node that was too slow is ended.
            environment: Of the node.
            meanwhile: What to do while it starts.
        """
        deadline = time.monotonic() + self._settings.ray.start_timeout_seconds
        node = self._begin_node(ports, environment)
        meanwhile()
        progress.step("Ray")
        while True:
            try:
                self._wait(lambda process: process.poll() == 0, "Ray", node, self._ray_log)
            except ProcessFailed:
                if time.monotonic() > deadline or not is_slow_start(self._ray_log):
                    raise
                self.end_ray(servers)
                progress.step("Ray, which was slow to start, once more")
                node = self._begin_node(ports, environment)
            else:
                return

    def _begin_node(self, ports: RayPorts, environment: Mapping[str, str]) -> psutil.Popen:
        temporary = private_folder(ray_temporary_folder(self._folder).parent)
        for part in temporary.iterdir():
            shutil.rmtree(part, ignore_errors=True)
        (temporary / HAPROXY_FOLDER).mkdir(mode=0o700)
        self._ray_log.unlink(missing_ok=True)
        command = ray_command(self._settings, ports, self._folder)
        return processes.start("Ray", command, log=self._ray_log, marker=self._marker, env=environment)

    def ray_pids(self) -> tuple[int, ...]:
        """The processes without which there is no Ray."""
        return tuple(process.pid for process in processes.named(self._marker, RAY_PROGRAMS))

    @contextmanager
    def deployment(self, ray_address: str, environment: Mapping[str, str]) -> Iterator[psutil.Popen]:
        """The process that deploys, which has much to import before it needs to be told what.

        A process of its own, for Ray reads its switches when it is imported. Nobody tells it anything after the block.
        """
        self._deploy_log.unlink(missing_ok=True)
        command = [sys.executable, "-m", "serve_app.deploy", ray_address]
        log, marker = self._deploy_log, self._marker
        process = processes.start(
            "the deployment", command, log=log, marker=marker, env=environment, is_told=True
        )
        try:
            yield process
        finally:
            process.stdin.close()

    def deploy(
        self,
        progress: Progress,
        settings: Settings,
        process: psutil.Popen,
        is_ready: Callable[[psutil.Popen], bool],
    ) -> None:
        """Deploy the service, and wait.

        Args:
            progress: Told what is waited for.
            settings: With the addresses of the servers, which run, as Ray does.
            process: What deploys.
            is_ready: Whether it is, given the process.
        """
        progress.step("the HTTP service")
        processes.tell(process, json.dumps(revealed(settings)))
        self._wait(
            lambda process: not refused(self._folder) and is_ready(process),
            "the HTTP service",
            process,
            self._deploy_log,
        )

    def supervise(self) -> None:
        """Have what dies started again, unless that is seen to already."""
        if not self._settings.data.supervised or processes.with_argument(self._marker, SUPERVISOR):
            return
        command = [sys.executable, "-m", SUPERVISOR, str(self._folder)]
        processes.start(
            "the supervisor", command, log=self._logs / "supervisor.log", marker=self._marker, env={}
        )

    def end_all(self) -> None:
        """End everything."""
        # First of all who would start it again.
        supervisors = processes.with_argument(self._marker, SUPERVISOR)
        processes.end(supervisors, patience_seconds=STOP_PATIENCE_SECONDS)
        self.end_ray()
        processes.end(processes.marked(self._marker), patience_seconds=STOP_PATIENCE_SECONDS)

    def end_ray(self, staying: Sequence[PrivateServer] = ()) -> None:
        """End Ray and the service; the supervisor and these servers stay."""
        # The node first and alone: it takes its workers with it, in order.
        processes.end(processes.named(self._marker, ("raylet",)), patience_seconds=STOP_PATIENCE_SECONDS)
        commands = {server.command for server in staying}
        others = [
            process
            for process in processes.marked(self._marker)
            if not processes.is_one_of(process, commands) and not processes.has_argument(process, SUPERVISOR)
        ]
        processes.end(others, patience_seconds=STOP_PATIENCE_SECONDS)

    def _wait(
        self, is_ready: Callable[[psutil.Popen], bool], name: str, process: psutil.Popen, log: Path
    ) -> None:
        patience = self._settings.ray.start_timeout_seconds
        processes.wait_until(
            lambda: is_ready(process), name=name, process=process, log=log, timeout_seconds=patience
        )

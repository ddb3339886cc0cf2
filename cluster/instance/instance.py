"""The local instance: servers, Ray and the HTTP service of one data folder, started and stopped as one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import psutil
from pydantic import SecretStr

from cluster.api_keys import kept_key
from cluster.instance import processes
from cluster.instance.completed_settings import revealed, with_key, with_mongo, with_redis
from cluster.instance.embedded_servers import EmbeddedServer, embedded_mongo, embedded_redis
from cluster.instance.given_servers import silent_servers
from cluster.instance.lock import locked, made
from cluster.instance.ports import accepts, free_ports, obstacle
from cluster.instance.problem import InstanceProblem
from cluster.instance.processes import ProcessFailed
from cluster.instance.progress import Progress
from cluster.instance.ray_node import RayPorts, ray_command, ray_environment, ray_temporary_folder
from cluster.instance.state import InstanceState, read_state, write_private, write_state
from cluster.settings import Settings

if TYPE_CHECKING:
    from cluster.instance.report import ClusterReport

STOP_PATIENCE_SECONDS = 20.0
REPORT_PATIENCE_SECONDS = 60.0
# A busy machine is slow to answer, and what runs is not to be started anew for that; what is dead refuses at once.
READY_PATIENCE_SECONDS = 15.0
READY = "ready"


class Instance:
    """One data folder, and what runs for it.

    Args:
        settings: All settings; `settings.data.folder` is the instance's identity.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.data.folder
        self._logs = self._folder / "logs"
        self._state_file = self._folder / "instance.json"
        self._marker = str(self._folder.resolve())

    @property
    def logs(self) -> Path:
        """The folder of our log files."""
        return self._logs

    @property
    def ray_logs(self) -> Path:
        """The folder of Ray's log files: the replicas and the actors."""
        return ray_temporary_folder(self._folder) / "session_latest" / "logs"

    def state(self) -> InstanceState | None:
        """What runs, or None when nothing does or its state cannot be trusted."""
        if not self._state_file.exists() or not processes.marked(self._marker):
            return None
        return read_state(self._state_file)

    def health(self) -> dict[str, str]:
        """What the HTTP service says of itself (`http`) and of its servers; of these nothing without an answer.

        Raises:
            InstanceProblem: Nothing runs.
        """
        return _health(self._running_state().base_url)

    def report(self) -> ClusterReport:
        """The nodes and session actors of the running cluster.

        Raises:
            InstanceProblem: The cluster does not answer.
        """
        state = self._running_state()
        command = [
            sys.executable,
            "-m",
            "cluster.instance.report",
            state.ray_address,
            self._settings.ray.namespace,
        ]
        try:
            answer = subprocess.run(  # noqa: S603  (the command is ours)
                command,
                env={**os.environ, **state.environment},
                capture_output=True,
                timeout=REPORT_PATIENCE_SECONDS,
                check=True,
            )
        except (subprocess.SubprocessError, OSError) as error:
            raise InstanceProblem(
                "Ray does not answer. `optionchain up` starts anew what has failed, `optionchain down` ends what is "
                "left; `optionchain logs` may tell why."
            ) from error
        report: ClusterReport = json.loads(answer.stdout.splitlines()[-1])
        return report

    def up(self, progress: Progress) -> InstanceState:
        """Start what does not run yet and wait until it is ready; what runs is used again.

        Raises:
            InstanceProblem: It cannot be started; nothing is left running.
        """
        with locked(made(self._folder)):
            state = self.state()
            if state is not None and _health(state.base_url)["http"] == READY:
                self._revive_mongo(progress, state)
                return state
            self._end_all(progress)
            try:
                return self._start(progress)
            except BaseException as error:
                # Ctrl-C as well: half an instance is worse than none.
                progress.give_up()
                self._end_all(progress)
                progress.done()
                if isinstance(error, ProcessFailed):
                    raise InstanceProblem(str(error)) from error
                raise

    def redeploy(self, progress: Progress) -> None:
        """Bring the settings of now to what runs, without a moment of downtime. Servers and ports stay.

        Raises:
            InstanceProblem: Nothing runs, or the new settings do not work; the old replicas serve on.
        """
        state = self._running_state()
        with locked(self._folder):
            settings = with_mongo(with_redis(self._settings, state.redis_url), state.mongo_uri)
            settings = with_key(settings, self._api_key())
            try:
                process, log = self._start_deployment(progress, settings, state)
                self._wait(lambda: process.poll() == 0, "the HTTP service", process, log)
            except ProcessFailed as error:
                raise InstanceProblem(str(error)) from error

    def down(self, progress: Progress) -> int:
        """End every process of the instance, whatever state it is in; returns how many there were.

        A start that is under way is interrupted, and ends itself what it has started.
        """
        if not self._folder.exists():
            return 0
        with locked(self._folder, interrupt_seconds=3 * STOP_PATIENCE_SECONDS):
            return self._end_all(progress)

    def _running_state(self) -> InstanceState:
        state = self.state()
        if state is None:
            raise InstanceProblem("Nothing is running. `optionchain up` starts it.")
        return state

    def _start(self, progress: Progress) -> InstanceState:
        http = self._settings.http
        problem = obstacle(http.host, http.port)
        if problem:
            raise InstanceProblem(problem)
        silent = silent_servers(self._settings)
        if silent:
            raise InstanceProblem("\n".join(silent))
        redis_port, mongo_port, *ray_ports = free_ports(2 + len(fields(RayPorts)))
        settings = self._with_servers(progress, redis_port, mongo_port)
        ports = RayPorts(*ray_ports)
        environment = self._start_ray(progress, settings, ports)
        state = InstanceState(
            marker=self._marker,
            base_url=f"http://{'127.0.0.1' if http.host == '0.0.0.0' else http.host}:{http.port}",  # noqa: S104
            api_key=self._api_key(),
            ray_address=f"127.0.0.1:{ports.gcs}",
            ray_dashboard=f"http://127.0.0.1:{ports.dashboard}",
            redis_url=_secret(settings.redis.url),
            mongo_uri=_secret(settings.mongo.uri),
            environment=environment,
        )
        write_state(self._state_file, state)
        self._deploy(progress, settings, state)
        return state

    def _with_servers(self, progress: Progress, redis_port: int, mongo_port: int) -> Settings:
        settings = self._settings
        if settings.redis.url is None:
            password = kept_key(self._folder / "redis_password")
            redis = embedded_redis(self._folder / "redis", redis_port, password, fsync=settings.redis.fsync)
            self._start_server(progress, redis)
            settings = with_redis(settings, redis.url)
        if settings.mongo.uri is None:
            mongo = embedded_mongo(self._folder / "mongo", mongo_port)
            self._start_server(progress, mongo)
            settings = with_mongo(settings, mongo.url)
        return with_key(settings, self._api_key())

    def _revive_mongo(self, progress: Progress, state: InstanceState) -> None:
        """Start the private MongoDB again where it has died: sessions go on without it, so all else is ready."""
        port = urlsplit(state.mongo_uri).port
        if self._settings.mongo.uri is not None or port is None or accepts(port):
            return
        try:
            self._start_server(progress, embedded_mongo(self._folder / "mongo", port))
        except ProcessFailed as error:
            raise InstanceProblem(str(error)) from error

    def _start_server(self, progress: Progress, server: EmbeddedServer) -> None:
        progress.step(server.name)
        log = self._logs / f"{server.name.lower()}.log"
        process = processes.start(server.name, server.command, log=log, marker=self._marker, env={})
        self._wait(lambda: accepts(server.port), server.name, process, log)

    def _start_ray(self, progress: Progress, settings: Settings, ports: RayPorts) -> dict[str, str]:
        progress.step("Ray")
        kept_key(self._folder / "ray_token")
        temporary = ray_temporary_folder(self._folder)
        shutil.rmtree(temporary, ignore_errors=True)
        (temporary / "h").mkdir(parents=True, mode=0o700)
        environment = ray_environment(settings, ports, self._folder)
        log = self._logs / "ray.log"
        log.unlink(missing_ok=True)
        process = processes.start(
            "Ray", ray_command(settings, ports, self._folder), log=log, marker=self._marker, env=environment
        )
        self._wait(lambda: "Ray runtime started" in processes.tail(log, 200), "Ray", process, log)
        return environment

    def _deploy(self, progress: Progress, settings: Settings, state: InstanceState) -> None:
        process, log = self._start_deployment(progress, settings, state)
        self._wait(lambda: _health(state.base_url)["http"] == READY, "the HTTP service", process, log)

    def _start_deployment(
        self, progress: Progress, settings: Settings, state: InstanceState
    ) -> tuple[psutil.Popen, Path]:
        """Run the deployment in a process of its own: Ray reads its switches when it is imported."""
        progress.step("the HTTP service")
        log = self._logs / "deploy.log"
        log.unlink(missing_ok=True)
        write_private(self._folder / "settings.json", json.dumps(revealed(settings)))
        command = [
            sys.executable,
            "-m",
            "serve_app.deploy",
            state.ray_address,
            str(self._folder / "settings.json"),
        ]
        process = processes.start(
            "the deployment", command, log=log, marker=self._marker, env=state.environment
        )
        return process, log

    def _wait(self, is_ready: Any, name: str, process: Any, log: Path) -> None:
        processes.wait_until(
            is_ready,
            name=name,
            process=process,
            log=log,
            timeout_seconds=self._settings.ray.start_timeout_seconds,
        )

    def _end_all(self, progress: Progress) -> int:
        running = processes.marked(self._marker)
        if running:
            progress.step("the end of what runs")
            leaders = [process for process in running if processes.has_argument(process, "--block")]
            # Ray first and alone: it takes HAProxy and its workers with it, in order.
            processes.end(leaders, patience_seconds=STOP_PATIENCE_SECONDS)
            processes.end(processes.marked(self._marker), patience_seconds=STOP_PATIENCE_SECONDS)
        self._state_file.unlink(missing_ok=True)
        return len(running)

    def _api_key(self) -> str | None:
        auth = self._settings.auth
        if not auth.enabled:
            return None
        given = auth.keys.get_secret_value()
        if given:
            return given.split(",")[0].partition("=")[2]
        return kept_key(self._folder / "api_key")


def _health(base_url: str) -> dict[str, str]:
    try:
        body = httpx.get(f"{base_url}/ready", timeout=READY_PATIENCE_SECONDS, trust_env=False).json()
        return {"http": str(body["status"]), **body["dependencies"]}
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return {"http": "no answer"}


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value else ""

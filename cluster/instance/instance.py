"""The local instance: servers, Ray and the HTTP service of one data folder, started and stopped as one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from cluster.api_keys import kept_key
from cluster.instance import processes
from cluster.instance.completed_settings import completed, revealed, with_mongo, with_redis
from cluster.instance.embedded_servers import MONGODB, REDIS
from cluster.instance.failed_start import keep_logs, with_other_ports
from cluster.instance.lock import locked, made
from cluster.instance.parts import STOP_PATIENCE_SECONDS, Parts
from cluster.instance.ports import free_ports, refuses
from cluster.instance.preconditions import check_start
from cluster.instance.private_files import check_private
from cluster.instance.problem import InstanceProblem
from cluster.instance.processes import ProcessFailed
from cluster.instance.progress import Progress
from cluster.instance.ray_node import LOOPBACK, RayPorts, ray_temporary_folder
from cluster.instance.service import READY, becomes_ready, health, told_by_ray, told_by_service
from cluster.instance.state import InstanceState, PrivateServer, read_state, write_private, write_state
from cluster.instance.supervisor import ray_lives
from cluster.settings import Settings

if TYPE_CHECKING:
    from cluster.instance.report import ClusterReport

# How the settings know of a private server.
CONNECTED = {REDIS: with_redis, MONGODB: with_mongo}
# The settings as they were asked for: what a supervisor starts the instance by.
ASKED_FOR = "asked_for.json"


def asked_for(folder: Path) -> Settings:
    """The settings that the instance of a folder was asked for with, last.

    Raises:
        OSError, ValueError: There are none that can be read.
    """
    return Settings(**json.loads((folder / ASKED_FOR).read_text()))


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
        self._parts = Parts(settings, self._marker)

    @property
    def logs(self) -> Path:
        """The folder of our log files."""
        return self._logs

    @property
    def ray_logs(self) -> Path:
        """The folder of Ray's log files: the replicas and the actors."""
        return ray_temporary_folder(self._folder) / "session_latest" / "logs"

    def is_kept(self) -> bool:
        """Whether nobody has ended what was started, though it may be dead."""
        return self._state_file.exists() or bool(processes.marked(self._marker))

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
        return health(self._running_state().base_url)

    def report(self) -> ClusterReport:
        """The nodes and session actors of the running cluster.

        Raises:
            InstanceProblem: The cluster does not answer.
        """
        state = self._running_state()
        return told_by_service(state) or told_by_ray(state, self._settings.ray.namespace)

    def up(self, progress: Progress) -> InstanceState:
        """Start what does not run yet and wait until it is ready; what runs is used again.

        Raises:
            InstanceProblem: It cannot be started; the logs of the attempt are kept. Of a first start nothing is left
                running.
        """
        with locked(made(self._folder)):
            check_private(self._folder)
            state = self.state()
            if state is not None:
                end = partial(self._parts.end_ray, state.servers)
                return self._guarded(progress, partial(self._mended, progress, state), end)
            self._end_all(progress)
            return self._guarded(progress, partial(self._started, progress), partial(self._end_all, progress))

    def _guarded(
        self, progress: Progress, start: Callable[[], InstanceState], end: Callable[[], object]
    ) -> InstanceState:
        try:
            return with_other_ports(progress, start, end)
        except BaseException as error:
            # Ctrl-C as well: half an instance is worse than none.
            progress.give_up()
            kept = keep_logs(self._logs, self.ray_logs) if isinstance(error, ProcessFailed) else None
            end()
            progress.done()
            if isinstance(error, ProcessFailed):
                raise InstanceProblem(f"{error}\nThe logs of this start are kept in {kept}.") from error
            raise

    def _started(self, progress: Progress) -> InstanceState:
        """Everything, from nothing."""
        check_start(self._settings)
        write_private(self._folder / ASKED_FOR, json.dumps(revealed(self._settings)))
        servers = self._parts.private_servers()
        return self._with_ray(progress, servers, missing=servers)

    def _mended(self, progress: Progress, state: InstanceState) -> InstanceState:
        """What has died, anew; what lives stays as it is."""
        dead = [server for server in state.servers if refuses(server.port)]
        for server in dead:
            self._parts.start_server(progress, server)
        if not ray_lives(state) or not becomes_ready(state, patient=bool(dead)):
            self._parts.end_ray(state.servers)
            return self._with_ray(progress, state.servers)
        state = self._observed(progress, state)
        self._parts.supervise()
        return state

    def _observed(self, progress: Progress, state: InstanceState) -> InstanceState:
        """The same with what watches it, where that was asked for."""
        if not self._settings.data.observed:
            return state
        from cluster.observe.configuration import write_targets  # noqa: PLC0415  it needs the reader of YAML
        from cluster.observe.servers import observing_servers  # noqa: PLC0415

        folder = self._folder / "observe"
        write_targets(folder, state)
        webhook = _secret(self._settings.telemetry.webhook)
        known = {server.name for server in state.servers}
        new = [
            server
            for server in observing_servers(
                folder, webhook=webhook, logs=self._logs, ray_logs=self.ray_logs, running=state.servers
            )
            if server.name not in known
        ]
        for server in new:
            self._parts.start_server(progress, server)
        state = replace(state, servers=(*state.servers, *new))
        write_state(self._state_file, state)
        return state

    def _with_ray(
        self, progress: Progress, servers: Sequence[PrivateServer], *, missing: Sequence[PrivateServer] = ()
    ) -> InstanceState:
        """Ray and the service, on servers that run; those that are missing start beside Ray."""
        settings = completed(self._settings, self._folder, self._api_key())
        for server in servers:
            if server.name in CONNECTED:
                settings = CONNECTED[server.name](settings, server.url)
        ports = RayPorts(*free_ports(len(fields(RayPorts)), but=(settings.http.port,)))
        if settings.ray.listen:
            ports = replace(ports, gcs=settings.ray.port)
        http, has_dashboard = settings.http, settings.ray.dashboard
        state = InstanceState(
            marker=self._marker,
            base_url=f"http://{http.plain_host}:{http.port}",
            api_key=self._api_key(),
            ray_address=f"{settings.ray.listen or LOOPBACK[0]}:{ports.gcs}",
            ray_dashboard=f"http://127.0.0.1:{ports.dashboard}" if has_dashboard else "",
            redis_url=_secret(settings.redis.url),
            mongo_uri=_secret(settings.mongo.uri),
            environment=self._parts.environment_of_ray(ports),
            cache_redis_url=_secret(settings.cache.redis_url),
            servers=tuple(servers),
            metrics_port=ports.metrics,
            https_url=http.https_url,
        )

        def start_missing() -> None:
            for server in missing:
                self._parts.start_server(progress, server)

        with ExitStack() as begun:
            deploying = partial(self._parts.deployment, state.ray_address, state.environment)
            deployment = begun.enter_context(deploying())
            self._parts.start_ray(progress, ports, servers, state.environment, start_missing)
            state = replace(state, ray_pids=self._parts.ray_pids())
            write_state(self._state_file, state)
            state = self._observed(progress, state)
            if deployment.poll() is not None:  # it was ended with a node that was too slow
                deployment = begun.enter_context(deploying())
            self._parts.deploy(
                progress,
                linked(traced(settings, state), state),
                deployment,
                lambda _: health(state.base_url)["http"] == READY,
            )
        self._parts.supervise()
        return state

    def redeploy(self, progress: Progress) -> None:
        """Bring the settings of now to what runs, without a moment of downtime. Servers and ports stay.

        Raises:
            InstanceProblem: Nothing runs, or the new settings do not work; the old replicas serve on.
        """
        state = self._running_state()
        with locked(self._folder):
            settings = with_mongo(with_redis(self._settings, state.redis_url), state.mongo_uri)
            settings = linked(traced(completed(settings, self._folder, self._api_key()), state), state)
            try:
                with self._parts.deployment(state.ray_address, state.environment) as deployment:
                    self._parts.deploy(progress, settings, deployment, lambda process: process.poll() == 0)
            except ProcessFailed as error:
                raise InstanceProblem(str(error)) from error
            write_private(self._folder / ASKED_FOR, json.dumps(revealed(self._settings)))

    def down(self, progress: Progress) -> int:
        """End every process of the instance, whatever state it is in; returns how many there were.

        A start that is under way is interrupted, and ends itself what it has started.
        """
        if not self._folder.exists():
            return 0
        with locked(self._folder, interrupt_seconds=3 * STOP_PATIENCE_SECONDS):
            return self._end_all(progress)

    def _running_state(self) -> InstanceState:
        if (state := self.state()) is None:
            raise InstanceProblem("Nothing is running. `optionchain up` starts it.")
        return state

    def _end_all(self, progress: Progress) -> int:
        running = processes.marked(self._marker)
        if running:
            progress.step("the end of what runs")
            self._parts.end_all()
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


def traced(settings: Settings, state: InstanceState) -> Settings:
    """The settings, with traces that go to what the instance itself runs for them, unless they go elsewhere."""
    is_watched = any(server.name not in CONNECTED for server in state.servers)
    if settings.telemetry.endpoint is not None or not is_watched:
        return settings
    from cluster.observe.servers import traces_endpoint  # noqa: PLC0415  it needs the reader of YAML

    return settings.with_changes({"telemetry": {"endpoint": traces_endpoint(state.servers)}})


def linked(settings: Settings, state: InstanceState) -> Settings:
    """The settings, with links of the page to what the instance itself runs; one that they name goes where they say."""
    own = {"Ray": state.ray_dashboard} if state.ray_dashboard else {}
    if watching := [server for server in state.servers if server.name not in CONNECTED]:
        from cluster.observe.servers import WITH_PAGES  # noqa: PLC0415  it needs the reader of YAML

        own |= {server.name: server.url for server in watching if server.name in WITH_PAGES}
    links = own | settings.http.named_links
    return settings.with_changes({"http": {"links": ",".join(map("=".join, links.items()))}})


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value else ""

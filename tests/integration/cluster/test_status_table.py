"""What `optionchain status` shows of a cluster."""

from __future__ import annotations

import io

from rich.console import Console

from cluster.commands.console import show_cluster, show_servers
from cluster.instance.report import ClusterReport, NodeReport
from cluster.instance.state import InstanceState

STATE = InstanceState(
    marker="/data",
    base_url="http://127.0.0.1:7070",
    api_key="secret-key",
    ray_address="127.0.0.1:20001",
    ray_dashboard="http://127.0.0.1:20002",
    redis_url="redis://:secret-password@127.0.0.1:20003/0",
    mongo_uri="mongodb://127.0.0.1:20004/",
    environment={},
)
REPORT = ClusterReport(
    nodes=[
        NodeReport(node_id="aaaaaaaaaaaaaaaa", address="10.0.0.1", alive=True, cpus=2.0),
        NodeReport(node_id="bbbbbbbbbbbbbbbb", address="10.0.0.2", alive=False, cpus=8.0),
    ],
    actors=[
        {
            "name": "sessions-0",
            "node_id": "aaaaaaaaaaaaaaaa",
            "pid": 4711,
            "resident_sessions": 12_345,
            "memory_bytes": 150 << 20,
        }
    ],
    silent_actors=1,
)


def lines() -> list[str]:
    console = Console(width=120, record=True, color_system=None, file=io.StringIO())
    show_servers(console, STATE, {"http": "ready", "redis": "up", "mongodb": "down"})
    show_cluster(console, REPORT)
    return console.export_text().splitlines()


def line_with(text: str) -> str:
    (line,) = [line for line in lines() if text in line]
    return line


def test_an_actor_is_shown_with_its_node_process_sessions_and_memory() -> None:
    actor = line_with("sessions-0")

    assert all(text in actor for text in ("aaaaaaaaaaaa", "4711", "12,345", "150 MiB"))


def test_nodes_are_shown_dead_or_alive() -> None:
    assert "alive" in line_with("10.0.0.1")
    assert "dead" in line_with("10.0.0.2")


def test_actors_that_do_not_answer_are_counted() -> None:
    assert "1 actors did not answer" in line_with("did not answer")


def test_a_server_that_is_down_is_told_from_one_that_is_up() -> None:
    assert "ready" in line_with("http://127.0.0.1:7070")
    assert " up " in line_with("redis://***@127.0.0.1:20003/0")
    assert " down " in line_with("mongodb://127.0.0.1:20004/")


def test_nothing_is_said_of_servers_when_the_service_does_not_answer() -> None:
    console = Console(width=120, record=True, color_system=None, file=io.StringIO())

    show_servers(console, STATE, {"http": "no answer"})

    assert [line.split()[:2] for line in console.export_text().splitlines()[1:3]] == [
        ["Redis", "unknown"],
        ["MongoDB", "unknown"],
    ]


def test_no_secret_is_shown() -> None:
    assert "secret" not in "\n".join(lines())

"""Sessions on several Ray nodes: a node dies, the number of actors changes, an actor sleeps and wakes up again."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import ray
from prometheus_client.parser import text_string_to_metric_families
from ray.cluster_utils import Cluster as RayCluster

from actors.sessions.gateway import SessionGateway
from actors.sessions.messages import Call
from adapters.metrics.table import METRICS as ROWS
from adapters.redis.connection import open_redis
from cluster.bootstrap import open_gateway, open_session_transport, session_actor_finder
from cluster.instance.report import report
from cluster.settings import Settings
from optionchain.session import Peek, SessionKind
from proving.chaos.checker import Verdict
from proving.chaos.history import Served, Unanswered
from tests.callers import on_behalf_of
from tests.e2e.gateway_load import GatewayLoad
from tests.servers import redis_server
from tests.waiting import until

pytestmark = [
    pytest.mark.anyio,
    # Ray leaves its sockets and log files to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

NAMESPACE = "placement"
NODES = 3
# Ray's agents hear from a process every ten seconds.
REPORT_PATIENCE_SECONDS = 40.0
METRICS = {
    "batch_size",
    "batch_seconds",
    "commit_size",
    "commit_seconds",
    "steps_total",
    "snapshot_cache_hits_total",
    "activations_total",
    "evictions_total",
    "conflicts_total",
    "resident_sessions",
}
# A few a process of Ray's, and those of the table; `le` is a histogram's bucket.
LABELS = {"Component", "NodeAddress", "SessionName", "Version", "WorkerId", "le"} | {
    label for row in ROWS for label in row.labels
}
CLIENTS = 24


@dataclass(frozen=True)
class _Always:
    name: str

    def actor_name(self, session_id: str) -> str:
        return self.name


@dataclass(frozen=True)
class Nodes:
    """Ray nodes that are processes of this machine; the first is the head, and ours."""

    ray: RayCluster
    settings: Settings
    gateways: list[SessionGateway] = field(default_factory=list)

    def gateway(self, placement: str, **changes: Any) -> SessionGateway:
        return self._kept(open_gateway(self._placed(placement, **changes)))

    def gateway_to(self, name: str) -> SessionGateway:
        """Takes every session to one actor, whatever the others do."""
        patient = self.settings.with_changes({"session": {"delivery_timeout_seconds": 30.0}})
        transport = open_session_transport(patient)
        return self._kept(SessionGateway(_Always(name), transport, max_waiting=1000, timeout_seconds=60.0))

    def _kept(self, gateway: SessionGateway) -> SessionGateway:
        self.gateways.append(gateway)
        return gateway

    def pid(self, name: str) -> int:
        """The process of an actor."""
        status: Any = session_actor_finder(self.settings)(name).status.remote()
        return int(ray.get(status, timeout=60.0)["pid"])

    def _placed(self, placement: str, **changes: Any) -> Settings:
        return self.settings.with_changes({"session": {"placement": placement, **changes}})


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    node: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80 << 20}
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        cluster = RayCluster(initialize_head=True, head_node_args=node | {"include_dashboard": False})
        try:
            for _ in range(NODES - 1):
                cluster.add_node(**node)
            ray.init(address=cluster.address, namespace=NAMESPACE, log_to_driver=False)
            yield Nodes(cluster, Settings(redis={"url": server.url}, ray={"namespace": NAMESPACE}))
        finally:
            ray.shutdown()
            cluster.shutdown()


@pytest.fixture(autouse=True)
async def no_line_is_left(nodes: Nodes) -> AsyncIterator[None]:
    yield
    for gateway in nodes.gateways:
        gateway.close()
    nodes.gateways.clear()


@pytest.fixture(autouse=True)
def no_actor_is_left(nodes: Nodes) -> Iterator[None]:
    """Actors of one test would serve those of the next under the same names."""
    yield
    for actor in report(NAMESPACE)["actors"]:
        ray.kill(ray.get_actor(actor["name"], namespace=NAMESPACE))


def kept(verdict: Verdict, *, at_least: int) -> bool:
    """Whether every promise was kept, and enough was served to mean something."""
    assert verdict.is_clean, verdict.violations[:5]
    assert verdict.acknowledged >= at_least
    return True


async def test_a_node_with_half_of_the_sessions_dies_and_its_sessions_go_on_elsewhere(nodes: Nodes) -> None:
    gateway, load = nodes.gateway("shards:2", timeout_seconds=60.0), GatewayLoad(CLIENTS)
    await load.create(gateway)
    await load.step([gateway], 5)
    actors = report(NAMESPACE)["actors"]
    victim = next(node for node in nodes.ray.worker_nodes if node.node_id in {a["node_id"] for a in actors})
    assert {actor["resident_sessions"] > 0 for actor in actors} == {True}
    assert len({actor["node_id"] for actor in actors}) == 2, "the two actors are on different nodes"

    under_load = asyncio.create_task(load.step([gateway], 30))
    await asyncio.to_thread(nodes.ray.remove_node, victim, allow_graceful=False)
    # A dead machine takes its processes along; here they would live on until they miss their node.
    for actor in actors:
        if actor["node_id"] == victim.node_id:
            os.kill(actor["pid"], signal.SIGKILL)
    await under_load
    await load.step([gateway], 5)

    assert kept(await load.verdict(gateway), at_least=CLIENTS * 35)
    assert victim.node_id not in {actor["node_id"] for actor in report(NAMESPACE)["actors"]}


async def test_the_number_of_actors_changes_under_load(nodes: Nodes) -> None:
    few, many, load = (
        nodes.gateway("shards:2", timeout_seconds=60.0),
        nodes.gateway("shards:3", timeout_seconds=60.0),
        GatewayLoad(CLIENTS),
    )
    await load.create(few)

    await load.step([few], 5)
    # A rolling update: replicas of the old and of the new number serve side by side.
    await load.step([few, many], 20, expecting=False)
    await load.step([many], 5)
    await load.step([many, few], 10)

    assert kept(await load.verdict(few), at_least=CLIENTS * 36)


async def test_an_actor_that_slept_while_another_took_over_serves_nothing_twice(nodes: Nodes) -> None:
    patient, hasty = (nodes.gateway("shards:1", timeout_seconds=seconds) for seconds in (60.0, 1.0))
    other, load = nodes.gateway_to("sessions-1"), GatewayLoad(CLIENTS)
    await load.create(patient)
    await load.step([patient, other], 4)

    with suspended(nodes.pid("sessions-0")):
        # Each session has steps on their way to the sleeper while the other actor serves them all.
        hasty_steps = [asyncio.create_task(load.attempt(hasty, id_, None)) for id_ in load.sessions]
        patient_steps = [asyncio.create_task(load.attempt(patient, id_, None)) for id_ in load.sessions]
        await load.step([other], 4)
        given_up = await asyncio.gather(*hasty_steps)
    served = await asyncio.gather(*patient_steps)
    await load.step([patient, other], 10)

    assert all(isinstance(outcome, Unanswered) for outcome in given_up)
    assert {outcome.index for outcome in served if isinstance(outcome, Served)} == {8}
    assert kept(await load.verdict(patient), at_least=CLIENTS * 18)


async def test_sessions_of_their_own_processes_go_on_when_those_are_killed(nodes: Nodes) -> None:
    gateway, load = nodes.gateway("per-session", timeout_seconds=60.0), GatewayLoad(2)
    await load.create(gateway)
    await load.step([gateway], 3)

    for actor in report(NAMESPACE)["actors"]:
        os.kill(actor["pid"], signal.SIGKILL)
    await load.step([gateway], 3)

    assert kept(await load.verdict(gateway), at_least=12)


async def test_every_metric_of_the_sessions_is_exported_and_no_label_grows_with_them(nodes: Nodes) -> None:
    gateway = nodes.gateway("shards:2", timeout_seconds=60.0, max_resident=CLIENTS // 4)
    load = GatewayLoad(CLIENTS)
    await load.create(gateway)
    await load.step([gateway], 2)
    (one, *_) = load.sessions
    await gateway.call(Call(one, on_behalf_of("owner"), SessionKind.CHAIN, Peek()))
    await load.attempt(gateway, one, 2)
    # Another writer was there: a conflict, and the session is loaded again.
    redis = open_redis(nodes.settings.redis)
    await redis.hincrby(f"{nodes.settings.redis.prefix}:session:{{{one}}}", "version", 1)
    await redis.aclose()
    await load.attempt(gateway, one, 3)

    series = await exported(nodes)

    assert families_of(series) >= METRICS
    for name, labels in series:
        assert {label for label in labels if not label.startswith("otel_scope")} <= LABELS, (name, labels)
        assert not set(labels.values()) & set(load.sessions)


async def exported(nodes: Nodes) -> list[tuple[str, dict[str, str]]]:
    """Our series at the agents of all nodes, as soon as all metrics are there."""
    ports = {node["MetricsExportPort"] for node in ray.nodes() if node["Alive"]}

    async def found() -> list[tuple[str, dict[str, str]]] | None:
        async with httpx.AsyncClient(trust_env=False) as client:
            pages = await asyncio.gather(*(client.get(f"http://127.0.0.1:{port}/metrics") for port in ports))
        series = [one for page in pages for one in ours(page.text)]
        return series if families_of(series) >= METRICS else None

    return await until(found, "every metric is exported", patience_seconds=REPORT_PATIENCE_SECONDS)


def families_of(series: Sequence[tuple[str, dict[str, str]]]) -> set[str]:
    """The names of our metrics, without Ray's prefix and the parts of a histogram."""
    return {re.sub("^ray_optionchain_|_(bucket|count|sum)(_total)?$", "", name) for name, _ in series}


def ours(page: str) -> list[tuple[str, dict[str, str]]]:
    families = text_string_to_metric_families(page)
    samples = [sample for family in families for sample in family.samples]
    return [(sample.name, sample.labels) for sample in samples if "optionchain" in sample.name]


@contextmanager
def suspended(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)

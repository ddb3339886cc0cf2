"""A cluster of several machines, each in namespaces of its own, loses them and gets new ones under load.

`make test-all`, as root: 3 nodes, their stores and the clients. The chaos checker judges what the clients saw.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator

import httpx
import pytest

from cluster.instance.embedded_servers import embedded_redis
from proving.chaos.checker import Verdict, check
from proving.chaos.history import Attempt, Served, Unanswered
from proving.chaos.load import Load
from tests.chaos.namespaces import Host, hosts
from tests.integration.history.mongo_servers import mongod_command
from tests.waiting import eventually, passing

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

KEY = "a-key-of-sixteen-letters"
TOKEN = "a-token-of-the-cluster-that-is-long-enough"
PORT, HEAD_PORT = 7070, 6380
CLIENTS = 12
START_SECONDS = 300.0
# A client's patience: beyond that of the service; and where a request may be with a node that says no more.
ANSWER_SECONDS, SHORT_ANSWER_SECONDS = 12.0, 5.0
OUTAGE_SECONDS = 15.0


class Nodes(httpx.AsyncBaseTransport):
    """The load balancer in front: the next node in turn of those that are well, and another where none listens.

    Args:
        addresses: Of the nodes.
    """

    def __init__(self, addresses: list[str]) -> None:
        self.refusals: Counter[str] = Counter()
        self._addresses = addresses
        self._well: list[str] = []
        self._turn = itertools.count()
        self._transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=200))

    async def watch(self) -> None:
        """Ask each node every second whether it is well, as a load balancer does."""
        async with httpx.AsyncClient(timeout=1.0, trust_env=False) as api:
            while True:
                self._well = [address for address in self._addresses if await self._is_well(api, address)]
                await passing(1.0)

    async def _is_well(self, api: httpx.AsyncClient, address: str) -> bool:
        try:
            return (await api.get(f"http://{address}:{PORT}/ready")).is_success
        except httpx.HTTPError:
            return False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        first = next(self._turn)
        nodes = self._well or self._addresses
        for number in range(len(nodes)):
            host = nodes[(first + number) % len(nodes)]
            request.url = request.url.copy_with(host=host)
            try:
                answer = await self._transport.handle_async_request(request)
                if answer.is_server_error:
                    self.refusals[f"{host} {answer.status_code} {(await answer.aread())[:90]!r}"] += 1
                return answer
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if number == len(nodes) - 1:
                    raise
        raise AssertionError("there are nodes")

    async def aclose(self) -> None:
        await self._transport.aclose()


class Machines:
    """Three nodes, their stores, and clients."""

    def __init__(self, made: dict[str, Host]) -> None:
        self.hosts = made
        self.store = made["store"]
        self.environment = {
            "OCS_REDIS_URL": f"redis://:{KEY}@{self.store.address}:6379/0",
            "OCS_MONGO_URI": f"mongodb://{self.store.address}:27017/?directConnection=true",
            "OCS_AUTH_KEYS": f"owner:admin={KEY}",
            "OCS_RAY_TOKEN": TOKEN,
            "OCS_RAY_CPUS": "2",
            "OCS_HTTP_REPLICAS": "3",
            "OCS_SESSION_PLACEMENT": "shards:3",
        }

    def start_stores(self) -> None:
        folder = self.store.folder
        redis = embedded_redis(folder / "redis", 6379, KEY, fsync="always")
        config = folder / "redis" / "redis.conf"
        config.write_text(config.read_text().replace("bind 127.0.0.1", f"bind {self.store.address}"))
        mongo = mongod_command(folder / "mongo", 27017, replica_set=None)
        mongo[mongo.index("127.0.0.1")] = self.store.address
        script = f"{' '.join(mongo)} & exec {' '.join(redis.command)}"
        self.store.start(["bash", "-c", script])

    def start_head(self) -> None:
        head = self.hosts["head"]
        self._start(head, "up", "--listen", head.address, "--port", PORT)
        self._wait(head, lambda: self.get(head, "/ready").status_code == httpx.codes.OK)

    def start_worker(self, name: str) -> None:
        host = self.hosts[name]
        head = f"{self.hosts['head'].address}:{HEAD_PORT}"
        self._start(host, "join", head, "--listen", host.address)
        self._wait(host, (host.folder / "data" / "node.json").exists)

    def is_served_by(self, name: str) -> None:
        """Wait until a node has a replica, and so a HAProxy."""
        host = self.hosts[name]
        self._wait(host, lambda: self.get(host, "/ready").status_code == httpx.codes.OK)

    def command(self, name: str, *words: str) -> str:
        host = self.hosts[name]
        data = ["--data", str(host.folder / "data")]
        return host.run([sys.executable, "-m", "cluster.cli", *words, *data], self.environment)

    def _start(self, host: Host, *words: object) -> None:
        place = ["--data", host.folder / "data", "--foreground"]
        host.start([sys.executable, "-m", "cluster.cli", *words, *place], self.environment)

    def _wait(self, host: Host, is_up: Callable[[], bool]) -> None:
        def looked() -> bool:
            try:
                return is_up()
            except httpx.HTTPError:
                return False

        try:
            eventually(looked, f"{host.address} is up", patience_seconds=START_SECONDS, pause_seconds=0.5)
        except AssertionError:
            logs = [host.log, *(host.folder / "data" / "logs").glob("*.log")]
            print("\n".join(f"{log}:\n{log.read_text(errors='replace')[-2000:]}" for log in logs))
            raise

    def get(self, host: Host, path: str) -> httpx.Response:
        headers = {"X-API-Key": KEY}
        url = f"http://{host.address}:{PORT}{path}"
        return self.hosts["client"].inside(
            lambda: httpx.get(url, headers=headers, timeout=10.0, trust_env=False)
        )

    def places(self) -> dict[str, list[str]]:
        """Which session actors are on each node, by its address."""
        report = self.get(self.hosts["head"], "/api/v1/system").raise_for_status().json()
        addresses = {node["node_id"]: node["address"] for node in report["nodes"] if node["alive"]}
        found: dict[str, list[str]] = {address: [] for address in addresses.values()}
        for actor in report["actors"]:
            found[addresses[actor["node_id"]]].append(actor["name"])
        return found

    def under_load(
        self, disturb: Callable[[], object], *names: str, patience_seconds: float = ANSWER_SECONDS
    ) -> tuple[Verdict, list[Attempt]]:
        """What clients of these nodes see while something happens."""

        async def run() -> tuple[Verdict, list[Attempt]]:
            addresses = [self.hosts[name].address for name in names]
            nodes = Nodes(addresses)
            timeout = httpx.Timeout(patience_seconds, connect=1.0)
            async with httpx.AsyncClient(
                base_url=f"http://nodes:{PORT}",
                headers={"X-API-Key": KEY},
                transport=nodes,
                timeout=timeout,
                trust_env=False,
            ) as api:
                watching = asyncio.create_task(nodes.watch())
                load = Load(api, CLIENTS, random.Random(1))
                stepping = asyncio.create_task(load.run())
                await load.served_again()
                await passing(3.0)
                await asyncio.to_thread(disturb)
                await everybody(load)
                load.finish()
                await stepping
                watching.cancel()
            print(*nodes.refusals.items(), sep="\n")
            return check(load.attempts, load.is_replay), load.attempts

        async def everybody(load: Load) -> None:
            """Until all clients have had a step since."""
            seen, before = set[str](), len(load.attempts)
            while len(seen) < CLIENTS:
                await load.served_again()
                later = load.attempts[before:]
                seen = {each.session_id for each in later if isinstance(each.outcome, Served)}

        return self.hosts["client"].inside(lambda: asyncio.run(run()))


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    with hosts(store=10, client=20, head=1, w1=2, w2=3, w3=4) as made:
        machines = Machines(made)
        machines.start_stores()
        machines.start_head()
        for name in ("w1", "w2"):
            machines.start_worker(name)
        yield machines


def told(what: str, verdict: Verdict, attempts: list[Attempt]) -> None:
    failures = [each for each in attempts if isinstance(each.outcome, Unanswered)]
    kinds = Counter(each.outcome.status for each in failures if isinstance(each.outcome, Unanswered))
    print(
        f"{what}: {verdict.acknowledged} steps, {len(failures)} unanswered {dict(kinds)}, outage of all "
        f"{verdict.longest_outage_seconds:.1f} s, of one session {verdict.longest_wait_seconds:.1f} s"
    )


def test_nodes_that_have_joined_get_their_share(machines: Machines) -> None:
    machines.command("head", "redeploy")
    machines.command("head", "rebalance")

    places = machines.places()

    for name in ("head", "w1", "w2"):
        machines.is_served_by(name)
    assert len(places) == 3
    assert sorted(len(actors) for actors in places.values()) == [1, 1, 1], places


def test_a_node_that_leaves_under_load_takes_nothing_along(machines: Machines) -> None:
    leaving = machines.hosts["w1"]

    verdict, attempts = machines.under_load(leaving.shut_down, "head", "w2")

    told("a node left", verdict, attempts)
    assert verdict.is_clean, verdict.violations[:5]
    assert [each for each in attempts if isinstance(each.outcome, Unanswered)] == []
    assert not machines.places().get(leaving.address)


def test_a_node_that_joins_under_load_disturbs_nobody(machines: Machines) -> None:
    verdict, attempts = machines.under_load(lambda: machines.start_worker("w3"), "head", "w2")

    told("a node joined", verdict, attempts)
    assert verdict.is_clean, verdict.violations[:5]
    assert [each for each in attempts if isinstance(each.outcome, Unanswered)] == []


def test_a_node_that_loses_power_is_missed_for_15_seconds_at_most(machines: Machines) -> None:
    machines.command("head", "rebalance")
    victim = machines.hosts["w2"]
    assert machines.places()[victim.address], "it has sessions"

    verdict, attempts = machines.under_load(
        victim.lose_power, "head", "w3", "w2", patience_seconds=SHORT_ANSWER_SECONDS
    )

    told("a node lost power", verdict, attempts)
    assert verdict.is_clean, verdict.violations[:5]
    assert verdict.longest_wait_seconds < OUTAGE_SECONDS
    assert not machines.places().get(victim.address)

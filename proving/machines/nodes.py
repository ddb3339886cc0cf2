"""A cluster of several machines, and what clients see of it while something happens."""

from __future__ import annotations

import asyncio
import itertools
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import httpx

from proving.chaos.checker import Verdict, check
from proving.chaos.history import Attempt, Served
from proving.chaos.load import BadLoad, Load
from proving.machines.hosts import Host, hosts
from proving.machines.stores import start_stores

KEY = "a-key-of-sixteen-letters"
TOKEN = "a-token-of-the-cluster-that-is-long-enough"  # noqa: S105
PORT, HEAD_PORT = 7070, 6380
CLIENTS = 12
START_SECONDS, POLL_SECONDS = 300.0, 0.5
LOG_CHARACTERS = 2000
# As systemd does: what fails is started again, and what is told to end is told so.
UNIT = """
trap 'kill -TERM $child; wait $child; exit' TERM
until "$@" & child=$!; wait $child; do sleep 1; done
"""
# A client's patience: beyond that of the service; and where a request may be with a node that says no more.
ANSWER_SECONDS, SHORT_ANSWER_SECONDS = 12.0, 5.0
# Steps are seen before anything happens.
BEFORE_SECONDS = 3.0
StartStores = Callable[[Host, str], dict[str, str]]
"""Starts Redis and MongoDB on a machine, with a password; returns the settings of whoever is to use them."""


class LoadBalancer(httpx.AsyncBaseTransport):
    """What stands in front: the next node in turn of those that are well, and another where none listens.

    Args:
        addresses: Of the nodes.

    Attributes:
        refusals: How often each node had which answer of 500 or above.
    """

    def __init__(self, addresses: Sequence[str]) -> None:
        self.refusals: Counter[str] = Counter()
        self._addresses = list(addresses)
        self._well: list[str] = []
        self._turn = itertools.count()
        self._transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=200))

    async def watch(self) -> None:
        """Ask each node every second whether it is well, without end."""
        async with httpx.AsyncClient(timeout=1.0, trust_env=False) as api:
            while True:
                self._well = [address for address in self._addresses if await self._is_well(api, address)]
                await asyncio.sleep(1.0)

    async def _is_well(self, api: httpx.AsyncClient, address: str) -> bool:
        try:
            return (await api.get(f"http://{address}:{PORT}/ready")).is_success
        except httpx.HTTPError:
            return False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As `httpx.AsyncBaseTransport`."""
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
        """As `httpx.AsyncBaseTransport`."""
        await self._transport.aclose()


class Machines:
    """Nodes, their stores, and clients.

    Args:
        made: The machines.
        nodes: How many nodes there are to be at a time, each with a replica and a session actor.

    Attributes:
        refusals: How often each node had which answer of 500 or above, for clients.
    """

    def __init__(self, made: dict[str, Host], nodes: int) -> None:
        self.refusals: Counter[str] = Counter()
        self.hosts = made
        self.nodes = nodes
        self.store = made["store"]
        self.environment = {
            "OCS_AUTH_KEYS": f"owner:admin={KEY}",
            "OCS_RAY_TOKEN": TOKEN,
            "OCS_RAY_CPUS": "2",
            "OCS_HTTP_REPLICAS": str(nodes),
            "OCS_SESSION_PLACEMENT": f"shards:{nodes}",
        }

    def start_head(self, name: str = "head", *, manages: bool = False, **settings: str) -> None:
        """Start a head, or start it again.

        Args:
            name: Of its machine.
            manages: Whether it has no work of its own, and keeps what it knows in Redis.
            settings: Further ones of it.
        """
        host = self.hosts[name]
        if manages:
            redis = f"redis://:{KEY}@{self.store.address}:6379"
            settings |= {"OCS_RAY_CPUS": "0", "OCS_RAY_REDIS_URL": redis}
        self._start(host, "up", "--listen", host.address, "--port", PORT, **settings)

    def start_worker(self, name: str) -> None:
        """Start one that joins the head, and wait until it has.

        Raises:
            BadLoad: It does not.
        """
        host = self.hosts[name]
        self._wait(self.hosts["head"], self._head_listens)
        joined = host.folder / "data" / "node.json"
        joined.unlink(missing_ok=True)
        head = f"{self.hosts['head'].address}:{HEAD_PORT}"
        token = host.folder / "ray_token"
        token.write_text(TOKEN)
        self._start(host, "join", head, "--token-file", token, "--listen", host.address)
        self._wait(host, joined.exists)

    def _head_listens(self) -> bool:
        """Whether its control store does."""
        place = self.hosts["head"].address, HEAD_PORT
        return self.hosts["client"].inside(lambda: answers(place))

    def has_moved(self) -> None:
        """Wait until every session actor is on a node that the head believes in."""
        self._wait(self.store, lambda: sum(map(len, self.places().values())) == self.nodes)

    def is_served_by(self, name: str) -> None:
        """Wait until a node has a replica, and so a HAProxy."""
        host = self.hosts[name]
        self._wait(host, lambda: self.get(host, "/ready").status_code == httpx.codes.OK)

    def command(self, name: str, *words: str) -> str:
        """What a command says on one of the machines; errors as of `Host.run`."""
        host = self.hosts[name]
        data = ["--data", str(host.folder / "data")]
        return host.run([sys.executable, "-m", "cluster.cli", *words, *data], self.environment)

    def _start(self, host: Host, *words: object, **settings: str) -> None:
        place = ["--data", host.folder / "data", "--foreground"]
        unit = ["bash", "-c", UNIT, "unit", sys.executable, "-m", "cluster.cli", *words, *place]
        host.start(unit, self.environment | settings)

    def _wait(self, host: Host, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with suppress(httpx.HTTPError):
                if is_so():
                    return
            if time.monotonic() > deadline:
                logs = [host.log, *(host.folder / "data" / "logs").glob("*.log")]
                ends = [f"{log}:\n{log.read_text(errors='replace')[-LOG_CHARACTERS:]}" for log in logs]
                raise BadLoad(
                    "\n".join([f"{host.address} is not as it should be after {START_SECONDS:g} s", *ends])
                )
            time.sleep(POLL_SECONDS)

    def get(self, host: Host, path: str) -> httpx.Response:
        """The answer of a node to a client."""
        headers = {"X-API-Key": KEY}
        url = f"http://{host.address}:{PORT}{path}"
        return self.hosts["client"].inside(
            lambda: httpx.get(url, headers=headers, timeout=10.0, trust_env=False)
        )

    def alive(self) -> set[str]:
        """The addresses of the nodes that the head believes in."""
        report = self.get(self.hosts["head"], "/api/v1/system").raise_for_status().json()
        return {node["address"] for node in report["nodes"] if node["alive"]}

    def becomes(self, name: str, *, alive: bool) -> None:
        """Wait until the head believes that a node is alive, or that it is not."""
        host = self.hosts[name]
        self._wait(host, lambda: (host.address in self.alive()) is alive)

    def places(self) -> dict[str, list[str]]:
        """Which session actors are on each node, by its address."""
        report = self.get(self.hosts["head"], "/api/v1/system").raise_for_status().json()
        addresses = {node["node_id"]: node["address"] for node in report["nodes"] if node["alive"]}
        found: dict[str, list[str]] = {address: [] for address in addresses.values()}
        for actor in report["actors"]:
            if actor["node_id"] in addresses:
                found[addresses[actor["node_id"]]].append(actor["name"])
        return found

    def under_load(
        self, disturb: Callable[[], object], *names: str, patience_seconds: float = ANSWER_SECONDS
    ) -> tuple[Verdict, list[Attempt]]:
        """What clients of these nodes see while something happens."""

        async def run() -> tuple[Verdict, list[Attempt]]:
            balancer = LoadBalancer([self.hosts[name].address for name in names])
            timeout = httpx.Timeout(patience_seconds, connect=1.0)
            async with httpx.AsyncClient(
                base_url=f"http://nodes:{PORT}",
                headers={"X-API-Key": KEY},
                transport=balancer,
                timeout=timeout,
                trust_env=False,
            ) as api:
                watching = asyncio.create_task(balancer.watch())
                load = Load(api, CLIENTS, random.Random(1))
                stepping = asyncio.create_task(load.run())
                await load.served_again()
                await asyncio.sleep(BEFORE_SECONDS)
                await asyncio.to_thread(disturb)
                await everybody(load)
                load.finish()
                await stepping
                watching.cancel()
            self.refusals += balancer.refusals
            return check(load.attempts, load.is_replay), load.attempts

        async def everybody(load: Load) -> None:
            """Until all clients have had a step since."""
            seen, before = set[str](), len(load.attempts)
            while len(seen) < CLIENTS:
                await load.served_again()
                later = load.attempts[before:]
                seen = {each.session_id for each in later if isinstance(each.outcome, Served)}

        return self.hosts["client"].inside(lambda: asyncio.run(run()))


@contextmanager
def cluster_of(
    *workers: str,
    nodes: int,
    spare: Sequence[str] = (),
    head_manages: bool = False,
    start_stores: StartStores = start_stores,
) -> Iterator[Machines]:
    """A head and workers that run, and machines for more.

    Args:
        workers: Their names.
        nodes: How many nodes there are to be at a time, each with a replica and a session actor.
        spare: Machines that nothing runs on yet.
        head_manages: Whether the head has no work of its own, and keeps what it knows in Redis.
        start_stores: Starts what they all use.

    Raises:
        BadLoad: No machines can be made here, or a node does not start.
    """
    numbers = {name: number for number, name in enumerate(("head", *workers, *spare), start=1)}
    with hosts(store=100, client=101, **numbers) as made:
        machines = Machines(made, nodes)
        machines.environment |= start_stores(machines.store, KEY)
        machines.start_head(manages=head_manages)
        for name in workers:
            machines.start_worker(name)
        machines.is_served_by("head")
        yield machines


def answers(place: tuple[str, int]) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(place, 1.0).close()
    except OSError:
        return False
    return True

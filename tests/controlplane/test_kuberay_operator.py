"""The manifests on a real Kubernetes and KubeRay: applied, Ready, upgraded under load; and what is wrong is named.

`make test-kubernetes` builds the control plane once and runs these. Pods of Ray are real Ray (`ray_pods.py`). KWOK
pretends the nodes, their room and zones, and the stores of the overlay `dev`, for which others stand in.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
import os
import random
import ssl
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from proving.chaos.checker import Verdict, check
from proving.chaos.history import Attempt, Unanswered
from proving.chaos.load import Load
from tests.chaos.namespaces import Host, hosts
from tests.chaos.stores import start_stores
from tests.controlplane.plane import TOKEN, ControlPlane, built
from tests.controlplane.ray_pods import NOT_YET, RayPods
from tests.kubernetes import K8S, OVERLAYS, Object, rendered
from tests.waiting import eventually, passing

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

NAMESPACE, SERVICE = "optionchain", "optionchain"
KEY = "a-key-of-sixteen-letters"
CLIENTS = 4
PATIENCE_SECONDS = 500.0
DELAY = "/spec/rayClusterDeletionDelaySeconds"
SLICES = f"https://127.0.0.1:6443/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices"


class Endpoints(httpx.AsyncBaseTransport):
    """The service as kube-proxy has it: each request to the next of the endpoints that are ready now."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, ...]] = []
        self._turn = itertools.count()
        self._transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=200))

    async def watch(self) -> None:
        """Follow the service's endpoints."""
        insecure = ssl._create_unverified_context()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        asked = {"labelSelector": f"kubernetes.io/service-name={SERVICE}-serve-svc"}
        async with httpx.AsyncClient(verify=insecure, headers=headers, trust_env=False) as api:
            while True:
                slices = (await api.get(SLICES, params=asked)).raise_for_status().json()["items"]
                found = [each for one in slices for each in one.get("endpoints") or []]
                ready = tuple(sorted(each["addresses"][0] for each in found if each["conditions"]["ready"]))
                if not self.seen or self.seen[-1] != ready:
                    self.seen.append(ready)
                await passing(0.2)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self.seen or not self.seen[-1]:
            raise httpx.ConnectError("the service has no endpoint that is ready")
        now = self.seen[-1]
        request.url = request.url.copy_with(host=now[next(self._turn) % len(now)])
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        await self._transport.aclose()


class Deployed:
    """The service on KubeRay.

    Args:
        plane: Runs it.
        pods: Make its pods real.
        folder: For overlays of the test's own.
    """

    def __init__(self, plane: ControlPlane, pods: RayPods, folder: Path) -> None:
        self.plane = plane
        self.pods = pods
        self._folder = folder

    def overlay(self, *literals: str) -> list[Object]:
        """`dev`, whose old cluster goes soon after an upgrade, with other settings."""
        folder = self._folder / "-".join(["overlay", *(literal.replace("=", "") for literal in literals)])
        folder.mkdir(exist_ok=True)
        made = {
            "namespace": NAMESPACE,
            "resources": [os.path.relpath(K8S / "overlays" / "dev", folder)],
            "configMapGenerator": [
                {"name": "optionchain-settings", "behavior": "merge", "literals": list(literals)}
            ],
            "patches": [
                {
                    "target": {"kind": "RayService"},
                    "patch": json.dumps([{"op": "replace", "path": DELAY, "value": 5}]),
                }
            ],
        }
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(made))
        return rendered(folder)

    def status(self) -> Any:
        return self.plane.get("rayservice", SERVICE, "--namespace", NAMESPACE).get("status", {})

    def is_ready(self) -> bool:
        return condition(self.status(), "Ready")

    def active(self) -> str:
        name: str = self.status()["activeServiceStatus"]["rayClusterName"]
        return name

    def application(self) -> dict[str, str]:
        found: dict[str, str] = self.status()["activeServiceStatus"]["applicationStatuses"]["optionchain"]
        return found

    def doctor(self) -> dict[str, tuple[str, str]]:
        """What `optionchain doctor --kuberay` finds: grade and words."""
        words = f"{sys.executable} -m cluster.cli doctor --kuberay {NAMESPACE} --json || true"
        found = self.plane.host.run(["bash", "-c", words], self.plane.environment)
        return {
            each["what"]: (each["grade"], f"{each['told']}. {each['remedy']}") for each in json.loads(found)
        }

    def under_load(self, disturb: Callable[[], object]) -> tuple[Verdict, list[Attempt], Endpoints]:
        """What clients of the Service see while something happens."""

        async def run() -> tuple[Verdict, list[Attempt], Endpoints]:
            endpoints = Endpoints()
            async with httpx.AsyncClient(
                base_url="http://service:8000",
                headers={"X-API-Key": KEY},
                transport=endpoints,
                timeout=30.0,
                trust_env=False,
            ) as api:
                watching = asyncio.create_task(endpoints.watch())
                while not endpoints.seen:
                    await passing(0.1)
                load = Load(api, CLIENTS, random.Random(1))
                stepping = asyncio.create_task(load.run())
                await load.served_again()
                await asyncio.to_thread(disturb)
                await load.served_again()
                await passing(2.0)
                load.finish()
                await stepping
                watching.cancel()
            return check(load.attempts, load.is_replay), load.attempts, endpoints

        return self.plane.host.inside(lambda: asyncio.run(run()))


def condition(status: Any, name: str) -> bool:
    return any(each["type"] == name and each["status"] == "True" for each in status.get("conditions", []))


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    cache = built()
    with hosts(plane=2, stores=10, one=21, two=22, spare=23) as made:
        stores = start_stores(made["stores"], KEY)
        plane = ControlPlane(made["plane"], cache)
        plane.start()
        plane.kubectl("create", "namespace", NAMESPACE)
        given = stores | {"OCS_AUTH_KEYS": f"owner:admin={KEY}", "OCS_HTTP_PROXY_PROOF": KEY}
        for name, data in {
            SERVICE: given,
            "optionchain-stores": {"redis": KEY, "mongo": KEY},
            "optionchain-ray-redis": {"password": KEY},
        }.items():
            literals = [f"--from-literal={key}={value}" for key, value in data.items()]
            plane.kubectl("create", "secret", "generic", name, "--namespace", NAMESPACE, *literals)
        pods = RayPods(plane, NAMESPACE, [made["one"], made["two"]], made["spare"])
        yield Deployed(plane, pods, tmp_path_factory.mktemp("overlays"))


@pytest.fixture(scope="module")
def running(deployed: Deployed) -> Iterator[Deployed]:
    """The overlay `dev`, Ready, on real Ray."""
    deployed.pods.begin()
    try:
        deployed.plane.apply(*deployed.overlay())
        eventually(
            deployed.is_ready, "the RayService is Ready", patience_seconds=PATIENCE_SECONDS, pause_seconds=1.0
        )
        yield deployed
    except AssertionError:
        print(
            json.dumps(deployed.status()),
            deployed.plane.log("operator")[-3000:],
            *deployed.pods.logs(),
            sep="\n",
        )
        raise
    finally:
        deployed.pods.end()


@pytest.mark.parametrize("overlay", sorted(OVERLAYS))
def test_an_overlay_is_applied_twice_and_is_then_what_is_there(overlay: str, deployed: Deployed) -> None:
    folder = K8S / "overlays" / overlay

    for _ in range(2):
        deployed.plane.kubectl("apply", "--server-side", "--validate=strict", "-k", folder)

    def is_there() -> bool:
        # `kubectl diff` reads each object twice, and a controller may tell of its status between.
        try:
            deployed.plane.kubectl("diff", "--server-side", "-k", folder)
        except AssertionError:
            return False
        return True

    eventually(is_there, f"nothing to change in {overlay}", patience_seconds=60.0, pause_seconds=1.0)


def test_kubernetes_takes_the_restricted_pods_of_production_and_of_a_sweep(deployed: Deployed) -> None:
    plane = deployed.plane
    # One that was never Ready would only be changed.
    plane.kubectl("delete", "rayservice", "--all", "--namespace", NAMESPACE, "--timeout=100s")
    for overlay in ("production", "sweeps"):
        plane.kubectl("apply", "--server-side", "-k", K8S / "overlays" / overlay)

    def pods() -> Counter[str]:
        return Counter(
            f"{labels['app.kubernetes.io/name']} {labels['ray.io/node-type']}"
            for labels in (pod["metadata"]["labels"] for pod in plane.pods_of_ray(NAMESPACE))
        )

    def are_there() -> bool:
        return pods() >= Counter(
            {"optionchain head": 1, "optionchain worker": 3, "optionchain-sweep head": 1}
        )

    eventually(are_there, "the pods are made", patience_seconds=60.0, pause_seconds=1.0)
    # The head's finalizer waits for the Job that empties its Redis.
    for kind in ("rayjob", "rayservice"):
        plane.kubectl("delete", kind, "--all", "--namespace", NAMESPACE, "--timeout=100s")
    eventually(lambda: not pods(), "the pods are gone", patience_seconds=100.0, pause_seconds=1.0)


def test_a_service_that_is_ready_is_found_good(running: Deployed) -> None:
    found = running.doctor()

    assert {what: words for what, (grade, words) in found.items() if grade != "good"} == {}
    assert found[f"{SERVICE}: state"] == ("good", "Ready. ")


def test_an_upgrade_under_load_switches_to_another_cluster_without_an_error(running: Deployed) -> None:
    before = running.active()

    def upgrade() -> None:
        running.plane.apply(*running.overlay("OCS_HTTP_MAX_QUEUED_REQUESTS=999"))
        eventually(
            lambda: running.is_ready() and running.active() != before,
            "another cluster serves",
            patience_seconds=PATIENCE_SECONDS,
            pause_seconds=0.5,
        )
        eventually(
            lambda: running.plane.get("raycluster", before, "--namespace", NAMESPACE) is None,
            "the first cluster is gone",
            patience_seconds=60.0,
            pause_seconds=0.5,
        )

    verdict, attempts, endpoints = running.under_load(upgrade)

    unanswered = [each for each in attempts if isinstance(each.outcome, Unanswered)]
    print(
        f"an upgrade: {verdict.acknowledged} steps, {len(unanswered)} unanswered, endpoints {endpoints.seen}"
    )
    assert verdict.is_clean, verdict.violations[:5]
    assert unanswered == []
    assert endpoints.seen[0] != endpoints.seen[-1]


def test_a_wrong_serve_config_leaves_it_ready_and_the_doctor_names_it(running: Deployed) -> None:
    right = running.overlay("OCS_HTTP_MAX_QUEUED_REQUESTS=999")
    wrong = copy.deepcopy(right)
    (service,) = (each for each in wrong if each["kind"] == "RayService")
    config = yaml.safe_load(service["spec"]["serveConfigV2"])
    config["applications"][0]["args"] = {"replicas": "2"}
    service["spec"]["serveConfigV2"] = yaml.safe_dump(config)

    running.plane.apply(*wrong)

    try:
        eventually(
            lambda: running.application()["status"] == "DEPLOY_FAILED",
            "Ray refuses it",
            patience_seconds=100.0,
            pause_seconds=1.0,
        )
        assert running.is_ready(), "KubeRay says nothing of it"
        found = running.doctor()
        told = "args: replicas: settings are variables (OCS_...) of every node"
        grade, words = found[f"{SERVICE}: optionchain, active"]
        assert grade == "bad"
        assert told in words
        assert found[f"{SERVICE}: Serve config"][0] == "bad"
    finally:
        running.plane.apply(*right)
        eventually(
            lambda: running.application()["status"] == "RUNNING",
            "the right one serves",
            patience_seconds=100.0,
            pause_seconds=1.0,
        )


def test_a_worker_without_a_replica_is_never_ready_and_the_doctor_names_it(running: Deployed) -> None:
    # With another setting too, for the operator leaves the workers of a cluster that runs as they are.
    wrong = running.overlay("OCS_HTTP_MAX_QUEUED_REQUESTS=998")
    (service,) = (each for each in wrong if each["kind"] == "RayService")
    (group,) = service["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    group |= {"replicas": 2, "minReplicas": 2, "maxReplicas": 2}

    running.plane.apply(*wrong)

    spare = running.pods.spare
    healthy = "wget -q -O- http://localhost:52365/api/local_raylet_healthz"
    eventually(
        lambda: succeeds(spare, healthy),
        "Ray runs there",
        patience_seconds=PATIENCE_SECONDS,
        pause_seconds=1.0,
    )
    assert not succeeds(spare, "wget -q -O- http://localhost:8000/-/healthz"), "nothing serves there"
    found = running.doctor()
    grade, words = found[f"{SERVICE}: replicas"]
    assert (grade, "1 (OCS_HTTP_REPLICAS) for 2 workers" in words) == ("bad", True)
    pods = {what: grade for what, (grade, _) in found.items() if what.startswith("pod ")}
    assert sorted(pods.values()) == ["doubtful", "good"]


def test_a_head_without_a_port_named_serve_is_never_ready_and_the_doctor_names_it(running: Deployed) -> None:
    name = "nameless"
    (service,) = (each for each in rendered(K8S / "overlays" / "dev") if each["kind"] == "RayService")
    service["metadata"]["name"] = name
    container = service["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"]["containers"][0]
    container["ports"] = [port for port in container["ports"] if port["name"] != "serve"]

    running.plane.apply(service)

    def told() -> list[str]:
        lines = running.plane.log("operator").splitlines()
        return [line for line in lines if f'"name":"{name}"' in line and "port named" in line]

    lines = eventually(
        told, "the operator's log tells of it", patience_seconds=PATIENCE_SECONDS, pause_seconds=1.0
    )
    print(lines[-1])
    found = running.doctor()
    grade, words = found[f"{name}: port of the head"]
    assert grade == "bad"
    assert "add {name: serve, containerPort: 8000}" in words
    assert found[f"{name}: state"][0] == "bad", "it serves, and is not Ready"
    running.plane.kubectl("delete", "rayservice", name, "--namespace", NAMESPACE, "--wait=false")


def succeeds(host: Host, command: str) -> bool:
    try:
        host.run(["bash", "-c", command], seconds=10.0)
    except NOT_YET:
        return False
    return True

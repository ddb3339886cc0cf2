"""The service as KubeRay has it: its overlay `dev`, its state, and what its callers see meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from proving.chaos.checker import Verdict, check
from proving.chaos.history import Attempt
from proving.chaos.load import Load
from proving.machines.hosts import hosts, obstacle
from tests.chaos.stores import start_stores
from tests.controlplane.plane import TOKEN, ControlPlane, built
from tests.controlplane.ray_pods import RayPods
from tests.kubernetes import K8S, Object, rendered
from tests.waiting import passing

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


@contextmanager
def deployment(folder: Path) -> Iterator[Deployed]:
    """A control plane of its own, on which nothing of ours is yet but its secrets and stores."""
    cache = built()
    if problem := obstacle():
        pytest.skip(problem)
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
        yield Deployed(plane, pods, folder)

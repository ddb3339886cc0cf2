"""What a kubelet would do for the pods of Ray, which KWOK only pretends: Ray is started, asked how it is, and ended.

One machine is a whole Ray cluster: its head, with CPUs, answers to the addresses of all of the cluster's pods. Only a
second worker is a machine by itself, and has no CPUs for a replica.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proving.machines.hosts import Host
from tests.controlplane.plane import PODS, ControlPlane
from tests.kubernetes import Object

ROOT = Path(__file__).resolve().parents[2]
POLL_SECONDS = 1.0
# A command fails, or has no answer, or there is no process yet that it could run beside.
NOT_YET = (AssertionError, ValueError, LookupError, subprocess.TimeoutExpired)
# Beside what the operator says: a machine here has no name server, and its memory is that of all.
BOUNDS = "--object-store-memory=100000000"


@dataclass
class RayCluster:
    """A Ray cluster of the operator's, and the machines that are it."""

    head: Host
    second_worker: Host | None = None
    addresses: dict[str, Host] = field(default_factory=dict)


class RayPods:
    """Watches the pods of a namespace, in a thread of its own.

    Args:
        plane: Has the pods.
        namespace: Theirs.
        machines: Those that may become Ray clusters, one each.
        spare: What may become a second worker.
    """

    def __init__(self, plane: ControlPlane, namespace: str, machines: Sequence[Host], spare: Host) -> None:
        self._plane = plane
        self._namespace = namespace
        self._free = list(machines)
        self.spare = spare
        self._is_spare_free = True
        self._clusters: dict[str, RayCluster] = {}
        self._told: dict[str, bool] = {}
        self._is_over = threading.Event()
        self._beside = ThreadPoolExecutor(1)
        self._watching: Future[None] | None = None
        for machine in (*machines, spare):
            machine.reach(PODS)

    def begin(self) -> None:
        """Begin to watch."""
        self._watching = self._beside.submit(self._watch)

    def logs(self) -> list[str]:
        """The last that each machine has said."""
        machines = [self.spare, *self._free, *(cluster.head for cluster in self._clusters.values())]
        return [f"{host.log}:\n{host.log.read_text()[-3000:]}" for host in machines if host.log.exists()]

    def end(self) -> None:
        """Watch no more; what runs, runs on. A problem of watching is raised here."""
        self._is_over.set()
        with self._beside:
            if self._watching:
                self._watching.result(60)

    def _watch(self) -> None:
        while not self._is_over.wait(POLL_SECONDS):
            pods = self._plane.pods_of_ray(self._namespace)
            placed = [pod for pod in pods if pod["status"].get("podIP")]
            names = {_cluster(pod) for pod in placed}
            for gone in set(self._clusters) - names:
                self._end_cluster(self._clusters.pop(gone))
            for pod in sorted(placed, key=_is_worker):
                self._care_for(pod)

    def _care_for(self, pod: Object) -> None:
        name, address = _cluster(pod), pod["status"]["podIP"]
        if name not in self._clusters:
            if not self._free or _is_worker(pod):
                return
            self._clusters[name] = RayCluster(self._free.pop(0))
        cluster = self._clusters[name]
        if address not in cluster.addresses:
            cluster.addresses[address] = host = self._machine(cluster, pod)
            host.take_address(address)
            if not _is_worker(pod) or host is not cluster.head:
                self._start(host, pod)
        if _is_worker(pod):
            self._tell_readiness(pod, cluster.addresses[address])

    def _machine(self, cluster: RayCluster, pod: Object) -> Host:
        has_worker = len(cluster.addresses) > 1
        if _is_worker(pod) and has_worker and self._is_spare_free:
            self._is_spare_free = False
            cluster.second_worker = self.spare
            return self.spare
        return cluster.head

    def _start(self, host: Host, pod: Object) -> None:
        """Run what the container would, in its environment."""
        container = pod["spec"]["containers"][0]
        environment = self._environment(pod, container)
        *shell, arguments = [*container["command"], *container["args"]]
        if _is_worker(pod):
            # There is no name server: the name of the head's service is its address.
            service = environment["FQ_RAY_IP"]
            head = next(
                address
                for address, machine in self._clusters[_cluster(pod)].addresses.items()
                if machine is not host
            )
            arguments = arguments.replace(service, head).replace("--num-cpus=2", "--num-cpus=0")
        else:
            arguments = arguments.replace("--num-cpus=0", "--num-cpus=2")
        bounds = f"{BOUNDS} --node-ip-address={pod['status']['podIP']}"
        arguments = arguments.replace("ray start", f"ray start {bounds}")
        host.start([*shell, arguments], environment)

    def _environment(self, pod: Object, container: Object) -> dict[str, str]:
        found: dict[str, str] = {}
        for source in container.get("envFrom", []):
            kind, name = next(
                (kind, source[kind]["name"]) for kind in ("configMapRef", "secretRef") if kind in source
            )
            found |= self._data(kind.removesuffix("Ref"), name)
        for variable in container.get("env", []):
            match variable.get("valueFrom", {}):
                case {"secretKeyRef": {"name": name, "key": key}}:
                    found[variable["name"]] = self._data("secret", name)[key]
                case {"fieldRef": {"fieldPath": path}}:
                    found[variable["name"]] = _field(pod, path)
                case {}:
                    found[variable["name"]] = variable.get("value", "")
        here = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "RAY_SERVE_HAPROXY_BINARY_PATH": str(ROOT / "cluster" / "haproxy" / "haproxy.sh"),
        }
        return found | here

    def _data(self, kind: str, name: str) -> dict[str, str]:
        data = self._plane.get(kind, name, "--namespace", self._namespace)["data"]
        if kind == "secret":
            return {key: base64.b64decode(value).decode() for key, value in data.items()}
        return dict(data)

    def _tell_readiness(self, pod: Object, host: Host) -> None:
        """Run the readiness probe that the operator gave the container, and tell the API server."""
        name = pod["metadata"]["name"]
        try:
            host.run(pod["spec"]["containers"][0]["readinessProbe"]["exec"]["command"], seconds=10.0)
            is_ready = True
        except NOT_YET:
            is_ready = False
        if self._told.get(name) == is_ready:
            return
        self._told[name] = is_ready
        condition = [{"type": kind, "status": str(is_ready)} for kind in ("Ready", "ContainersReady")]
        patch = json.dumps({"status": {"conditions": condition}})
        words = ["--namespace", self._namespace, "--subresource=status", "--type=strategic", "--patch", patch]
        self._plane.kubectl("patch", "pod", name, *words)

    def _end_cluster(self, cluster: RayCluster) -> None:
        machines = [cluster.head, *([cluster.second_worker] if cluster.second_worker else [])]
        for machine in machines:
            machine.lose_power()
            machine.put_cable_back()
        for address, machine in cluster.addresses.items():
            machine.give_address_back(address)
        self._free.append(cluster.head)
        self._is_spare_free |= cluster.second_worker is not None


def _cluster(pod: Object) -> str:
    name: str = pod["metadata"]["labels"]["ray.io/cluster"]
    return name


def _is_worker(pod: Object) -> bool:
    return bool(pod["metadata"]["labels"]["ray.io/node-type"] == "worker")


def _field(pod: Object, path: str) -> str:
    """A field that the downward API gives a container: `metadata.labels['ray.io/cluster']`, `status.podIP`."""
    place: Any = pod
    head, _, label = path.partition("['")
    for part in head.split("."):
        place = place[part]
    return str(place[label.removesuffix("']")] if label else place)

"""A real control plane with the KubeRay operator, on a machine of its own, from what `build.sh` has built."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from proving.machines.hosts import Host
from tests.kuberay_schema import SCHEMAS
from tests.kubernetes import Object
from tests.waiting import eventually

HERE = Path(__file__).parent
PODS = "10.200.0.0/16"
TOKEN = "admin-token"
START_SECONDS = 180.0
# Of the Prometheus Operator, which is not here: its kinds are.
MONITORING = {"podmonitor": "PodMonitor", "prometheusrule": "PrometheusRule"}


def built() -> Path:
    """Where the programs are; skips the test where they are not, or its machines would not see this clone."""
    if HERE.is_relative_to("/tmp"):
        pytest.skip("this clone lies in /tmp, of which each machine of the test has one of its own")
    where = subprocess.run(
        [HERE / "build.sh", "--where"], capture_output=True, text=True, check=True, timeout=10
    )
    cache = Path(where.stdout.strip())
    if not (cache / "complete").exists():
        pytest.skip(
            "the control plane is not built: `make test-kubernetes` does it, in 20 minutes of a processor"
        )
    if missing := [name for name in ("etcd", "openssl", "wget") if shutil.which(name) is None]:
        pytest.skip(f"not installed: {', '.join(missing)} (Debian: etcd-server, openssl, wget)")
    return cache


def _definition(plural: str, schema: Object) -> Object:
    kind = MONITORING[plural]
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}s.monitoring.coreos.com"},
        "spec": {
            "group": "monitoring.coreos.com",
            "scope": "Namespaced",
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": f"{plural}s", "singular": plural},
            "versions": [version],
        },
    }


class ControlPlane:
    """The API server and all that goes with it.

    Args:
        host: The machine.
        cache: Where the programs are.
    """

    def __init__(self, host: Host, cache: Path) -> None:
        self.host = host
        self._cache = cache
        self._files = 0

    @property
    def kubeconfig(self) -> Path:
        return self.host.folder / "kubeconfig"

    def start(self) -> None:
        """Start it, and wait until the operator runs."""
        self.host.reach(PODS)
        definitions = self.host.folder / "definitions"
        definitions.mkdir()
        for plural in MONITORING:
            schema = json.loads((SCHEMAS / f"{plural}.json").read_text(encoding="utf-8"))
            (definitions / f"{plural}.json").write_text(json.dumps(_definition(plural, schema)))
        self.host.start([HERE / "control_plane.sh", self._cache, self.host.folder, self.host.address])
        eventually(self._is_up, "the control plane is up", patience_seconds=START_SECONDS, pause_seconds=0.5)

    def _is_up(self) -> bool:
        logs = [self.host.log, *self.host.folder.glob("*.log")]
        assert self.host.runs, "\n".join(f"{log}:\n{log.read_text()[-2000:]}" for log in logs)
        return (self.host.folder / "up").exists()

    def kubectl(self, *words: object) -> str:
        """Run kubectl where the API server is."""
        return self.host.run([self._cache / "bin" / "kubectl", *words], {"KUBECONFIG": str(self.kubeconfig)})

    def apply(self, *objects: Object) -> str:
        """Apply by server-side apply, strictly: what the API server does not know is refused."""
        self._files += 1
        file = self.host.folder / f"{self._files}.yaml"
        file.write_text(yaml.safe_dump_all(objects))
        return self.kubectl("apply", "--server-side", "--validate=strict", "--filename", file)

    def get(self, *words: object) -> Any:
        """What `kubectl get` finds, or None."""
        found = self.kubectl("get", *words, "--ignore-not-found", "--output", "json")
        return json.loads(found) if found else None

    def pods_of_ray(self, namespace: str) -> list[Object]:
        """Those that KubeRay made."""
        found = self.get("pods", "--namespace", namespace, "--selector", "ray.io/is-ray-node=yes")
        return list(found["items"]) if found else []

    def log(self, name: str) -> str:
        """What a part of it has said."""
        return (self.host.folder / f"{name}.log").read_text(errors="replace")

    @property
    def environment(self) -> dict[str, str]:
        """For a command that looks for kubectl by itself."""
        path = f"{self._cache / 'bin'}:{os.environ['PATH']}"
        return {"KUBECONFIG": str(self.kubeconfig), "PATH": path}

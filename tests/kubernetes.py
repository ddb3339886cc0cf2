"""Kubernetes objects without a cluster: rendered by kustomize, checked by their schemas, and who may talk to whom."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.kuberay_schema import SCHEMAS
from tests.kuberay_schema import refusals as refusals_of_custom

K8S = Path(__file__).resolve().parents[1] / "k8s"
OVERLAYS = ("dev", "production", "observe", "sweeps")
# The oldest and the newest of Kubernetes that KubeRay 1.7 is for and whose schemas we have.
VERSIONS = ("1.31", "1.34")
SECONDS = 60

Object = dict[str, Any]


def rendered(folder: Path) -> list[Object]:
    """The objects of a kustomization; skips the test where there is no kustomize."""
    if kubectl := shutil.which("kubectl"):
        command = [kubectl, "kustomize", str(folder)]
    elif kustomize := shutil.which("kustomize"):
        command = [kustomize, "build", str(folder)]
    else:
        pytest.skip("neither kubectl nor kustomize is installed")
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def refusals(document: Object) -> list[str]:
    """What Kubernetes would not take of an object; an unknown field is refused too."""
    if (SCHEMAS / f"{document['kind'].lower()}.json").exists():
        return refusals_of_custom(document)
    found = []
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{version}: {error.message}")
    return found


def pods(document: Object) -> Iterator[Object]:
    """The templates of pods in an object, wherever they are."""
    for key, value in document.items():
        if key in {"template", "submitterPodTemplate"} and "containers" in value.get("spec", {}):
            yield value
        elif isinstance(value, dict):
            yield from pods(value)
        elif isinstance(value, list):
            for each in value:
                if isinstance(each, dict):
                    yield from pods(each)


def containers(pod: Object) -> list[Object]:
    """All of a pod's, and of those of Ray's head the autoscaler."""
    spec = pod["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


def selects(selector: Object, labels: dict[str, str]) -> bool:
    """Whether a label selector picks these labels; an empty one picks everything."""
    if any(labels.get(name) != value for name, value in selector.get("matchLabels", {}).items()):
        return False
    for rule in selector.get("matchExpressions", []):
        assert rule["operator"] == "In", "no other is used here"
        if labels.get(rule["key"]) not in rule["values"]:
            return False
    return True

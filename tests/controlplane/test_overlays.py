"""Every overlay on a real Kubernetes and KubeRay: its pods are taken, and a second apply changes nothing."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.controlplane.deployed import NAMESPACE, Deployed
from tests.kubernetes import K8S, OVERLAYS
from tests.waiting import eventually

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


# First, for one that is not Ready yet would only be changed.
def test_kubernetes_takes_the_restricted_pods_of_production_and_of_a_sweep(deployed: Deployed) -> None:
    plane = deployed.plane
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

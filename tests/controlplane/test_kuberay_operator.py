"""The service on a real Kubernetes and KubeRay: Ready, upgraded under load; and what is wrong is named.

`make test-kubernetes` builds the control plane once and runs these. Pods of Ray are real Ray (`ray_pods.py`). KWOK
pretends the nodes, their room and zones, and the stores of the overlay `dev`, for which others stand in.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator

import pytest
import yaml

from proving.chaos.history import Unanswered
from proving.machines.hosts import Host
from tests.controlplane.deployed import NAMESPACE, PATIENCE_SECONDS, SERVICE, Deployed
from tests.controlplane.ray_pods import NOT_YET
from tests.kubernetes import K8S, rendered
from tests.waiting import eventually

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]


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

    def grades_of_pods() -> list[str]:
        return sorted(grade for what, (grade, _) in running.doctor().items() if what.startswith("pod "))

    # The worker of the cluster before has gone by then, and the one beside the spare has its replica.
    eventually(
        lambda: grades_of_pods() == ["doubtful", "good"],
        "one of two workers is without",
        patience_seconds=PATIENCE_SECONDS,
        pause_seconds=1.0,
    )
    grade, words = running.doctor()[f"{SERVICE}: replicas"]
    assert (grade, "1 (OCS_HTTP_REPLICAS) for 2 workers" in words) == ("bad", True)


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

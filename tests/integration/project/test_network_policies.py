"""Who may talk to whom on Kubernetes, as the policies select. No engine that enforces them has been run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.kubernetes import K8S, Object, rendered, selects

OURS = "optionchain"


@dataclass(frozen=True)
class Place:
    """Who talks or listens: labels of its pod and of its namespace, or an address outside."""

    pod: dict[str, str]
    namespace: dict[str, str]
    address: str = ""

    @property
    def is_inside(self) -> bool:
        return self.namespace.get("kubernetes.io/metadata.name") == OURS


def inside(**labels: str) -> Place:
    pod = {f"app.kubernetes.io/{name}": value for name, value in labels.items()}
    return Place(pod, {"kubernetes.io/metadata.name": OURS})


def outside(namespace: str, pod: dict[str, str] | None = None, **of_namespace: str) -> Place:
    labels = {f"optionchain.io/{name}": value for name, value in of_namespace.items()}
    return Place(pod or {}, {"kubernetes.io/metadata.name": namespace, **labels})


PLACES = {
    "head": inside(name=OURS, component="head"),
    "worker": inside(name=OURS, component="worker"),
    "redis": inside(name="redis"),
    "mongo": inside(name="mongo"),
    "sweep": inside(name="optionchain-sweep"),
    "nightly": inside(name="optionchain-nightly"),
    "stranger here": inside(name="another"),
    "operator": outside("kuberay-system", {"app.kubernetes.io/name": "kuberay-operator"}),
    "pod beside the operator": outside("kuberay-system"),
    "ingress": outside("ingress-nginx", ingress="true"),
    "prometheus": outside("monitoring", monitoring="true"),
    "stranger elsewhere": outside("default"),
    "dns": outside("kube-system"),
    "store outside": Place({}, {}, "10.1.2.3"),
    "internet": Place({}, {}, "203.0.113.7"),
}

# from, to, port, in dev, in production
MATRIX = [
    ("ingress", "worker", 8000, True, True),
    ("ingress", "worker", 8265, False, False),
    ("ingress", "head", 8000, False, False),
    ("ingress", "worker", 30000, False, False),
    ("stranger elsewhere", "worker", 8000, False, False),
    ("stranger elsewhere", "head", 8265, False, False),
    ("stranger elsewhere", "head", 10001, False, False),
    ("stranger here", "worker", 8000, False, False),
    ("internet", "worker", 8000, False, False),
    ("operator", "head", 8265, True, True),
    ("operator", "head", 8000, True, True),
    ("operator", "head", 10001, False, False),
    ("pod beside the operator", "head", 8265, False, False),
    ("prometheus", "worker", 8080, True, True),
    ("prometheus", "worker", 9101, True, True),
    ("prometheus", "head", 44217, True, True),
    ("prometheus", "head", 8265, False, False),
    ("prometheus", "worker", 8000, False, False),
    ("worker", "head", 6379, True, True),
    ("head", "worker", 20500, True, True),
    ("worker", "worker", 30000, True, True),
    ("worker", "redis", 6379, True, False),
    ("worker", "mongo", 27017, True, False),
    ("redis", "mongo", 27017, False, False),
    ("stranger here", "redis", 6379, False, False),
    ("stranger elsewhere", "mongo", 27017, False, False),
    ("redis", "internet", 443, False, False),
    ("worker", "store outside", 6379, False, True),
    ("worker", "store outside", 27017, False, True),
    ("worker", "store outside", 22, False, False),
    ("worker", "internet", 443, False, True),
    ("worker", "internet", 6379, False, False),
    ("head", "internet", 443, False, True),
    ("worker", "dns", 53, True, True),
    ("redis", "dns", 53, True, True),
    ("worker", "dns", 443, False, False),
    ("sweep", "worker", 8000, False, False),
    ("worker", "sweep", 8265, False, False),
]


def peers_allow(rule: dict[str, Any], key: str, other: Place) -> bool:
    peers = rule.get(key)
    if peers is None:
        return True
    return any(is_peer(peer, other) for peer in peers)


def is_peer(peer: dict[str, Any], other: Place) -> bool:
    if "ipBlock" in peer:
        from ipaddress import ip_address, ip_network

        block = peer["ipBlock"]
        within, *without = map(ip_network, (block["cidr"], *block.get("except", ())))
        address = ip_address(other.address) if other.address else None
        return address in within and not any(address in each for each in without) if address else False
    if other.address:
        return False
    if "namespaceSelector" in peer:
        if not selects(peer["namespaceSelector"], other.namespace):
            return False
    elif not other.is_inside:
        return False
    return selects(peer.get("podSelector", {}), other.pod)


def port_allowed(rule: dict[str, Any], port: int) -> bool:
    return "ports" not in rule or any(each["port"] == port for each in rule["ports"])


def allowed(policies: list[Object], direction: str, who: Place, other: Place, port: int) -> bool:
    """What the policies that select `who` say of one direction; who is selected by none may do everything."""
    if not who.is_inside:
        return True
    mine = [
        policy["spec"]
        for policy in policies
        if direction in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], who.pod)
    ]
    key = {"Ingress": "from", "Egress": "to"}[direction]
    return not mine or any(
        peers_allow(rule, key, other) and port_allowed(rule, port)
        for spec in mine
        for rule in spec.get(direction.lower(), [])
    )


def may_talk(policies: list[Object], source: str, target: str, port: int) -> bool:
    one, other = PLACES[source], PLACES[target]
    return allowed(policies, "Egress", one, other, port) and allowed(policies, "Ingress", other, one, port)


@pytest.fixture(scope="module")
def policies() -> dict[str, list[Object]]:
    return {
        name: [each for each in rendered(K8S / "overlays" / name) if each["kind"] == "NetworkPolicy"]
        for name in ("dev", "production", "sweeps")
    }


@pytest.mark.parametrize(("source", "target", "port", "in_dev", "in_production"), MATRIX)
def test_who_may_talk_to_whom(
    source: str,
    target: str,
    port: int,
    in_dev: bool,
    in_production: bool,
    policies: dict[str, list[Object]],
) -> None:
    assert may_talk(policies["dev"], source, target, port) == in_dev
    assert may_talk(policies["production"], source, target, port) == in_production


@pytest.mark.parametrize(
    ("source", "target", "port", "expected"),
    [
        ("sweep", "sweep", 6379, True),
        ("operator", "sweep", 8265, True),
        ("nightly", "internet", 443, True),
        ("nightly", "worker", 8000, False),
        ("sweep", "head", 8265, False),
        ("ingress", "sweep", 8265, False),
    ],
)
def test_a_sweep_beside_a_service_is_a_world_of_its_own(
    source: str, target: str, port: int, expected: bool, policies: dict[str, list[Object]]
) -> None:
    together = policies["production"] + policies["sweeps"]

    assert may_talk(together, source, target, port) == expected


def test_without_the_first_policy_a_stranger_is_let_in(policies: dict[str, list[Object]]) -> None:
    """The matrix can fail."""
    without = [each for each in policies["dev"] if each["metadata"]["name"] not in {"nobody", "stores"}]

    assert may_talk(without, "stranger elsewhere", "redis", 6379)

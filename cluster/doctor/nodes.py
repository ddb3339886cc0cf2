"""What the nodes of a cluster must be like, as its head tells of them."""

from __future__ import annotations

from collections.abc import Iterable

from cluster.doctor.finding import Finding, Grade, judged
from cluster.instance.problem import InstanceProblem
from cluster.instance.ray_node import VERSION_LABEL
from cluster.nodes.cluster_facts import UNTOLD, ClusterFacts, NodeFacts
from cluster.nodes.reaching import Cluster, asked

CLUSTER = "cluster"
SAY_SO = f"`ray start --labels={VERSION_LABEL}=...` says it of a node that `optionchain` does not start"


def cluster_findings(cluster: Cluster) -> Iterable[Finding]:
    """Ask the head of a cluster, and judge what it says."""
    try:
        facts = asked(cluster)
    except InstanceProblem as problem:
        yield unreached(problem)
        return
    yield from nodes_findings(facts)


def unreached(problem: InstanceProblem) -> Finding:
    """A cluster that cannot be asked."""
    told, _, remedy = str(problem).partition(". ")
    return Finding(
        CLUSTER,
        Grade.BAD,
        told,
        remedy.rstrip(".") or "see whether it runs: `optionchain status` on its head",
    )


def nodes_findings(facts: ClusterFacts) -> Iterable[Finding]:
    """Judge a cluster."""
    nodes = facts["nodes"]
    heads = [node["address"] for node in nodes if node["is_head"]]
    yield judged(
        CLUSTER,
        f"{len(nodes)} nodes with {sum(node['cpus'] for node in nodes):g} CPUs, the head at {', '.join(heads)}",
        is_good=bool(heads),
        remedy="its head is gone: start it again",
    )
    for what, version in facts["versions"].items():
        ours = facts["ours"][what]
        yield judged(
            f"{CLUSTER}: {what}",
            version if version == ours else f"{version}, and {ours} on this machine",
            is_good=version == ours,
            remedy=SAY_SO
            if version == UNTOLD
            else "install the same on every node: two do not understand each other",
            otherwise=Grade.DOUBTFUL if version == UNTOLD else Grade.BAD,
        )
    yield _releases(nodes, facts["versions"]["optionchain"])
    # A head that only manages has neither.
    working = [node for node in nodes if node["cpus"]]
    yield _replicas(working)
    yield _session_actors(working)


def _releases(nodes: list[NodeFacts], release: str) -> Finding:
    others = [f"{node['address']}: {node['release']}" for node in nodes if node["release"] != release]
    return judged(
        f"{CLUSTER}: nodes",
        "; ".join(others) or "of one release",
        is_good=not others,
        remedy=f"install {release} there, then `optionchain leave` and `join`",
    )


def _replicas(working: list[NodeFacts]) -> Finding:
    without = [node["address"] for node in working if not node["replicas"]]
    number = sum(node["replicas"] for node in working)
    return judged(
        f"{CLUSTER}: replicas",
        f"{number} HTTP replicas"
        + (f", none on {', '.join(without)}" if without else ", some on every node"),
        is_good=not without,
        remedy=f"OCS_HTTP_REPLICAS of {len(working)} or more and `optionchain redeploy`, or call other nodes: HAProxy "
        "runs where a replica does",
        otherwise=Grade.DOUBTFUL if number else Grade.BAD,
    )


def _session_actors(working: list[NodeFacts]) -> Finding:
    counts = [node["session_actors"] for node in working] or [0]
    return judged(
        f"{CLUSTER}: session actors",
        f"{sum(counts)}, from {min(counts)} to {max(counts)} a node",
        is_good=max(counts) - min(counts) <= 1,
        remedy="`optionchain rebalance` evens them out while they serve",
        otherwise=Grade.DOUBTFUL,
    )

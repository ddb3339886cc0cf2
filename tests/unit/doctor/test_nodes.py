"""What `optionchain doctor` says of the nodes of a cluster, as the head tells of them."""

from __future__ import annotations

from cluster.doctor.finding import Finding, Grade
from cluster.doctor.nodes import nodes_findings, unreached
from cluster.instance.problem import InstanceProblem
from cluster.nodes.cluster_facts import UNTOLD, ClusterFacts, NodeFacts
from cluster.nodes.reaching import disagreement

OURS = {"Ray": "2.60.0", "Python": "3.11.2", "optionchain": "0.1.0"}


def node(number: int, **changes: object) -> NodeFacts:
    whole = {
        "node_id": f"{number:02x}",
        "address": f"10.0.0.{number}",
        "is_head": number == 1,
        "cpus": 4.0,
        "release": "0.1.0",
        "replicas": 1,
        "session_actors": 2,
    }
    return NodeFacts(**(whole | changes))  # type: ignore[typeddict-item]


def cluster(*nodes: NodeFacts, **versions: str) -> ClusterFacts:
    return ClusterFacts(versions=OURS | versions, ours=OURS, nodes=list(nodes))


def found(facts: ClusterFacts) -> dict[str, Finding]:
    return {each.what: each for each in nodes_findings(facts) if each.grade is not Grade.GOOD}


def test_a_cluster_as_it_should_be_is_good() -> None:
    manager = node(1, cpus=0.0, replicas=0, session_actors=0)

    assert found(cluster(node(1), node(2), node(3, session_actors=3))) == {}
    assert found(cluster(manager, node(2))) == {}, "a head that only manages has nothing"


def test_a_cluster_of_another_version_is_bad_and_says_which() -> None:
    facts = cluster(node(1), Ray="2.59.0", Python="3.12.1")

    wrong = found(facts)

    assert {what: each.grade for what, each in wrong.items()} == {
        "cluster: Ray": Grade.BAD,
        "cluster: Python": Grade.BAD,
    }
    assert wrong["cluster: Ray"].told == "2.59.0, and 2.60.0 on this machine"
    assert disagreement(facts) == (
        "The head has Ray 2.59.0, this machine 2.60.0; Python 3.12.1, this machine 3.11.2: install the same on every "
        "node."
    )
    assert disagreement(cluster(node(1))) == ""


def test_a_cluster_that_does_not_say_its_release_is_doubtful() -> None:
    silent = node(1, release=UNTOLD)

    [wrong] = found(cluster(silent, optionchain=UNTOLD)).values()

    assert (wrong.what, wrong.grade) == ("cluster: optionchain", Grade.DOUBTFUL)
    assert "--labels=optionchain-version=" in wrong.remedy


def test_a_node_of_another_release_is_named() -> None:
    [wrong] = found(cluster(node(1), node(2, release="0.0.9"))).values()

    assert (wrong.what, wrong.grade, wrong.told) == ("cluster: nodes", Grade.BAD, "10.0.0.2: 0.0.9")


def test_a_node_without_a_replica_is_named() -> None:
    [wrong] = found(cluster(node(1), node(2, replicas=0))).values()

    assert (wrong.what, wrong.grade) == ("cluster: replicas", Grade.DOUBTFUL)
    assert wrong.told == "1 HTTP replicas, none on 10.0.0.2"
    assert found(cluster(node(1, replicas=0)))["cluster: replicas"].grade is Grade.BAD


def test_session_actors_that_crowd_on_a_node_are_to_be_rebalanced() -> None:
    [wrong] = found(cluster(node(1, session_actors=4), node(2, session_actors=2))).values()

    assert (wrong.what, wrong.grade) == ("cluster: session actors", Grade.DOUBTFUL)
    assert "optionchain rebalance" in wrong.remedy


def test_a_cluster_without_a_head_is_bad() -> None:
    assert found(cluster(node(2)))["cluster"].grade is Grade.BAD


def test_a_cluster_that_cannot_be_asked_is_bad_with_what_to_do() -> None:
    problem = InstanceProblem(
        "Nobody answers at h:1 (refused). `optionchain up --listen h` starts a head there."
    )

    finding = unreached(problem)

    assert (finding.grade, finding.told) == (Grade.BAD, "Nobody answers at h:1 (refused)")
    assert finding.remedy == "`optionchain up --listen h` starts a head there"
    assert unreached(InstanceProblem("It is gone")).remedy

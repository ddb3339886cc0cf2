"""What the head of a cluster says of it, to any machine: ``python -m cluster.nodes.told ADDRESS SECONDS``.

Asked is its control store alone, for which one need not be a node: a machine that is to join asks before it starts
anything. A process of its own, because Ray reads its token when it is imported.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator
from typing import Any

import ray
from ray import _raylet
from ray._private import ray_constants
from ray._private.state import GlobalState

from cluster.instance.ray_node import VERSION_LABEL
from cluster.nodes.cluster_facts import HEAD, REPLICA, UNTOLD, ClusterFacts, NodeFacts
from optionchain import __version__

SESSION_ACTOR = "SessionActor"
METADATA = b"CLUSTER_METADATA"


def facts(address: str, seconds: float) -> ClusterFacts:
    """Ask the head at this address.

    Args:
        address: And port.
        seconds: Patience with its answer.

    Raises:
        Exception: One of Ray's many, where it does not answer, or not to our token.
    """
    client = vars(_raylet)["GcsClient"](address=address)
    metadata = json.loads(
        client.internal_kv_get(METADATA, namespace=ray_constants.KV_NAMESPACE_CLUSTER, timeout=seconds)
    )
    # Neither is public, as with the state of nodes that our own moves read.
    options = vars(_raylet)["GcsClientOptions"].create(
        address, None, allow_cluster_id_nil=True, fetch_cluster_id_if_nil=False
    )
    state: Any = GlobalState()  # type: ignore[no-untyped-call]
    state._initialize_global_state(options)
    alive = [node for node in state.node_table() if node["Alive"]]
    actors = [actor for actor in state.actor_table(None).values() if actor["State"] == "ALIVE"]
    nodes = list(_nodes(alive, actors))
    heads = {node["release"] for node in nodes if node["is_head"]}
    return ClusterFacts(
        versions={
            "Ray": metadata["ray_version"],
            "Python": metadata["python_version"],
            "optionchain": ", ".join(sorted(heads)) or UNTOLD,
        },
        ours={"Ray": ray.__version__, "Python": platform.python_version(), "optionchain": __version__},
        nodes=nodes,
    )


def _nodes(alive: list[dict[str, Any]], actors: list[dict[str, Any]]) -> Iterator[NodeFacts]:
    for node in alive:
        kinds = [actor["ActorClassName"] for actor in actors if actor["Address"]["NodeID"] == node["NodeID"]]
        yield NodeFacts(
            node_id=node["NodeID"],
            address=node["NodeManagerAddress"],
            is_head=HEAD in node["Resources"],
            cpus=node["Resources"].get("CPU", 0.0),
            release=node["Labels"].get(VERSION_LABEL, UNTOLD),
            replicas=sum(kind.startswith(REPLICA) for kind in kinds),
            session_actors=kinds.count(SESSION_ACTOR),
        )


if __name__ == "__main__":
    print(json.dumps(facts(sys.argv[1], float(sys.argv[2]))))

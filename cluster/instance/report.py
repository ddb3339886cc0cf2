"""What a running Ray cluster holds of ours, as JSON: ``python -m cluster.instance.report ADDRESS NAMESPACE``.

A process of its own: it needs the switches and the token of the cluster in its environment.
"""

from __future__ import annotations

import json
import sys
from typing import Any, TypedDict

import ray
from ray.actor import ActorHandle

from actors.named import existing

PATIENCE_SECONDS = 5.0
# More than fit on a screen; `per-session` placement may have thousands.
MAX_ACTORS = 200


class NodeReport(TypedDict):
    node_id: str
    address: str
    alive: bool
    cpus: float


class ClusterReport(TypedDict):
    nodes: list[NodeReport]
    actors: list[dict[str, Any]]
    silent_actors: int


def report(namespace: str) -> ClusterReport:
    """The nodes, and the session actors of a namespace with what they say of themselves."""
    asked: list[Any] = [actor.status.remote() for actor in session_actors(namespace)[:MAX_ACTORS]]
    answered, _ = ray.wait(asked, num_returns=len(asked), timeout=PATIENCE_SECONDS) if asked else ([], [])
    nodes = [
        NodeReport(
            node_id=node["NodeID"],
            address=node["NodeManagerAddress"],
            alive=node["Alive"],
            cpus=node["Resources"].get("CPU", 0.0),
        )
        for node in ray.nodes()  # type: ignore[no-untyped-call]
    ]
    return ClusterReport(nodes=nodes, actors=ray.get(answered), silent_actors=len(asked) - len(answered))


def session_actors(namespace: str) -> list[ActorHandle[Any]]:
    """The session actors of a namespace, by name."""
    return existing(namespace, "session")


if __name__ == "__main__":
    ray.init(address=sys.argv[1], log_to_driver=False)
    print(json.dumps(report(sys.argv[2])))

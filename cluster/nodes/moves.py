"""Moves what is on the nodes of a cluster: ``python -m cluster.nodes.moves WHAT ADDRESS NAMESPACE SECONDS``.

A process of its own, because Ray reads its switches and its token when it is imported. An actor moves by dying: Ray
starts it again elsewhere, its sessions are in Redis, and whoever called it meanwhile calls again.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from typing import Any

import ray
from ray import _raylet
from ray._private import state
from ray.actor import ActorHandle
from ray.core.generated import autoscaler_pb2

from actors.named import existing
from cluster.nodes.cluster_facts import HEAD, REPLICA

LOOK_SECONDS = 0.2
# Ray puts what it starts again on one node after the other, so not every move is one for the better.
MOST_MOVES_OF_ONE = 3


class Moves:
    """Moves actors of ours.

    Args:
        namespace: Theirs.
        patience_seconds: With all of it.
    """

    def __init__(self, namespace: str, patience_seconds: float) -> None:
        self._namespace = namespace
        self._deadline = time.monotonic() + patience_seconds

    def leave(self) -> str:
        """Empty this node: nothing new comes to it, and what is here goes on elsewhere. Says what is left."""
        here = ray.get_runtime_context().get_node_id()
        others = [node for node in _nodes() if node["NodeID"] != here]
        if any(node["NodeID"] == here and HEAD in node["Resources"] for node in _nodes()):
            return "this is the head, which cannot leave: `optionchain down` ends the cluster"
        if not others:
            return "there is no other node to go to"
        self._drain(here)
        # New replicas serve before the old ones end; actors come after, so that nothing keeps the next from starting.
        left = self._replicas_after_waiting(here)
        for actor in existing(self._namespace):
            if _place(actor)["Address"]["NodeID"] == here:
                self._move(actor)
        return f"{left} HTTP replicas are still here after all patience" if left else ""

    def rebalance(self) -> str:
        """Even out the session actors over the nodes that have CPUs. Says what is not even yet."""
        actors = existing(self._namespace, "sessions")
        for _ in range(MOST_MOVES_OF_ONE * len(actors)):
            crowded = self._crowded(actors)
            if crowded is None or self._is_late():
                break
            self._move(crowded)
        return "" if self._crowded(actors) is None else "one node still has more session actors than another"

    def _crowded(self, actors: list[ActorHandle[Any]]) -> ActorHandle[Any] | None:
        """An actor on a node that has at least two more than another."""
        places = [_place(actor)["Address"]["NodeID"] for actor in actors]
        counts = Counter({node["NodeID"]: 0 for node in _nodes() if node["Resources"].get("CPU")})
        counts.update(places)
        (most, number), fewest = counts.most_common(1)[0], min(counts.values())
        return actors[places.index(most)] if number - fewest > 1 else None

    def _move(self, actor: ActorHandle[Any]) -> None:
        before = _place(actor)["NumRestarts"]
        ray.kill(actor, no_restart=False)
        while not self._is_late():
            place = _place(actor)
            if place["State"] == "ALIVE" and place["NumRestarts"] > before:
                return
            time.sleep(LOOK_SECONDS)

    def _drain(self, node_id: str) -> None:
        seconds = max(self._deadline - time.monotonic(), 1.0)
        # Neither is in what Ray tells type checkers; its own `ray drain-node` uses both.
        client = vars(_raylet)["GcsClient"](address=ray.get_runtime_context().gcs_address)
        # The other reason, idleness, is refused by a node that has actors.
        client.drain_node(
            node_id,
            vars(autoscaler_pb2)["DrainNodeReason"].Value("DRAIN_NODE_REASON_PREEMPTION"),
            "optionchain leave",
            int((time.time() + seconds) * 1000),
        )

    def _replicas_after_waiting(self, node_id: str) -> int:
        """How many do not end within half of the patience; the other half is for the actors."""
        deadline = (time.monotonic() + self._deadline) / 2
        while (left := _replicas(node_id)) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        return left

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline


def _nodes() -> list[dict[str, Any]]:
    """Those that live and are to stay."""
    leaving = state.state.get_draining_nodes()
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return [node for node in nodes if node["Alive"] and node["NodeID"] not in leaving]


def _place(actor: ActorHandle[Any]) -> dict[str, Any]:
    # Not public; the public state API needs the dashboard, which an instance does not have.
    place: dict[str, Any] = state.actors(actor._actor_id.hex())
    return place


def _replicas(node_id: str) -> int:
    actors: dict[str, dict[str, Any]] = state.actors(actor_state_name="ALIVE")
    return sum(
        actor["Address"]["NodeID"] == node_id and actor["ActorClassName"].startswith(REPLICA)
        for actor in actors.values()
    )


def main(what: str, address: str, namespace: str, seconds: str) -> None:
    """Do it (leave, rebalance), and print as JSON what could not be done."""
    ray.init(address=address, namespace=namespace, log_to_driver=False)
    moves = Moves(namespace, float(seconds))
    does = {"leave": moves.leave, "rebalance": moves.rebalance}
    print(json.dumps(does[what]()))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What is known of a cluster, as its head tells it."""

from __future__ import annotations

from typing import TypedDict

# What Ray calls the resource that only a head has, and the class of each HTTP replica.
HEAD = "node:__internal_head__"
REPLICA = "ServeReplica:"
UNTOLD = "none that says so"
"""The release of a node that was not started by us."""


class NodeFacts(TypedDict):
    """A node that lives."""

    node_id: str
    address: str
    is_head: bool
    cpus: float
    release: str
    replicas: int
    session_actors: int


class ClusterFacts(TypedDict):
    """What runs on the nodes of a cluster, and on this machine."""

    versions: dict[str, str]
    ours: dict[str, str]
    nodes: list[NodeFacts]

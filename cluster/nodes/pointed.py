"""Which cluster a command is about: one that its user points at, or the one that this machine is a node of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cluster.instance.instance import Instance
from cluster.instance.ray_node import LOOPBACK
from cluster.nodes.joined import JoinedNode
from cluster.nodes.reaching import Cluster, cluster_at, with_token_of
from cluster.settings import Settings


@dataclass(frozen=True, slots=True)
class Pointed:
    """What the user says.

    Attributes:
        address: Of a head; None for the cluster of this machine.
        token_file: What has its token; None for the settings.
    """

    address: str | None
    token_file: Path | None = None

    def at(self, settings: Settings) -> Cluster | None:
        """The cluster that is pointed at, if any.

        Raises:
            InstanceProblem: Its token is missing, or nobody listens there.
        """
        return cluster_at(self.address, with_token_of(settings, self.token_file)) if self.address else None

    def here(self, settings: Settings) -> Cluster | None:
        """The cluster of which this machine is the head or a node; None where it has none, or is alone."""
        state = Instance(settings).state()
        if state is not None and state.ray_address.rpartition(":")[0] not in LOOPBACK:
            return Cluster(state.ray_address, state.environment)
        return JoinedNode(settings).cluster()

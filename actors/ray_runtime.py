"""Ray as seen from inside an actor."""

from __future__ import annotations

import ray


class RayRuntime:
    """The `ActorRuntime` of a Ray actor, and the `Whereabouts` of any process of a cluster."""

    def node_id(self) -> str:
        return str(ray.get_runtime_context().get_node_id())

    def address(self) -> str:
        return str(ray.util.get_node_ip_address())  # type: ignore[no-untyped-call]

    def end_actor(self) -> None:
        # `no_restart`: without it `max_restarts` would bring an empty actor back.
        ray.kill(ray.get_runtime_context().current_actor, no_restart=True)

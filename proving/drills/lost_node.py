"""A machine of a cluster is lost with all that is on it: `optionchain drill run lost-node`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from proving.drills.scene import Scene
from proving.machines.nodes import SHORT_ANSWER_SECONDS, Machines, cluster_of

HEAD, LOST, NEW = "head", "lost", "new"


async def lost_node(scene: Scene) -> float:
    """One of two machines loses power, and those who had sessions there are served by the other; another joins."""
    return await asyncio.to_thread(_lost, scene)


def _lost(scene: Scene) -> float:
    with cluster_of(LOST, nodes=2, spare=[NEW]) as machines:
        machines.command(HEAD, "redeploy")
        machines.command(HEAD, "rebalance")
        lost = machines.hosts[LOST]
        actors = machines.places()[lost.address]
        scene.tell(f"two machines run; {', '.join(actors)} and all that is there are lost with one of them")
        seconds = _under_load(scene, machines, lost.lose_power, LOST)
        scene.tell("optionchain join, on another machine; optionchain rebalance")
        _under_load(scene, machines, lambda: _joined(machines), NEW)
        return seconds


def _joined(machines: Machines) -> None:
    machines.start_worker(NEW)
    machines.becomes(NEW, alive=True)
    machines.command(HEAD, "rebalance")


def _under_load(scene: Scene, machines: Machines, happens: Callable[[], object], name: str) -> float:
    """Let something happen to a machine while clients step; the longest that one of them waited."""
    verdict, _ = machines.under_load(happens, HEAD, name, patience_seconds=SHORT_ANSWER_SECONDS)
    scene.verdicts.append(verdict)
    scene.waits.append(verdict.longest_wait_seconds)
    return verdict.longest_wait_seconds

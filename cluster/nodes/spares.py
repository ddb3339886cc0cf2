"""Keeps processes ready that have imported what an actor needs, so that one of a lost node is back in a second.

Ray starts some with a node, and none when those are taken: one takes seconds then, and several at once, as after a node
was lost, many.
"""

from __future__ import annotations

import os
import random
import threading
import time
from contextlib import suppress
from typing import Any

import grpc
import psutil
import ray
from ray._private.grpc_utils import init_grpc_channel
from ray.core.generated import common_pb2, node_manager_pb2, node_manager_pb2_grpc

SPARES = 2
"""Of a node. The actors of one that is lost are spread over the others."""
# Who finds too few twice in a row adds some: what is taken after a loss is not replaced while others start.
LOOK_SECONDS = 10.0
KEEP_SECONDS = 86_400
PATIENCE_SECONDS = 5.0
RAYLET, IDLE, STARTING = "raylet", "ray::IDLE", "default_worker.py"


def keep_spares() -> None:
    """Keep them on the node of this process, from now on, as long as it lives."""
    threading.Thread(target=_keep, name="spares", daemon=True).start()


def _keep() -> None:
    missed = False
    while True:
        time.sleep(LOOK_SECONDS * random.uniform(0.8, 1.2))  # several do not look at one moment
        with suppress(psutil.Error, grpc.RpcError, ray.exceptions.RayError):
            missing = SPARES - spares(psutil.Process(os.getppid()))
            if missing > 0 and missed:
                start_spares(missing)
            missed = missing > 0


def spares(raylet: psutil.Process) -> int:
    """How many there are on its node, those that are starting included."""
    return sum(map(_is_spare, raylet.children()))


def _is_spare(process: psutil.Process) -> bool:
    try:
        command = process.cmdline()
    except psutil.Error:
        return False
    return bool(command) and (command[0] == IDLE or any(part.endswith(STARTING) for part in command))


def start_spares(number: int) -> None:
    """Have this node start so many; the call is one that its autoscaler uses."""
    own = ray.get_runtime_context().get_node_id()
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    node = next(node for node in nodes if node["NodeID"] == own)
    address = f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}"
    request = vars(node_manager_pb2)["PrestartWorkersRequest"](
        language=vars(common_pb2)["Language"].Value("PYTHON"),
        num_workers=number,
        keep_alive_duration_secs=KEEP_SECONDS,
    )
    with init_grpc_channel(address) as channel:
        manager: Any = node_manager_pb2_grpc.NodeManagerServiceStub(channel)  # type: ignore[no-untyped-call]
        manager.PrestartWorkers(request, timeout=PATIENCE_SECONDS)

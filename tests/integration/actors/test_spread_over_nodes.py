"""On several nodes, actors that ask for CPUs share the nodes that have some, and one that joins gets its share."""

from __future__ import annotations

import json
import subprocess
import sys

# A process of its own: this one may be connected to another cluster.
PROGRAM = """
import json
import ray
from ray.cluster_utils import Cluster
from actors.named import find_or_make

class Host:
    def node(self) -> str:
        return ray.get_runtime_context().get_node_id()

SECONDS = 60.0
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
ray.init(address=cluster.address, log_to_driver=False)

def nodes(count: int, cpus: float) -> list[str]:
    actors = [find_or_make(Host, f"{cpus}-{n}", namespace="spread", cpus=cpus) for n in range(count)]
    found = ray.get([actor.node.remote() for actor in actors], timeout=SECONDS)
    for actor in actors:
        ray.kill(actor)
    return found

first = cluster.add_node(num_cpus=1).node_id
before = nodes(2, 0.5)
second = cluster.add_node(num_cpus=1).node_id
print(json.dumps({"first": first, "second": second, "before": before, "after": nodes(2, 0.5)}))
ray.shutdown()
cluster.shutdown()
"""


def test_actors_that_ask_for_cpus_share_the_nodes_that_have_some() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=110, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    told = json.loads(run.stdout.splitlines()[-1])

    assert told["before"] == [told["first"]] * 2, "the head has no CPUs, so nothing is put there"
    assert sorted(told["after"]) == sorted([told["first"], told["second"]])

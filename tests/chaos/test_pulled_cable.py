"""The cable of a machine is pulled under load: its sessions go on elsewhere, and it is a node again once it is back.

`make test-all`, as root.
"""

from __future__ import annotations

import pytest

from proving.machines.nodes import SHORT_ANSWER_SECONDS
from tests.chaos.machines import OUTAGE_SECONDS, cluster_of, told


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_pulled_cable_is_missed_for_15_seconds_at_most_and_the_node_comes_back() -> None:
    with cluster_of("w1", nodes=2) as machines:
        machines.command("head", "redeploy")
        machines.command("head", "rebalance")
        victim = machines.hosts["w1"]
        assert machines.places()[victim.address], "it has sessions"

        verdict, attempts = machines.under_load(
            victim.pull_cable, "head", "w1", patience_seconds=SHORT_ANSWER_SECONDS
        )

        told("a cable was pulled", verdict, attempts)
        assert verdict.is_clean, verdict.violations[:5]
        assert verdict.longest_wait_seconds < OUTAGE_SECONDS
        victim.put_cable_back()
        machines.becomes("w1", alive=True)

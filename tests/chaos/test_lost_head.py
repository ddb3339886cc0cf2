"""A head that only manages, and keeps what it knows in Redis, loses power: the nodes serve on, and have it back.

`make test-all`, as root.
"""

from __future__ import annotations

import pytest

from proving.machines.nodes import SHORT_ANSWER_SECONDS
from tests.chaos.machines import cluster_of, told
from tests.waiting import take

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

WITHOUT_HEAD_SECONDS = 2.0
# Longer than it takes the others to see that a node is gone.
ABSENCE_SECONDS = 15.0


def test_nodes_serve_on_without_their_head_and_have_it_back() -> None:
    with cluster_of("w1", "w2", nodes=2, spare=["w3"], head_manages=True) as machines:
        head = machines.hosts["head"]
        # What was started before the second had joined is on the first.
        machines.command("head", "redeploy")
        machines.command("head", "rebalance")
        for name in ("w1", "w2"):
            machines.is_served_by(name)

        def lost() -> None:
            head.lose_power()
            take(ABSENCE_SECONDS)

        def back() -> None:
            head.put_cable_back()
            machines.start_head(manages=True)
            machines.is_served_by("head")

        verdict, attempts = machines.under_load(lost, "w1", "w2", patience_seconds=SHORT_ANSWER_SECONDS)
        told("the head lost power", verdict, attempts)
        assert verdict.is_clean, verdict.violations[:5]
        assert verdict.longest_wait_seconds < WITHOUT_HEAD_SECONDS

        verdict, attempts = machines.under_load(back, "w1", "w2")
        told("the head came back", verdict, attempts)
        assert verdict.is_clean, verdict.violations[:5]
        machines.start_worker("w3")
        machines.becomes("w3", alive=True)

"""Two clusters on one Redis, as during an upgrade to a new one: each may have a session, and it is served once.

`make test-all`, as root.
"""

from __future__ import annotations

import pytest

from tests.chaos.machines import cluster_of, told
from tests.waiting import take

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


def test_clients_who_ask_two_clusters_in_turn_are_served_every_step_once() -> None:
    with cluster_of(nodes=1, spare=["other"]) as machines:
        machines.start_head("other", OCS_RAY_TOKEN="the-token-of-another-cluster")
        machines.is_served_by("other")

        verdict, attempts = machines.under_load(lambda: take(15.0), "head", "other")

        assert told("two clusters had the same sessions", verdict, attempts) == []
        assert verdict.is_clean, verdict.violations[:5]

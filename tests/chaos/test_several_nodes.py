"""A cluster of three machines loses them and gets new ones under load; the chaos checker judges what clients saw.

`make test-all`, as root.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proving.machines.nodes import SHORT_ANSWER_SECONDS, Machines
from tests.chaos.machines import OUTAGE_SECONDS, cluster_of, told

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    with cluster_of("w1", "w2", nodes=3, spare=["w3"]) as machines:
        yield machines


def test_nodes_that_have_joined_get_their_share(machines: Machines) -> None:
    machines.command("head", "redeploy")
    machines.command("head", "rebalance")

    places = machines.places()

    for name in ("head", "w1", "w2"):
        machines.is_served_by(name)
    shown = machines.command("w1", "status")
    assert all(machines.hosts[name].address in shown for name in ("head", "w1", "w2"))
    assert len(places) == 3
    assert sorted(len(actors) for actors in places.values()) == [1, 1, 1], places


def test_a_node_that_leaves_under_load_takes_nothing_along(machines: Machines) -> None:
    leaving = machines.hosts["w1"]

    verdict, attempts = machines.under_load(leaving.shut_down, "head", "w2")

    assert told("a node left", verdict, attempts) == []
    assert verdict.is_clean, verdict.violations[:5]
    assert not machines.places().get(leaving.address)


def test_a_node_that_joins_under_load_disturbs_nobody(machines: Machines) -> None:
    verdict, attempts = machines.under_load(lambda: machines.start_worker("w3"), "head", "w2")

    assert told("a node joined", verdict, attempts) == []
    assert verdict.is_clean, verdict.violations[:5]


def test_two_nodes_that_each_believe_they_hold_an_actor_serve_nothing_twice(machines: Machines) -> None:
    machines.command("head", "rebalance")
    lonely, others = machines.hosts["w2"], [machines.hosts["head"], machines.hosts["w3"]]
    assert machines.places()[lonely.address], "it has sessions"

    def parted_for_a_while() -> None:
        # Both parts reach the stores and the clients, who ask nodes of both in turn.
        lonely.cut_off_from(*others)
        machines.becomes("w2", alive=False)
        machines.has_moved()
        lonely.reach_again(*others)

    verdict, attempts = machines.under_load(
        parted_for_a_while, "head", "w3", "w2", patience_seconds=SHORT_ANSWER_SECONDS
    )

    told("a network parted and healed", verdict, attempts)
    assert verdict.is_clean, verdict.violations[:5]
    machines.becomes("w2", alive=True)


def test_a_node_that_loses_power_is_missed_for_15_seconds_at_most(machines: Machines) -> None:
    machines.command("head", "rebalance")
    victim = machines.hosts["w2"]
    assert machines.places()[victim.address], "it has sessions"

    verdict, attempts = machines.under_load(
        victim.lose_power, "head", "w3", "w2", patience_seconds=SHORT_ANSWER_SECONDS
    )

    told("a node lost power", verdict, attempts)
    assert verdict.is_clean, verdict.violations[:5]
    assert verdict.longest_wait_seconds < OUTAGE_SECONDS
    assert not machines.places().get(victim.address)

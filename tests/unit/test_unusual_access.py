"""Guesses are paused, and what is unusual of a caller is told: once, and of nobody else."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from cluster.api_keys import EVERYBODY
from cluster.audit.settings import AuditSettings
from cluster.identity.settings import AuthSettings
from optionchain.context import Principal
from serve_app.edge.unusual import Lookout, SignInPauses
from tests.recording import Recording

GUESSER, NEIGHBOUR = "192.0.2.7", "192.0.2.8"
ANNA, BEN = Principal("desk", "anna"), Principal("desk", "ben")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> Recording:
    return Recording()


def noted(told: Recording, event: str) -> list[dict[str, object]]:
    return [dict(each.facts) for each in told.notes if each.name == event]


def test_pauses_double_up_to_a_bound_and_are_forgotten(clock: Clock, told: Recording) -> None:
    settings = AuthSettings(free_failures=3, longest_pause_seconds=10.0, forget_failures_seconds=60.0)
    pauses = SignInPauses(settings, told, clock=clock)

    met = []
    for _ in range(9):
        met.append(pauses.failed(GUESSER))
        clock.now += met[-1]

    assert met == [0.0, 0.0, 0.0, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert pauses.failed(NEIGHBOUR) == 0.0
    assert noted(told, "access.paused")[0] == {"address": GUESSER, "failures": 4, "seconds": 1.0}
    assert len(noted(told, "access.paused")) == 6

    clock.now += 60.0
    assert pauses.failed(GUESSER) == 0.0


def test_what_comes_within_a_pause_waits_for_its_end_and_makes_it_no_longer(
    clock: Clock, told: Recording
) -> None:
    pauses = SignInPauses(AuthSettings(free_failures=0, longest_pause_seconds=300.0), told, clock=clock)
    assert pauses.failed(GUESSER) == 1.0

    clock.now += 0.75

    assert [pauses.failed(GUESSER) for _ in range(100)] == [0.25] * 100
    clock.now += 0.25
    assert pauses.failed(GUESSER) == 2.0


def test_without_a_longest_pause_there_is_none(clock: Clock, told: Recording) -> None:
    pauses = SignInPauses(AuthSettings(free_failures=0, longest_pause_seconds=0.0), told, clock=clock)

    assert [pauses.failed(GUESSER) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert noted(told, "access.paused") == []


def test_a_burst_of_404_is_told_once_and_slow_ones_are_not(clock: Clock, told: Recording) -> None:
    lookout = Lookout(AuditSettings(unusual_times=5, gather_seconds=10.0), told, clock=clock)

    for _ in range(20):
        lookout.missed(ANNA, GUESSER)
        lookout.missed(BEN, NEIGHBOUR)
        clock.now += 1.0 if len(noted(told, "access.unusual")) < 2 else 0.0
    for _ in range(20):
        clock.now += 3.0
        lookout.missed(Principal("desk", "slow"), GUESSER)

    assert [facts["subject"] for facts in noted(told, "access.unusual")] == ["anna", "ben"]
    assert noted(told, "access.unusual")[0] == {
        "tenant": "desk",
        "subject": "anna",
        "address": GUESSER,
        "status": 404,
        "times": 5,
    }


def test_a_key_from_many_networks_is_told_once(clock: Clock, told: Recording) -> None:
    lookout = Lookout(AuditSettings(many_networks=3, networks_seconds=600.0), told, clock=clock)

    for host in range(1, 100):  # one network
        lookout.served(ANNA, ip_address(f"192.0.2.{host}"))
    lookout.served(BEN, ip_address("198.51.100.1"))
    lookout.served(ANNA, None)
    assert noted(told, "access.many_networks") == []

    for address in ("198.51.100.1", "2001:db8:1::1", "2001:db8:1:ffff::1", "203.0.113.1"):
        lookout.served(ANNA, ip_address(address))
        lookout.served(EVERYBODY, ip_address(address))

    [facts] = noted(told, "access.many_networks")
    assert (facts["subject"], facts["networks"]) == ("anna", "192.0.2.0/24,198.51.100.0/24,2001:db8:1::/48")


def test_networks_of_another_hour_do_not_count(clock: Clock, told: Recording) -> None:
    lookout = Lookout(AuditSettings(many_networks=2, networks_seconds=600.0), told, clock=clock)

    for address in ("192.0.2.1", "198.51.100.1", "203.0.113.1"):
        lookout.served(ANNA, ip_address(address))
        clock.now += 601.0

    assert noted(told, "access.many_networks") == []

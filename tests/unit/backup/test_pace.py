"""How fast bytes may pass, and how long whoever reads rests."""

from __future__ import annotations

import pytest

from cluster.backup.pace import TURN_SECONDS, Pace, Turns


def test_bytes_wait_for_those_before_them() -> None:
    now = [0.0]
    pace = Pace(100.0, clock=lambda: now[0])

    assert [pace.seconds_until(50) for _ in range(3)] == [0.0, 0.5, 1.0]
    now[0] = 10.0
    assert pace.seconds_until(50) == 0.0


def test_without_a_bound_nothing_waits() -> None:
    pace = Pace(0.0, clock=lambda: 0.0)

    assert [pace.seconds_until(10**9) for _ in range(3)] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(("share", "rest"), [(1.0, 0.0), (0.5, 1.0), (0.25, 3.0)])
def test_whoever_has_worked_rests_until_that_was_its_share(share: float, rest: float) -> None:
    now = [0.0]
    turns = Turns(share, clock=lambda: now[0])

    now[0] += TURN_SECONDS / 2
    assert turns.seconds_of_rest() == 0.0
    now[0] += 1.0 - TURN_SECONDS / 2
    assert turns.seconds_of_rest() == pytest.approx(rest)
    now[0] += TURN_SECONDS / 2
    assert turns.seconds_of_rest() == 0.0
    now[0] += 1.0
    assert turns.seconds_of_rest() == pytest.approx((1.0 + TURN_SECONDS / 2) * rest)

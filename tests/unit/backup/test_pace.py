"""How fast bytes may pass."""

from __future__ import annotations

from cluster.backup.pace import Pace


def test_bytes_wait_for_those_before_them() -> None:
    now = [0.0]
    pace = Pace(100.0, clock=lambda: now[0])

    assert [pace.seconds_until(50) for _ in range(3)] == [0.0, 0.5, 1.0]
    now[0] = 10.0
    assert pace.seconds_until(50) == 0.0


def test_without_a_bound_nothing_waits() -> None:
    pace = Pace(0.0, clock=lambda: 0.0)

    assert [pace.seconds_until(10**9) for _ in range(3)] == [0.0, 0.0, 0.0]

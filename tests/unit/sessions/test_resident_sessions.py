"""What an actor holds in memory is bounded by count, by bytes, by idleness and by the time to live."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from actors.sessions.residents import SESSION_BYTES, ResidentSessions, session_bytes
from optionchain import recorded
from optionchain.models import Historical
from optionchain.models.recorded import Recorded
from optionchain.time_frame import TimeFrame
from tests.unit.history.recorded_examples import stored_days
from tests.unit.sessions.small_sessions import NOW, PARAMETERS, session


def residents(**bounds: float) -> ResidentSessions:
    values = {"max_sessions": 100, "max_idle_seconds": 600.0, **bounds}
    return ResidentSessions(**values)  # type: ignore[arg-type]


def test_the_least_recently_used_leaves_first() -> None:
    held = residents(max_sessions=2)
    for second, name in enumerate("abac"):
        held.put(session(name), float(second))

    assert held.evict(4.0) == ["b"]
    assert "a" in held
    assert "c" in held


def test_sessions_that_bring_many_prices_count_by_their_bytes() -> None:
    prices = Historical(timeframe=TimeFrame.DAY, prices=(100.0,) * 10_000, symbol=None)
    heavy = replace(PARAMETERS, method=prices)
    held = residents(max_bytes=2 * session_bytes(session("x", heavy)))

    for name in "abc":
        held.put(session(name, heavy), 0.0)

    assert session_bytes(session("x", heavy)) > 50 * SESSION_BYTES
    assert held.evict(0.0) == ["a"]
    assert held.evict(0.0) == []


def test_sessions_that_bring_days_of_history_count_by_their_bytes() -> None:
    days = recorded(stored_days())
    assert isinstance(days.method, Recorded)

    assert session_bytes(session("x", days)) == SESSION_BYTES + days.method.days.nbytes > SESSION_BYTES


def test_an_unused_session_stays_for_as_long_as_it_may() -> None:
    held = residents(max_idle_seconds=600.0)
    held.put(session("a"), 100.0)

    assert (held.evict(700.0), held.evict(700.1)) == ([], ["a"])


def test_a_session_put_again_counts_once() -> None:
    held = residents(max_bytes=2 * SESSION_BYTES)
    for _ in range(10):
        held.put(session("a"), 0.0)
        held.put(session("b"), 0.0)

    assert held.evict(0.0) == []
    held.drop("a")
    held.put(session("c"), 0.0)
    assert held.evict(0.0) == []


def test_an_idle_session_leaves() -> None:
    held = residents()
    held.put(session("a"), 0.0)
    held.put(session("b"), 500.0)

    assert held.evict(601.0) == ["a"]


def test_a_session_that_is_only_read_is_known_to_have_been_written_long_ago() -> None:
    held = residents()
    held.put(session("old", written=NOW - timedelta(seconds=10)), 0.0)
    held.put(session("new"), 0.0)

    assert held.written_before(NOW) == ["old"]

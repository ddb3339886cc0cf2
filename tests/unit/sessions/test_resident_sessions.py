"""What an actor holds in memory is bounded by count, by bytes, by idleness and by the time to live."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from actors.resident_sessions import SESSION_BYTES, ResidentSessions, SimulationCache, session_bytes
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.session import Session, Surface
from optionchain.time_frame import TimeFrame
from optionchain.walks import GeometricBrownian, Historical

NOW = datetime(2026, 1, 5, tzinfo=UTC)
PARAMETERS = SimulationParameters(
    symbol="SPX",
    steps=10,
    initial_price=100.0,
    volatility=0.2,
    method=GeometricBrownian(dt=0.004, drift=0.05, volatility=0.2),
    expirations=SingleExpiration(30.0),
    seed=1,
    start_at=NOW,
    chain_size=1,
)


def session(name: str, parameters: SimulationParameters = PARAMETERS, written: datetime = NOW) -> Session:
    return Session(
        id=name,
        owner="owner",
        surface=Surface.CHAIN,
        parameters=parameters,
        created_at=NOW,
        updated_at=written,
        version=1,
    )


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


def test_tapes_and_snapshots_stay_within_their_bytes() -> None:
    one = session("a")
    tape = SimulationCache(tape_bytes=1 << 20, snapshot_bytes=1 << 20).simulation(one).nbytes
    body = len(SimulationCache(tape_bytes=1 << 20, snapshot_bytes=1 << 20).snapshot(one, 0, "first")[0])
    cache = SimulationCache(tape_bytes=2 * tape, snapshot_bytes=3 * body)

    for name in "abcdef":
        for step in range(5):
            cache.snapshot(session(name, replace(PARAMETERS, seed=ord(name))), step, "first")

    assert cache._simulations.currsize <= 2 * tape
    assert cache._snapshots.currsize <= 3 * body


def test_a_cache_too_small_for_anything_still_serves() -> None:
    one = session("a")
    cache, roomy = (SimulationCache(tape_bytes=size, snapshot_bytes=size) for size in (1, 1 << 20))

    assert cache.snapshot(one, 3, "first") == (roomy.snapshot(one, 3, "first")[0], False)
    assert cache.snapshot(one, 3, "first") == (roomy.snapshot(one, 3, "first")[0], False)


def test_changed_parameters_are_never_served_from_the_old_tape() -> None:
    cache = SimulationCache(tape_bytes=1 << 20, snapshot_bytes=1 << 20)
    before = cache.snapshot(session("a"), 3, "first")

    after = cache.snapshot(session("a", replace(PARAMETERS, seed=2)), 3, "first")

    assert before[0] != after[0]
    assert not after[1]

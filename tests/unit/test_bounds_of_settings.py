"""Which numbers may be set of the actors: the least and the most, and nothing beyond."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from cluster.settings import Settings

# The least that may be set and the most; None where there is no most. What is no number is not here.
BOUNDS = {
    "config.max_running": (1, None),
    "config.max_waiting": (0, None),
    "config.stale_seconds": (0.0, None),
    "history.max_running": (1, None),
    "history.max_waiting": (0, None),
    "history.page_bars": (1, None),
    "history.max_window_bars": (1, None),
    "history.stale_seconds": (0.0, None),
    "history.analytics_stale_seconds": (0.0, None),
    "history.warm_days": (0, None),
    "task.max_running": (1, 1000),
    "task.max_running_of_owner": (1, 1000),
    "task.max_tasks": (1, None),
    "task.look_seconds": (0.05, 60.0),
    "task.grace_seconds": (1.0, None),
    "task.lease_seconds": (3.0, None),
    "task.max_heartbeats": (0, 1000),
    "session.max_message_megabytes": (1, 4095),
    "session.ttl_seconds": (1.0, None),
    "session.max_resident": (1, None),
    "session.resident_megabytes": (1, None),
    "session.path_megabytes": (1, None),
    "session.snapshot_megabytes": (1, None),
    "session.shared_contracts": (0, None),
    "session.shared_megabytes": (1, None),
    "session.max_waiting": (1, None),
    "session.max_batch": (1, None),
    "session.max_answer_contracts": (1, None),
}
# Seconds and days that are more than none.
POSITIVE = {
    "config.fresh_seconds",
    "config.unheard_seconds",
    "config.replica_seconds",
    "config.timeout_seconds",
    "history.chain_seconds",
    "history.listing_seconds",
    "history.housekeeping_seconds",
    "history.timeout_seconds",
    "task.stop_seconds",
    "task.keep_days",
    "task.overdue_seconds",
    "task.timeout_seconds",
    "session.max_idle_seconds",
    "session.sweep_seconds",
    "session.shared_seconds",
    "session.timeout_seconds",
    "session.delivery_timeout_seconds",
    "session.keep_seconds",
}
GROUPS = ("config", "history", "task", "session")
TINY = 1e-3


def group_with(name: str, value: float) -> BaseModel:
    group, _, field = name.partition(".")
    return type(getattr(Settings(), group))(**{field: value})


def is_refused(name: str, value: float) -> bool:
    try:
        group_with(name, value)
    except ValidationError:
        return True
    return False


def test_every_number_has_its_bounds() -> None:
    numbers = {
        f"{group}.{name}"
        for group in GROUPS
        for name, value in getattr(Settings(), group)
        if isinstance(value, int | float) and not isinstance(value, bool)
    }

    assert numbers == BOUNDS.keys() | POSITIVE


@pytest.mark.parametrize("name", BOUNDS)
def test_the_least_and_the_most_may_be_set_and_nothing_beyond(name: str) -> None:
    least, most = BOUNDS[name]
    step = 1 if isinstance(least, int) else TINY

    assert not is_refused(name, least)
    assert is_refused(name, least - step)
    if most is not None:
        assert not is_refused(name, most)
        assert is_refused(name, most + step)


@pytest.mark.parametrize("name", sorted(POSITIVE))
def test_a_time_may_be_short_and_not_none(name: str) -> None:
    assert not is_refused(name, TINY)
    assert is_refused(name, 0.0)


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_set_stays(group: str) -> None:
    settings = getattr(Settings(), group)

    with pytest.raises(ValidationError, match="frozen"):
        settings.timeout_seconds = 1.0

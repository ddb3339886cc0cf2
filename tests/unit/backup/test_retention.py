"""Which backups are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cluster.backup.retention import Kept, Retention, outlived
from optionchain.errors import InvalidInput

NOW = datetime(2026, 11, 29, 17, 30, tzinfo=UTC)


def hourly(count: int, verified: frozenset[int] = frozenset()) -> list[Kept]:
    """One an hour, the latest first; its id is how many hours old it is."""
    return [Kept(str(n), NOW - timedelta(hours=n), n in verified) for n in range(count)]


def kept(backups: list[Kept], retention: Retention) -> list[int]:
    gone = set(outlived(backups, retention))
    return sorted(int(backup.id) for backup in backups if backup.id not in gone)


def test_the_latest_hours_are_kept() -> None:
    assert kept(hourly(30), Retention(3, 0, 0, 0)) == [0, 1, 2]


def test_the_latest_of_each_day_is_kept() -> None:
    # 17:30: 18 hours back it is 23:30 of yesterday.
    assert kept(hourly(60), Retention(0, 3, 0, 0)) == [0, 18, 42]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    # 2026-11-29 is a Sunday.
    week = [0, 7 * 24 - (24 - 17) + 1 - 0]
    assert kept(hourly(24 * 40), Retention(0, 0, 2, 0))[0] == week[0]
    assert kept(hourly(24 * 40), Retention(0, 0, 2, 0)) == [0, 6 * 24 + 18]
    assert kept(hourly(24 * 40), Retention(0, 0, 0, 2)) == [0, 28 * 24 + 18]


def test_together_they_keep_what_any_of_them_keeps() -> None:
    assert kept(hourly(24 * 500), Retention()) == sorted(
        {*range(24), *(18 + 24 * n for n in range(6)), *(18 + 24 * (6 + 7 * n) for n in range(4))}
        | {_hours_to_end_of_month(n) for n in range(1, 12)}
    )


def _hours_to_end_of_month(months: int) -> int:
    year, month = divmod(2026 * 12 + 10 - months + 1, 12)
    first_of_next = datetime(year, month + 1, 1, tzinfo=UTC)
    return int((NOW - first_of_next).total_seconds() // 3600) + 1


def test_the_latest_and_the_latest_verified_are_never_removed() -> None:
    assert kept(hourly(30, frozenset({20, 25})), Retention(0, 0, 0, 0)) == [0, 20]


def test_what_is_kept_keeps_what_it_is_an_increment_of() -> None:
    chain = [
        Kept(str(n), NOW - timedelta(hours=n), n == 7, str(n + 1) if n % 4 < 3 else None) for n in range(16)
    ]

    assert kept(chain, Retention(2, 0, 0, 0)) == [0, 1, 2, 3, 7]
    assert kept(chain, Retention(6, 0, 0, 0)) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert outlived(chain, Retention(1, 0, 0, 0), needed={"9"}) == [*list("4568"), "12", "13", "14", "15"]


def test_nothing_to_keep_is_nothing_to_remove() -> None:
    assert outlived([], Retention()) == []


@pytest.mark.parametrize("text", ["", "24", "24,7,5", "a,b,c,d", "1,2,3,-4"])
def test_what_is_no_retention_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="keep"):
        Retention.of(text)

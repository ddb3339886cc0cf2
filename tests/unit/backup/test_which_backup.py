"""Which backup is meant: the one that is named, else the latest of a time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cluster.backup.place import chosen
from optionchain.errors import NotFound

FIRST, SECOND, THIRD = "20261129T100000Z-0a", "20261129T110000Z-0b", "20261129T120000Z-0c"
ALL = [FIRST, SECOND, THIRD]


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 29, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("backup", "as_of", "meant"),
    [
        (None, None, THIRD),
        (FIRST, None, FIRST),
        (None, at(11, 59), SECOND),
        (None, at(11), SECOND),
        (None, at(10, 30), FIRST),
        (FIRST, at(23), FIRST),
    ],
)
def test_the_latest_of_a_time_is_meant_unless_one_is_named(
    backup: str | None, as_of: datetime | None, meant: str
) -> None:
    assert chosen(ALL, backup, as_of) == meant


@pytest.mark.parametrize(
    ("backup", "as_of", "said"),
    [
        ("20261129T100000Z-ff", None, "backup not found: 20261129T100000Z-ff"),
        (None, at(9), "backup not found: as of 2026-11-29T09:00:00Z"),
    ],
)
def test_what_is_not_there_is_said(backup: str | None, as_of: datetime | None, said: str) -> None:
    with pytest.raises(NotFound, match=said):
        chosen(ALL, backup, as_of)

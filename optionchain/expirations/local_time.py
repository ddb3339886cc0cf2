"""From a local wall-clock time to the instant when the clock reaches it, by the pinned time-zone database.

Zones come from the `tzdata` package and never from the operating system, so that a replay depends on one
recorded version (`tzdb_version`) and not on the machine.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import tzdata  # type: ignore[import-untyped]

from optionchain.errors import InvalidInput


def tzdb_version() -> str:
    """The IANA time-zone database in use, such as ``2025b``: a replay input like the seed."""
    return str(tzdata.IANA_VERSION)


@cache
def load_zone(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name.

    Raises:
        InvalidInput: ``timezone``: no zone of the database has this name.
    """
    if name not in _zone_names():
        raise InvalidInput("timezone", "must be an IANA time zone such as America/New_York")
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


def local_to_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the first instant at which the clocks of `zone` show `local` or later.

    When the clocks are set back and show a time twice, that is the earlier of the two; when they are set
    forward past it, the instant of the change.

    Args:
        local: Wall-clock time without a time zone, whole seconds, years 2 to 9998.
        zone: The time zone.

    Returns:
        The instant, in UTC. Later wall-clock times never give earlier instants.

    Source:
        PEP 495: fold 0 means the UTC offset from before a change of the clocks and fold 1 the one from after
        it, so only in a gap is the instant of fold 0 the later one.

    Example:
        >>> madrid = load_zone("Europe/Madrid")
        >>> print(local_to_instant(datetime(2026, 10, 25, 2, 30), madrid))  # shown twice
        2026-10-25 00:30:00+00:00
        >>> print(local_to_instant(datetime(2026, 3, 29, 2, 30), madrid))  # never shown
        2026-03-29 01:00:00+00:00
    """
    shown = local.replace(tzinfo=zone, fold=0)
    instant, other = shown.astimezone(UTC), shown.replace(fold=1).astimezone(UTC)
    return instant if instant <= other else _clock_change(local, zone, after=other, by=instant)


def _clock_change(local: datetime, zone: ZoneInfo, *, after: datetime, by: datetime) -> datetime:
    """The first whole second in ``(after, by]`` at which the clocks show `local` or later."""
    span = int((by - after).total_seconds())
    seconds = bisect_left(
        range(span),
        True,
        key=lambda second: (after + timedelta(seconds=second)).astimezone(zone).replace(tzinfo=None) >= local,
    )
    return after + timedelta(seconds=seconds)

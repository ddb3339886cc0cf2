"""What every drill has to reach, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Goal:
    """What a drill has to reach. No acknowledged step may be lost, doubled or wrong in any of them.

    Attributes:
        seconds: From the loss on, until whoever was hurt is served again; nobody who goes on asking waits for longer.
        lost_seconds: Of writes to a store, at most, by how it was written.
    """

    seconds: float
    lost_seconds: Mapping[str, float] = field(default_factory=dict)


GOALS: Mapping[str, Goal] = {
    "lost-redis-primary": Goal(seconds=10.0),
    "lost-mongodb-primary": Goal(seconds=30.0),
    "lost-data-folder": Goal(seconds=120.0),
    "deleted-sessions": Goal(seconds=60.0),
    "corrupt-backup": Goal(seconds=120.0),
    "leaked-key": Goal(seconds=5.0),
    "bad-release": Goal(seconds=120.0),
    "full-disk": Goal(seconds=60.0),
    "expired-certificate": Goal(seconds=30.0),
    "lost-node": Goal(seconds=15.0),
    "site-loss": Goal(seconds=60.0, lost_seconds={"waited for": 0.0, "not waited for": 5.0}),
}

"""The other kind of expirations: one only, so many days after the start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from optionchain.declared.checks import positive
from optionchain.expirations.plan import Expiration

MAX_DAYS_TO_EXPIRATION = 36_525.0


@dataclass(frozen=True, slots=True)
class SingleExpiration:
    """One expiration, a fixed number of days after the start.

    Attributes:
        days: Calendar days from the start, > 0, may be fractional.
    """

    days: float

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "days", positive("days_to_expiration", self.days, high=MAX_DAYS_TO_EXPIRATION)
        )

    def expires_at(self, start_at: datetime) -> datetime:
        """The instant of expiry, to the microsecond, at least one after the start."""
        return start_at + self.lifetime

    @property
    def lifetime(self) -> timedelta:
        """From the start to the expiry."""
        return max(timedelta(days=self.days), timedelta(microseconds=1))

    def expiration(self, start_at: datetime) -> Expiration:
        """The expiration of a simulation that starts at `start_at`."""
        return Expiration(expires_at=self.expires_at(start_at), labels=())

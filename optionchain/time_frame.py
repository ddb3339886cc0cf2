"""The calendar time between two steps, in the words of the HTTP API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from optionchain.declared.checks import finite
from optionchain.errors import InvalidInput

YEAR = timedelta(days=365)
INTERVALS = {
    "Microsecond": timedelta(microseconds=1),
    "Millisecond": timedelta(milliseconds=1),
    "Second": timedelta(seconds=1),
    "Minute": timedelta(minutes=1),
    "Hour": timedelta(hours=1),
    "Day": timedelta(days=1),
    "Week": timedelta(weeks=1),
    "Month": timedelta(days=30),
    "Quarter": timedelta(days=90),
    "Year": YEAR,
}
_NAME_OF = {name.lower(): name for name in INTERVALS}
MIN_CUSTOM_PERIODS = 1e-3  # one step in a thousand years: a longer one passes the last date that exists
MAX_CUSTOM_PERIODS = YEAR / timedelta(microseconds=1)  # below a microsecond two steps would share an instant


@dataclass(frozen=True, slots=True)
class TimeFrame:
    """A named interval, or a custom number of periods in a year of 365 days.

    Args:
        name: ``Microsecond`` ... ``Year``, or ``Custom``.
        custom_periods: Periods per year, 0.001 to 31,536,000,000,000; for ``Custom`` only.

    Raises:
        InvalidInput: The name is unknown, or the number of periods is missing, unexpected or out of range.

    Example:
        >>> TimeFrame.HOUR.convert(12, TimeFrame.DAY)
        0.5
        >>> TimeFrame.custom(365).rendered
        'custom (365)'
    """

    name: str
    custom_periods: float | None = None

    MICROSECOND: ClassVar[TimeFrame]
    MILLISECOND: ClassVar[TimeFrame]
    SECOND: ClassVar[TimeFrame]
    MINUTE: ClassVar[TimeFrame]
    HOUR: ClassVar[TimeFrame]
    DAY: ClassVar[TimeFrame]
    WEEK: ClassVar[TimeFrame]
    MONTH: ClassVar[TimeFrame]
    QUARTER: ClassVar[TimeFrame]
    YEAR: ClassVar[TimeFrame]

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or self.name not in (*INTERVALS, "Custom"):
            raise InvalidInput("name", f"must be one of {', '.join(INTERVALS)}, or Custom")
        if self.name == "Custom":
            periods = finite(
                "custom_periods", self.custom_periods, low=MIN_CUSTOM_PERIODS, high=MAX_CUSTOM_PERIODS
            )
            object.__setattr__(self, "custom_periods", periods)
        elif self.custom_periods is not None:
            raise InvalidInput("custom_periods", "only Custom has a number of periods per year")

    @classmethod
    def custom(cls, periods_per_year: float) -> TimeFrame:
        """A time frame of so many periods in a year of 365 days."""
        return cls("Custom", periods_per_year)

    @classmethod
    def from_wire(cls, wire: object, field: str = "time_frame") -> TimeFrame:
        """Read ``"Day"`` or ``{"Custom": 365}``, or either as it is `rendered`.

        Raises:
            InvalidInput: It is neither; the error names `field`.
        """
        try:
            if isinstance(wire, str) and wire != "Custom":
                rendered = re.fullmatch(r"custom \((\d+(?:\.\d+)?(?:e[+-]?\d+)?)\)", wire)
                return cls.custom(float(rendered[1])) if rendered else cls(_NAME_OF.get(wire, wire))
            if isinstance(wire, Mapping) and list(wire) == ["Custom"]:
                return cls.custom(wire["Custom"])
            raise InvalidInput("", 'must be a name such as "Day", or {"Custom": periods_per_year}')
        except InvalidInput as error:
            at = f"{field}.Custom" if error.field == "custom_periods" else field
            raise InvalidInput(at, error.reason) from None

    def to_wire(self) -> str | dict[str, float]:
        """The JSON value that `from_wire` reads."""
        return self.name if self.custom_periods is None else {"Custom": self.custom_periods}

    @property
    def interval(self) -> timedelta:
        """Exact for the named ones; to the microsecond for a custom one."""
        return INTERVALS[self.name] if self.custom_periods is None else YEAR / self.custom_periods

    @property
    def periods_per_year(self) -> float:
        """Periods in 365 days, > 0; not rounded."""
        return YEAR / INTERVALS[self.name] if self.custom_periods is None else self.custom_periods

    @property
    def rendered(self) -> str:
        """In lower case, as a session echoes it: ``day``, ``custom (365)``."""
        if self.custom_periods is None:
            return self.name.lower()
        return f"custom ({repr(self.custom_periods).removesuffix('.0')})"

    def convert(self, value: float, to: TimeFrame) -> float:
        """The same duration counted in another time frame: 12 hours are 0.5 days."""
        return value * to.periods_per_year / self.periods_per_year


for _name in INTERVALS:
    setattr(TimeFrame, _name.upper(), TimeFrame(_name))


def time_frame_schema() -> dict[str, Any]:
    """JSON schema of what `TimeFrame.from_wire` reads."""
    periods = {"type": "number", "minimum": MIN_CUSTOM_PERIODS, "maximum": MAX_CUSTOM_PERIODS}
    custom = {"type": "object", "properties": {"Custom": periods}, "required": ["Custom"], "maxProperties": 1}
    return {"oneOf": [{"type": "string", "enum": list(INTERVALS)}, custom]}

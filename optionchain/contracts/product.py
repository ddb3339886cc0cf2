"""What an exchange lists on one underlying: as parameters of a simulation, in Python and on the wire."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import time
from typing import Any

from optionchain.contracts.carry import Underlying
from optionchain.contracts.terms import Exercise, Settlement
from optionchain.expirations.listed import SessionTime
from optionchain.expirations.rules import Rule
from optionchain.expirations.schedule import Schedule
from optionchain.expirations.wire import rule_to_wire, time_to_wire

_OF_SCHEDULE = frozenset({"name", "source", "timezone", "calendar", "rules", "expiration_time"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What is listed on one underlying.

    Attributes:
        name: As `product` takes it.
        source: The public specification.
        timezone, calendar, expiration_time, rules: Of its `Schedule`.
        exercise, settlement, underlying, multiplier, currency, strike_rule, spread, tick_size, tick_size_above,
        coarse_tick_size: As `SimulationParameters` has them; None is not said.
    """

    name: str
    source: str
    timezone: str
    calendar: str
    rules: tuple[Rule, ...]
    expiration_time: time | SessionTime = "close"
    exercise: Exercise = "european"
    settlement: Settlement = "cash"
    underlying: Underlying | None = None
    multiplier: float = 100.0
    currency: str = "USD"
    strike_rule: str
    spread: float | None = None
    tick_size: float | None = None
    tick_size_above: float | None = None
    coarse_tick_size: float | None = None

    def schedule(self) -> Schedule:
        """Its expirations.

        Raises:
            InvalidInput: ``calendar``: the exchange's cannot be computed here.
        """
        return Schedule(
            timezone=self.timezone,
            calendar=self.calendar,
            expiration_time=self.expiration_time,
            rules=self.rules,
        )

    def terms(self) -> dict[str, Any]:
        """What `SimulationParameters` takes, its expirations among it; whoever gives one of them as well overrides it.

        Example:
            >>> from optionchain.contracts.products import product
            >>> terms = product("SPY").terms()
            >>> terms["exercise"], terms["settlement"], terms["multiplier"]
            ('american', 'physical', 100.0)
        """
        return self._said() | {"expirations": self.schedule()}

    def on_wire(self) -> dict[str, Any]:
        """The same as the fields of a simulation's request, without asking for the calendar."""
        return self._said() | {
            "timezone": self.timezone,
            "calendar": self.calendar,
            "expiration_time": time_to_wire(self.expiration_time),
            "schedules": [rule_to_wire(rule) for rule in self.rules],
        }

    def _said(self) -> dict[str, Any]:
        return {
            field.name: value
            for field in fields(self)
            if field.name not in _OF_SCHEDULE and (value := getattr(self, field.name)) is not None
        }

"""What rows of option chains say of their series: root, settlement and last trade, and the future that it is on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from optionchain.contracts.carried_ladders import Carried
from optionchain.expirations import ExpirationPlan, Schedule, load_zone
from optionchain.expirations.listing import EPOCH, Listing
from optionchain.parameters import SimulationParameters

SERIES = {
    "root": pa.field("root", pa.string(), metadata={"unit": "root symbol"}),
    "settlement": pa.field(
        "settlement", pa.string(), metadata={"unit": "AM or PM; null where no rule says it"}
    ),
    "last_trade_at": pa.field("last_trade_at", pa.timestamp("us", tz="UTC"), metadata={"unit": "instant"}),
    "future_expires_at": pa.field(
        "future_expires_at", pa.timestamp("us", tz="UTC"), metadata={"unit": "instant"}
    ),
    "future_price": pa.field("future_price", pa.float64(), metadata={"unit": "currency"}),
}
"""The columns, by name."""
_SAID_BY = {"root": "root", "settlement": "settlement", "last_trade_at": "last_trade_sessions"}
_OF_FUTURES = ("future_expires_at", "future_price")


@dataclass(frozen=True, slots=True)
class Series:
    """The series of a schedule.

    Attributes:
        symbol: The root of rules that have none.
        schedule: None where there is one expiration only.
        columns: Those of `SERIES` that a rule says something of, or a curve of futures.
    """

    symbol: str
    schedule: Schedule | None
    columns: tuple[str, ...]

    @staticmethod
    def of(parameters: SimulationParameters) -> Series:
        """Those of a simulation."""
        schedule, on_futures = parameters.expirations, () if parameters.futures is None else _OF_FUTURES
        if not isinstance(schedule, Schedule):
            return Series(parameters.symbol, None, on_futures)
        said = (
            name for name, field in _SAID_BY.items() if any(getattr(rule, field) for rule in schedule.rules)
        )
        return Series(parameters.symbol, schedule, (*said, *on_futures))

    @property
    def texts(self) -> list[str]:
        """Every text of the columns, sorted; empty where a row may have none."""
        if self.schedule is None:
            return []
        said = {"root": self.symbol, "settlement": ""}
        rules = self.schedule.rules
        return sorted(
            {getattr(rule, name) or said[name] for name in said if name in self.columns for rule in rules}
            - {self.symbol}
        )

    def of_listed(self, listing: Listing, carried: Carried | None) -> Iterator[pa.Array]:
        """``[listed]`` each of the columns."""
        rules = {} if self.schedule is None else {rule.rule_id: rule for rule in self.schedule.rules}
        # Rules of one expiration have the same root and settlement.
        firsts = [rules.get(name.partition("|")[0]) for name in listing.names]
        said = {
            "root": [getattr(rule, "root", None) or self.symbol for rule in firsts],
            "settlement": [getattr(rule, "settlement", None) for rule in firsts],
        }
        for column in self.columns:
            if column in _OF_FUTURES and carried is not None:
                numbers = carried.spots if column == "future_price" else carried.futures.astype(np.int64)
                yield pa.array(numbers, SERIES[column].type)
            elif column == "last_trade_at":
                yield pa.array(self._last_trades(listing), SERIES[column].type)
            else:
                yield pa.array(said[column], pa.string()).take(pa.array(listing.labels))

    def _last_trades(self, listing: Listing) -> list[datetime]:
        if self.schedule is None:
            return []
        plan, zone = ExpirationPlan(self.schedule), load_zone(self.schedule.timezone)
        listed: list[tuple[int, int]] = list(
            zip(listing.expires_at.tolist(), listing.labels.tolist(), strict=True)
        )
        known: dict[tuple[int, int], datetime] = {}
        for at, label in set(listed):
            expires_at = EPOCH + timedelta(microseconds=at)
            labels, day = listing.names[label].split("|"), expires_at.astimezone(zone).date()
            known[at, label] = plan.last_trade_at(labels, day) or expires_at
        return [known[each] for each in listed]

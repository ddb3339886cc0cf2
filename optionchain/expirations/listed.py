"""What every rule of expirations says of the contracts that it lists, whichever days they expire on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from typing import Literal, TypeAlias, get_args

from optionchain.declared.checks import whole
from optionchain.errors import InvalidInput

MAX_EXPIRATIONS_PER_RULE = 256
MOST_SESSIONS_BEFORE = 30

Weekday: TypeAlias = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
SessionTime: TypeAlias = Literal["open", "close"]
SESSION_TIMES: tuple[SessionTime, ...] = get_args(SessionTime)
AtExpiry: TypeAlias = Literal["AM", "PM"]
AT_EXPIRY: dict[AtExpiry, SessionTime] = {"AM": "open", "PM": "close"}

_RULE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ROOT = re.compile(r"[A-Z0-9]{1,6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What every rule says of its contracts.

    Attributes:
        rule_id: The label of its expirations: 1 to 64 letters, digits, ``_`` and ``-``.
        target_count: How many expirations are kept alive, 1 to 256.
        expiration_time: Local time of its expirations, or the ``open`` or ``close`` of the session; None is that of
            the schedule.
        settlement: ``AM`` settles by the opening of the day and ``PM`` by its close, which are then the time of
            expiration where none is given.
        root: The root symbol of its contracts, 1 to 6 capital letters and digits; None is the underlying's symbol.
            Contracts with different roots are never one expiration.
        last_trade_sessions: How many sessions before the day of expiration trading ends, at that session's close, 0 to
            30; 0 is until they expire.
    """

    rule_id: str
    target_count: int
    expiration_time: time | SessionTime | None = None
    settlement: AtExpiry | None = None
    root: str | None = None
    last_trade_sessions: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.rule_id, str) or not _RULE_ID.fullmatch(self.rule_id):
            raise InvalidInput("rule_id", "must be 1 to 64 letters, digits, underscores and hyphens")
        count = whole("target_count", self.target_count, low=1, high=MAX_EXPIRATIONS_PER_RULE)
        object.__setattr__(self, "target_count", count)
        if self.expiration_time is not None:
            check_expiration_time(self.expiration_time)
        if self.settlement is not None:
            one_of("settlement", self.settlement, tuple(AT_EXPIRY))
        if self.root is not None and not (isinstance(self.root, str) and _ROOT.fullmatch(self.root)):
            raise InvalidInput("root", "must be 1 to 6 capital letters and digits")
        before = whole("last_trade_sessions", self.last_trade_sessions, low=0, high=MOST_SESSIONS_BEFORE)
        object.__setattr__(self, "last_trade_sessions", before)

    @property
    def own_time(self) -> time | SessionTime | None:
        """When its contracts expire, where it says so."""
        if self.expiration_time is None and self.settlement is not None:
            return AT_EXPIRY[self.settlement]
        return self.expiration_time


def check_expiration_time(value: object) -> None:
    """Raise `InvalidInput` for what is no local time of day and no time of a session."""
    if isinstance(value, str) and value in SESSION_TIMES:
        return
    if not isinstance(value, time) or value.tzinfo is not None or value.microsecond:
        raise InvalidInput(
            "expiration_time",
            "must be open, close, or a local time of day in whole seconds, without a time zone",
        )


def one_of(field: str, value: object, words: tuple[str, ...]) -> None:
    """Raise `InvalidInput` for what is none of the words."""
    if not isinstance(value, str) or value not in words:
        raise InvalidInput(field, f"must be one of {', '.join(words)}")

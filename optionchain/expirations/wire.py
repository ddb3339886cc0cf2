"""Schedules as the mappings of the HTTP API, with errors that name the field the caller wrote."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import MISSING, asdict, fields
from datetime import time
from typing import Any

from optionchain.errors import InvalidInput
from optionchain.expirations.calendars import WEEKDAYS_V1
from optionchain.expirations.rules import DailyRule, MonthlyRule, Rule, WeeklyRule, YearlyRule
from optionchain.expirations.schedule import Schedule, ScheduleLimits

_RULE_TYPES: dict[str, type[Rule]] = {
    rule_type.kind: rule_type for rule_type in (DailyRule, WeeklyRule, MonthlyRule, YearlyRule)
}
_RULE_FIELDS = {"kind"} | {field.name for rule_type in _RULE_TYPES.values() for field in fields(rule_type)}
_SCHEDULE_FIELDS = {"timezone", "calendar", "expiration_time", "schedules"}
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")


def schedule_from_wire(wire: Mapping[str, Any], limits: ScheduleLimits | None = None) -> Schedule:
    """Read a schedule.

    Args:
        wire: ``timezone``, ``expiration_time`` (HH:MM or HH:MM:SS), ``schedules`` (a list of rules) and
            optionally ``calendar``; an optional value may also be None.
        limits: How much it may ask for; None allows the most there is.

    Raises:
        InvalidInput: A value is missing, unknown or out of range; the error has its path, such as
            ``schedules[1].target_count``.

    Example:
        >>> rule = {"rule_id": "leaps", "kind": "yearly", "target_count": 2, "weekday": "Fri"}
        >>> schedule_from_wire({"timezone": "UTC", "expiration_time": "16:00", "schedules": [rule]}).rules
        (YearlyRule(rule_id='leaps', target_count=2, weekday='Fri', month=12),)
    """
    _refuse_unknown(wire, _SCHEDULE_FIELDS, path="")
    for required in ("timezone", "expiration_time", "schedules"):
        if wire.get(required) is None:
            raise InvalidInput(required, "is required")
    rules = _rules_from_wire(wire["schedules"])
    calendar = wire.get("calendar")
    try:
        (limits or ScheduleLimits()).check(rules)
        return Schedule(
            timezone=wire["timezone"],
            expiration_time=_time_from_wire(wire["expiration_time"]),
            rules=rules,
            calendar=WEEKDAYS_V1 if calendar is None else calendar,
        )
    except InvalidInput as error:
        raise InvalidInput(re.sub(r"^rules\b", "schedules", error.field), error.reason) from None


def schedule_to_wire(schedule: Schedule) -> dict[str, Any]:
    """Write a schedule so that `schedule_from_wire` gives it back, with every optional value written out."""
    return {
        "timezone": schedule.timezone,
        "calendar": schedule.calendar,
        "expiration_time": schedule.expiration_time.isoformat("seconds"),
        "schedules": [_rule_to_wire(rule) for rule in schedule.rules],
    }


def _rule_to_wire(rule: Rule) -> dict[str, Any]:
    values = {
        name: list(value) if isinstance(value, tuple) else value for name, value in asdict(rule).items()
    }
    return {"rule_id": values.pop("rule_id"), "kind": rule.kind, **values}


def _rules_from_wire(wire: object) -> tuple[Rule, ...]:
    if not isinstance(wire, (list, tuple)):
        raise InvalidInput("schedules", "must be a list of rules")
    return tuple(_rule_from_wire(rule, f"schedules[{index}]") for index, rule in enumerate(wire))


def _rule_from_wire(wire: object, path: str) -> Rule:
    if not isinstance(wire, Mapping):
        raise InvalidInput(path, "must be an object")
    _refuse_unknown(wire, _RULE_FIELDS, path=f"{path}.")
    rule_type = _rule_type(wire.get("kind"), path)
    given = {name: value for name, value in wire.items() if name != "kind" and value is not None}
    allowed = {field.name: field for field in fields(rule_type)}
    for name in given:
        if name not in allowed:
            raise InvalidInput(f"{path}.{name}", f"is not a field of a {rule_type.kind} rule")
    for name, field in allowed.items():
        if field.default is MISSING and name not in given:
            raise InvalidInput(f"{path}.{name}", f"is required for a {rule_type.kind} rule")
    try:
        return rule_type(**given)
    except InvalidInput as error:
        raise error.under(path) from None


def _rule_type(kind: object, path: str) -> type[Rule]:
    if not isinstance(kind, str) or kind not in _RULE_TYPES:
        raise InvalidInput(f"{path}.kind", f"must be one of {', '.join(_RULE_TYPES)}")
    return _RULE_TYPES[kind]


def _time_from_wire(text: object) -> time:
    if isinstance(text, str) and _TIME_OF_DAY.fullmatch(text):
        return time.fromisoformat(text)
    raise InvalidInput("expiration_time", "must be a time of day as HH:MM or HH:MM:SS")


def _refuse_unknown(wire: Mapping[str, Any], known: Collection[str], *, path: str) -> None:
    for name in wire:
        if name not in known:
            raise InvalidInput(f"{path}{name}", "is not a known field")

"""Schedules as the mappings of the HTTP API, with errors that name the field the caller wrote."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import MISSING, fields
from datetime import date, time
from typing import Any, get_args

from optionchain.errors import InvalidInput
from optionchain.expirations.calendars import WEEKDAYS_V1
from optionchain.expirations.listed import SESSION_TIMES, SessionTime
from optionchain.expirations.rules import MonthlyRule, Rule, YearlyRule
from optionchain.expirations.schedule import Schedule, ScheduleLimits

_RULE_TYPES: dict[str, type[Rule]] = {rule_type.kind: rule_type for rule_type in get_args(Rule)}
# A rule of JSON that says nothing of it expires on the last of its weekday, as it always did.
_LAST = {"occurrence": -1}
_WIRE_DEFAULTS: dict[str, dict[str, Any]] = {"monthly": _LAST, "yearly": _LAST | {"month": 12}}
PRESETS: dict[str, tuple[type[Rule], dict[str, Any]]] = {
    "monthly_third_friday": (MonthlyRule, {"weekday": "Fri", "occurrence": 3}),
    "leaps": (YearlyRule, {"weekday": "Fri", "month": 1, "occurrence": 3}),
}
"""Kinds of rule that say what another would have to be told; an answer has the other."""
_SESSION_TIMES = frozenset(SESSION_TIMES)
_RULE_FIELDS = {"kind"} | {field.name for rule_type in _RULE_TYPES.values() for field in fields(rule_type)}
_SCHEDULE_FIELDS = {"timezone", "calendar", "expiration_time", "schedules"}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")


def schedule_from_wire(wire: Mapping[str, Any], limits: ScheduleLimits | None = None) -> Schedule:
    """Read a schedule.

    Args:
        wire: ``timezone``, ``expiration_time`` (HH:MM or HH:MM:SS, ``open`` or ``close``; it may be left out where
            the calendar is an exchange's), ``schedules`` (a list of rules) and optionally ``calendar``; an optional
            value may also be None. Monthly and yearly rules are of the last weekday where they have no ``occurrence``.
        limits: How much it may ask for; None allows the most there is.

    Raises:
        InvalidInput: A value is missing, unknown or out of range; the error has its path, such as
            ``schedules[1].target_count``.

    Example:
        >>> rule = {"rule_id": "leaps", "kind": "yearly", "target_count": 2, "weekday": "Fri"}
        >>> [yearly] = schedule_from_wire({"timezone": "UTC", "expiration_time": "16:00", "schedules": [rule]}).rules
        >>> yearly.month, yearly.occurrence
        (12, -1)
    """
    _refuse_unknown(wire, _SCHEDULE_FIELDS, path="")
    calendar = wire.get("calendar")
    has_hours = calendar not in (None, WEEKDAYS_V1)
    for required in ("timezone", "schedules") if has_hours else ("timezone", "expiration_time", "schedules"):
        if wire.get(required) is None:
            raise InvalidInput(required, "is required")
    rules = _rules_from_wire(wire["schedules"])
    at = wire.get("expiration_time")
    try:
        (limits or ScheduleLimits()).check(rules)
        return Schedule(
            timezone=wire["timezone"],
            expiration_time=None if at is None else _time_from_wire(at),
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
        "expiration_time": time_to_wire(schedule.expiration_time),
        "schedules": [rule_to_wire(rule) for rule in schedule.rules],
    }


def rule_to_wire(rule: Rule) -> dict[str, Any]:
    """Write a rule, without what is as if it said nothing of it."""
    values = {
        field.name: _FORMS.get(field.name, _as_it_is)(value)
        for field in fields(rule)
        if (value := getattr(rule, field.name)) != field.default or field.name in _ALWAYS_SHOWN
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
    kind = wire.get("kind")
    rule_type, said = _rule_type(kind, path)
    given = {name: value for name, value in wire.items() if name != "kind" and value is not None}
    allowed = {field.name: field for field in fields(rule_type) if field.name not in said}
    for name in given:
        if name not in allowed:
            raise InvalidInput(f"{path}.{name}", f"is not a field of a {kind} rule")
    for name, field in allowed.items():
        if field.default is MISSING and name not in given:
            raise InvalidInput(f"{path}.{name}", f"is required for a {kind} rule")
    try:
        if "expiration_time" in given:
            given["expiration_time"] = _time_from_wire(given["expiration_time"])
        if "changed_on" in given:
            given["changed_on"] = _date_from_wire(given["changed_on"])
        return rule_type(**(said or _WIRE_DEFAULTS.get(rule_type.kind, {})) | given)
    except InvalidInput as error:
        raise error.under(path) from None


def _rule_type(kind: object, path: str) -> tuple[type[Rule], dict[str, Any]]:
    """The type of a rule, and what its kind says of it already."""
    known: dict[str, tuple[type[Rule], dict[str, Any]]] = {
        name: (rule_type, {}) for name, rule_type in _RULE_TYPES.items()
    } | PRESETS
    if not isinstance(kind, str) or kind not in known:
        raise InvalidInput(f"{path}.kind", f"must be one of {', '.join(known)}")
    return known[kind]


def _time_from_wire(text: object) -> time | SessionTime:
    if isinstance(text, str) and _TIME_OF_DAY.fullmatch(text):
        return time.fromisoformat(text)
    if isinstance(text, str) and text in _SESSION_TIMES:
        return text
    raise InvalidInput("expiration_time", "must be a time of day as HH:MM or HH:MM:SS, open or close")


def _date_from_wire(text: object) -> date:
    if isinstance(text, str) and _DATE.fullmatch(text):
        with suppress(ValueError):
            return date.fromisoformat(text)
    raise InvalidInput("changed_on", "must be a date as YYYY-MM-DD")


def time_to_wire(at: time | SessionTime | None) -> str | None:
    """A time of day as HH:MM:SS, or open or close."""
    return at.isoformat("seconds") if isinstance(at, time) else at


def _as_it_is(value: Any) -> Any:
    return value


_FORMS: dict[str, Callable[[Any], Any]] = {
    "weekdays": list,
    "months": list,
    "expiration_time": time_to_wire,
    "changed_on": str,
}
# What the defaults of Python and of JSON differ in, and what has none.
_ALWAYS_SHOWN = frozenset({"rule_id", "target_count", "weekday", "weekdays", "month", "occurrence"})


def _refuse_unknown(wire: Mapping[str, Any], known: Collection[str], *, path: str) -> None:
    for name in wire:
        if name not in known:
            raise InvalidInput(f"{path}{name}", "is not a known field")

"""When a task is due, as callers write it: read, and refused by the field at fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol, get_args

from optionchain.declared.checks import finite, positive, whole
from optionchain.errors import InvalidInput
from optionchain.expirations.local_time import load_zone
from optionchain.tasks.schedule import Misfire, Schedule
from optionchain.tasks.timing import EVENTS, At, Cron, Every, Sessions, Timing, cronsim_of
from optionchain.wire.instants import instant_from_wire, whole_milliseconds

LONGEST_SECONDS = 366 * 86_400.0
LONGEST_OFFSET_MINUTES = 7 * 1440
LONGEST_EXPRESSION = 200
LONGEST_JITTER_SECONDS = 3600.0
MOST_CATCH_UP = 100


def schedule_from_wire(wire: Mapping[str, Any], now: datetime) -> Schedule:
    """Read ``timing``, and what else there is of ``jitter_seconds``, ``misfire``, ``catch_up`` and ``ends_at``.

    Raises:
        InvalidInput: Naming the field.
    """
    misfire: Misfire = wire.get("misfire") or "run_late"
    if misfire not in get_args(Misfire):
        raise InvalidInput("misfire", "must be run_late or skip")
    ends_at = wire.get("ends_at")
    return Schedule(
        timing=timing_from_wire(wire.get("timing"), now),
        jitter_seconds=finite(
            "jitter_seconds", wire.get("jitter_seconds") or 0.0, low=0.0, high=LONGEST_JITTER_SECONDS
        ),
        misfire=misfire,
        catch_up=whole("catch_up", wire.get("catch_up", 1), low=1, high=MOST_CATCH_UP),
        ends_at=None if ends_at is None else instant_from_wire("ends_at", ends_at),
    )


class _Reading(Protocol):
    def __call__(self, wire: Mapping[str, Any], now: datetime) -> Timing: ...


@dataclass(frozen=True, slots=True)
class _Form:
    """A form of timing on the wire."""

    read: _Reading
    others: frozenset[str] = frozenset()

    NAMES: ClassVar[str] = "at, every_seconds, cron or calendar"


def timing_from_wire(wire: object, now: datetime) -> Timing:
    """Read a timing.

    Args:
        wire: ``{"at"}``, ``{"every_seconds", "start"}``, ``{"cron", "timezone"}`` or ``{"calendar", "event",
            "offset_minutes"}``.
        now: When what is repeated begins unless it says so.

    Raises:
        InvalidInput: ``timing`` and below: it is none of these.
    """
    if not isinstance(wire, Mapping):
        raise InvalidInput("timing", f"must be an object with {_Form.NAMES}")
    known = [name for name in _FORMS if name in wire]
    if len(known) != 1:
        raise InvalidInput("timing", f"must have one of {_Form.NAMES}")
    form = _FORMS[known[0]]
    for name in wire:
        if name not in (known[0], *form.others):
            raise InvalidInput(f"timing.{name}", f"is unknown beside {known[0]}")
    try:
        return form.read(wire, now)
    except InvalidInput as error:
        raise error.under("timing") from None


def _at(wire: Mapping[str, Any], now: datetime) -> Timing:
    return At(whole_milliseconds(instant_from_wire("at", wire["at"])))


def _every(wire: Mapping[str, Any], now: datetime) -> Timing:
    seconds = positive("every_seconds", wire["every_seconds"], low=1.0, high=LONGEST_SECONDS)
    start = wire.get("start")
    begin = now if start is None else instant_from_wire("start", start)
    return Every(round(seconds, 3), whole_milliseconds(begin))


def _cron(wire: Mapping[str, Any], now: datetime) -> Timing:
    expression, timezone = wire["cron"], wire.get("timezone", "UTC")
    if not isinstance(expression, str) or len(expression) > LONGEST_EXPRESSION:
        raise InvalidInput("cron", "must be a text of five fields, or six with the seconds first")
    if not isinstance(timezone, str):
        raise InvalidInput("timezone", "must be an IANA time zone such as America/New_York")
    cron = Cron(" ".join(expression.split()), timezone)
    load_zone(timezone)
    cronsim_of(cron.expression, now)
    return cron


def _sessions(wire: Mapping[str, Any], now: datetime) -> Timing:
    calendar, event = wire["calendar"], wire.get("event", "close")
    if not isinstance(calendar, str):
        raise InvalidInput("calendar", "must be the name of an exchange calendar such as XNYS")
    if event not in EVENTS:
        raise InvalidInput("event", "must be open or close")
    bound = LONGEST_OFFSET_MINUTES
    offset = whole("offset_minutes", wire.get("offset_minutes", 0), low=-bound, high=bound)
    return Sessions(calendar, event, offset)


_FORMS: Mapping[str, _Form] = {
    "at": _Form(_at),
    "every_seconds": _Form(_every, frozenset({"start"})),
    "cron": _Form(_cron, frozenset({"timezone"})),
    "calendar": _Form(_sessions, frozenset({"event", "offset_minutes"})),
}

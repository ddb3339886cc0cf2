"""The JSON schema of a schedule's rules, for the OpenAPI document: the domain reads and checks them."""

from __future__ import annotations

from typing import Any

from optionchain.expirations.listed import AT_EXPIRY, MAX_EXPIRATIONS_PER_RULE, MOST_SESSIONS_BEFORE, WEEKDAYS
from optionchain.expirations.rules import LONGEST_LEAD, MOVES, OCCURRENCES
from optionchain.expirations.schedule import MAX_RULES

TIME_OF_DAY_PATTERN = r"^(([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?|open|close)$"
_WEEKDAY: dict[str, Any] = {"enum": list(WEEKDAYS)}


def schedules_schema() -> dict[str, Any]:
    """1 to 16 rules; that their ids differ and how much they may ask for in all, a schema cannot say."""
    weekday = {"weekday": _WEEKDAY | {"description": "Of the month, by `occurrence`"}}
    occurrence = {
        "occurrence": {
            "enum": list(OCCURRENCES),
            "default": -1,
            "description": "Which of the month's, -1 for the last; an answer always has it",
        }
    }
    moved = {
        "holiday": {
            "enum": list(MOVES),
            "description": "Where a holiday moves an expiration; absent means as the exchange does",
        },
        "changed_on": {
            "type": "string",
            "format": "date",
            "description": "From then on it expires on the weekday `changed_to`; both or neither",
        },
        "changed_to": {"enum": list(WEEKDAYS)},
    }
    month = {"month": {"type": "integer", "minimum": 1, "maximum": 12, "default": 12}}
    monthly = {
        "months": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 12}, "minItems": 1},
        "lead_days": {
            "type": "integer",
            "minimum": 0,
            "maximum": LONGEST_LEAD,
            "default": 0,
            "description": "So many days before that day",
        },
    }
    before = {
        "sessions_before": {
            "type": "integer",
            "minimum": 0,
            "maximum": MOST_SESSIONS_BEFORE,
            "default": 0,
            "description": "So many sessions before that day",
        }
    }
    weekdays = {"weekdays": {"type": "array", "items": _WEEKDAY, "minItems": 1, "uniqueItems": True}}
    kinds = [
        _rule("daily", {}),
        _rule("weekly", weekdays, optional=moved),
        _rule("monthly", weekday, optional=occurrence | moved | monthly),
        _rule("yearly", weekday, optional=month | occurrence | moved),
        _rule("month_end", {}, optional={"months": monthly["months"]}),
        _rule("month_day", {"day": {"type": "integer", "minimum": 1, "maximum": 31}}, optional=before),
        _rule("monthly_third_friday", {}, optional=moved | monthly),
        _rule("leaps", {}, optional=moved),
    ]
    return {"type": "array", "items": {"oneOf": kinds}, "minItems": 1, "maxItems": MAX_RULES}


def _rule(kind: str, own: dict[str, Any], *, optional: dict[str, Any] | None = None) -> dict[str, Any]:
    shared = {
        "rule_id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        "kind": {"const": kind},
        "target_count": {"type": "integer", "minimum": 1, "maximum": MAX_EXPIRATIONS_PER_RULE},
    }
    of_all = {
        "expiration_time": {
            "type": "string",
            "pattern": TIME_OF_DAY_PATTERN,
            "description": "Of its own; absent means the schedule's, or the session's of `settlement`",
        },
        "settlement": {"enum": list(AT_EXPIRY), "description": "By the opening, or by the close"},
        "root": {"type": "string", "pattern": "^[A-Z0-9]{1,6}$", "description": "Absent means the symbol"},
        "last_trade_sessions": {
            "type": "integer",
            "minimum": 0,
            "maximum": MOST_SESSIONS_BEFORE,
            "default": 0,
            "description": "Trading ends at the close of the session so many before the day of expiration",
        },
    }
    return {
        "type": "object",
        "title": kind,
        "properties": shared | own | (optional or {}) | of_all,
        "required": [*shared, *own],
    }

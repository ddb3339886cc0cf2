"""The JSON schema of a schedule's rules, for the OpenAPI document: the domain reads and checks them."""

from __future__ import annotations

from typing import Any

from optionchain.expirations.rules import MAX_EXPIRATIONS_PER_RULE, WEEKDAYS
from optionchain.expirations.schedule import MAX_RULES

TIME_OF_DAY_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"
_WEEKDAY: dict[str, Any] = {"enum": list(WEEKDAYS)}


def schedules_schema() -> dict[str, Any]:
    """1 to 16 rules; that their ids differ and how much they may ask for in all, a schema cannot say."""
    last = {"weekday": _WEEKDAY | {"description": "The last such day of the month"}}
    month = {"month": {"type": "integer", "minimum": 1, "maximum": 12, "default": 12}}
    weekdays = {"weekdays": {"type": "array", "items": _WEEKDAY, "minItems": 1, "uniqueItems": True}}
    kinds = [
        _rule("daily", {}),
        _rule("weekly", weekdays),
        _rule("monthly", last),
        _rule("yearly", last, optional=month),
    ]
    return {"type": "array", "items": {"oneOf": kinds}, "minItems": 1, "maxItems": MAX_RULES}


def _rule(kind: str, own: dict[str, Any], *, optional: dict[str, Any] | None = None) -> dict[str, Any]:
    shared = {
        "rule_id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        "kind": {"const": kind},
        "target_count": {"type": "integer", "minimum": 1, "maximum": MAX_EXPIRATIONS_PER_RULE},
    }
    return {
        "type": "object",
        "title": kind,
        "properties": shared | own | (optional or {}),
        "required": [*shared, *own],
    }

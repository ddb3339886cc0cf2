"""Instants as the wire writes them: RFC 3339 in UTC with a `Z`."""

from __future__ import annotations

from datetime import UTC, datetime

from optionchain.errors import InvalidInput


def instant_to_wire(instant: datetime) -> str:
    """``2026-01-05T14:30:00Z``; microseconds only where there are any.

    Example:
        >>> instant_to_wire(datetime(2026, 1, 5, 14, 30, tzinfo=UTC))
        '2026-01-05T14:30:00Z'
    """
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def whole_milliseconds(instant: datetime) -> datetime:
    """An instant as MongoDB keeps it: without what is below a millisecond, so that what was returned is what is read.

    Example:
        >>> instant_to_wire(whole_milliseconds(datetime(2026, 1, 5, 14, 30, 0, 678_999, tzinfo=UTC)))
        '2026-01-05T14:30:00.678000Z'
    """
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def instant_from_wire(field: str, text: object) -> datetime:
    """Read an RFC 3339 instant with an offset.

    Raises:
        InvalidInput: It is not one.
    """
    if not isinstance(text, str):
        raise InvalidInput(field, "must be a text such as 2026-01-05T14:30:00Z")
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(field, "must be an RFC 3339 instant such as 2026-01-05T14:30:00Z") from error
    raise InvalidInput(field, "must have an offset: 2026-01-05T14:30:00Z or 2026-01-05T09:30:00-05:00")

"""Named configurations: immutable versions of JSON values, and who wrote them when."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from optionchain.declared.checks import whole
from optionchain.errors import InvalidInput

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_BYTES = 256 << 10
MAX_DEPTH = 16


def configuration_name(value: object, field: str = "name") -> str:
    """Return the name of a configuration.

    Raises:
        InvalidInput: It is not 1 to 64 of the characters A-Z a-z 0-9 _ -
    """
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise InvalidInput(field, "must be 1 to 64 of the characters A-Z a-z 0-9 _ -")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One version of a configuration; a stored version never changes.

    Attributes:
        name: Which configuration.
        version: 1 for the first; the next is one more.
        values: JSON values by key; keys have neither dots nor a dollar sign at their start.
        saved_by: Who wrote it.
        saved_at: When, with a UTC offset.
        is_secret: Whether its values are encrypted wherever they are stored, and shown to administrators alone.

    Raises:
        InvalidInput: The name, a key or the size is not allowed.
    """

    name: str
    version: int
    values: Mapping[str, Any]
    saved_by: str
    saved_at: datetime
    is_secret: bool = False

    def __post_init__(self) -> None:
        configuration_name(self.name)
        whole("version", self.version, low=1, high=2**31 - 1)
        if not isinstance(self.values, Mapping):
            raise InvalidInput("values", "must be an object")
        _check_json(self.values, "values", MAX_DEPTH)
        if len(encoded(self.values)) > MAX_BYTES:
            raise InvalidInput("values", f"must be at most {MAX_BYTES} bytes of JSON")
        if self.saved_at.tzinfo is None:
            raise InvalidInput("saved_at", "must have a UTC offset")


@dataclass(frozen=True, slots=True)
class ConfigurationSummary:
    """The latest version of a configuration, without its values."""

    name: str
    version: int
    saved_by: str
    saved_at: datetime


def encoded(values: Mapping[str, Any]) -> bytes:
    """The values as JSON, keys in order: the same for the same values.

    Raises:
        InvalidInput: Something in them is no JSON.

    Example:
        >>> encoded({"b": 1, "a": [2.5, None]})
        b'{"a":[2.5,null],"b":1}'
    """
    try:
        return orjson.dumps(values, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise InvalidInput("values", f"must be JSON: {error}") from None


def _check_json(value: object, field: str, depth: int) -> None:
    if depth == 0:
        raise InvalidInput(field, f"must be nested at most {MAX_DEPTH} deep")
    match value:
        case Mapping():
            for key, inner in value.items():
                _check_key(key, field)
                _check_json(inner, f"{field}.{key}", depth - 1)
        case list() | tuple():
            for index, inner in enumerate(value):
                _check_json(inner, f"{field}[{index}]", depth - 1)
        case float() if not math.isfinite(value):
            raise InvalidInput(field, "must be a finite number")
        case int() if not -(2**63) <= value < 2**63:
            raise InvalidInput(field, "must be a whole number of 64 bits")
        case None | bool() | int() | float() | str():
            return
        case _:
            raise InvalidInput(
                field, "must be JSON: null, true, false, a number, a text, a list or an object"
            )


def _check_key(key: object, field: str) -> None:
    if not isinstance(key, str) or not key:
        raise InvalidInput(field, "every key must be a non-empty text")
    if key.startswith("$") or "." in key or "\0" in key:
        raise InvalidInput(field, "a key must not begin with $ and must not contain a dot")

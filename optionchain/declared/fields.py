"""What a caller may set, declared once: its check, its JSON and its schema.

A field of a dataclass that a caller may set is annotated with a `Parameter`::

    speed: Annotated[float, Number("Speed of mean reversion, per year.", low=0.0, high=1e4)]

`declared` reads the annotations, and `settle`, called in ``__post_init__``, applies every one of them.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cache
from inspect import Signature, signature
from itertools import pairwise
from typing import Any, Protocol, get_args, get_type_hints, runtime_checkable

from optionchain.declared.checks import finite, positive, whole
from optionchain.declared.limits import HIGHEST_PATH
from optionchain.errors import InvalidInput

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@runtime_checkable
class Parameter(Protocol):
    """What one field allows."""

    def check(self, field: str, value: object) -> object:
        """The value to keep for one that a caller gave, in Python or in JSON.

        Raises:
            InvalidInput: The value is not allowed; the error names `field`.
        """
        ...

    def to_wire(self, value: Any) -> object:
        """The JSON of a kept value."""
        ...

    def schema(self) -> dict[str, Any]:
        """The JSON schema of what `check` allows."""
        ...


def called(name: str, parameter: Parameter) -> str:
    """What JSON and messages call a field: its own name, unless Python has the word for itself."""
    return getattr(parameter, "called", name)


@dataclass(frozen=True, slots=True)
class Number(Parameter):
    """A finite number between two bounds.

    Attributes:
        about: Meaning and unit, for the schema.
        low: Least value.
        high: Greatest value.
        above: Whether the value must be greater than zero as well.
    """

    about: str
    low: float = 0.0
    high: float = HIGHEST_PATH
    above: bool = False

    def check(self, field: str, value: object) -> float:
        # Nearly always it is a float within the bounds, and a session has a dozen.
        if type(value) is float and self.low <= value <= self.high and (value > 0.0 or not self.above):
            return value
        check = positive if self.above else finite
        return check(field, value, low=self.low, high=self.high)

    def to_wire(self, value: float) -> float:
        return value

    def schema(self) -> dict[str, Any]:
        is_open = self.above and self.low <= 0.0
        low = {"exclusiveMinimum": 0.0} if is_open else {"minimum": self.low}
        return {"type": "number", **low, "maximum": self.high, "description": self.about}


@dataclass(frozen=True, slots=True)
class Whole(Parameter):
    """A whole number between two bounds.

    Attributes:
        about: Meaning and unit, for the schema.
        low: Least value.
        high: Greatest value.
    """

    about: str
    low: int
    high: int

    def check(self, field: str, value: object) -> int:
        if type(value) is int and self.low <= value <= self.high:
            return value
        return whole(field, value, low=self.low, high=self.high)

    def to_wire(self, value: int) -> int:
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high, "description": self.about}


@dataclass(frozen=True, slots=True)
class Text(Parameter):
    """A text of printable characters, not blank.

    Attributes:
        about: Meaning, for the schema.
        longest: Most characters.
        example: For the schema.
    """

    about: str
    longest: int
    example: str

    def check(self, field: str, value: object) -> str:
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise InvalidInput(field, "must be a non-empty text of printable characters")
        if len(value) > self.longest:
            raise InvalidInput(field, f"must have at most {self.longest} characters")
        return value

    def to_wire(self, value: str) -> str:
        return value

    def schema(self) -> dict[str, Any]:
        # Visible ASCII; what else is printable is accepted as well.
        pattern = f"^[!-~]{{1,{self.longest}}}$"
        return {"type": "string", "pattern": pattern, "examples": [self.example], "description": self.about}


@dataclass(frozen=True, slots=True)
class Choice(Parameter):
    """One of a few words.

    Attributes:
        about: Meaning, for the schema.
        words: Those that are allowed.
    """

    about: str
    words: tuple[str, ...]

    def check(self, field: str, value: object) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise InvalidInput(field, f"must be {' or '.join(self.words)}")
        return value

    def to_wire(self, value: str) -> str:
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.words), "description": self.about}


@dataclass(frozen=True, slots=True)
class Pairs(Parameter):
    """A list of pairs whose first values ascend: numbers, or dates.

    Attributes:
        about: Meaning and units, for the schema.
        first: What the first of a pair allows; None is a date.
        second: What the other allows.
        most: Pairs.
    """

    about: str
    first: Number | None
    second: Number
    most: int

    def check(self, field: str, value: object) -> tuple[tuple[float | str, float], ...]:
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= self.most:
            raise InvalidInput(field, f"must be a list of 1 to {self.most} pairs")
        pairs = [self._pair(f"{field}[{index}]", pair) for index, pair in enumerate(value)]
        for index, (before, after) in enumerate(pairwise(pairs), start=1):
            if not before[0] < after[0]:  # type: ignore[operator]  # both are dates, or both numbers
                raise InvalidInput(f"{field}[{index}]", f"must come after {before[0]}")
        return tuple(pairs)

    def to_wire(self, value: Any) -> object:
        return [list(pair) for pair in value]

    def schema(self) -> dict[str, Any]:
        first = {"type": "string", "format": "date"} if self.first is None else self.first.schema()
        pair = {"type": "array", "prefixItems": [first, self.second.schema()], "minItems": 2, "maxItems": 2}
        return {
            "type": "array",
            "items": pair,
            "minItems": 1,
            "maxItems": self.most,
            "description": self.about,
        }

    def _pair(self, field: str, pair: object) -> tuple[float | str, float]:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise InvalidInput(field, "must be a pair")
        first, second = pair
        at = self.first.check(field, first) if self.first is not None else _day(field, first)
        return at, self.second.check(field, second)


@dataclass(frozen=True, slots=True)
class Days(Parameter):
    """A list of dates that ascend.

    Attributes:
        about: Meaning, for the schema.
        most: Dates.
    """

    about: str
    most: int

    def check(self, field: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= self.most:
            raise InvalidInput(field, f"must be a list of 1 to {self.most} dates")
        days = tuple(_day(f"{field}[{index}]", day) for index, day in enumerate(value))
        for index, (before, after) in enumerate(pairwise(days), start=1):
            if not before < after:
                raise InvalidInput(f"{field}[{index}]", f"must come after {before}")
        return days

    def to_wire(self, value: Any) -> object:
        return list(value)

    def schema(self) -> dict[str, Any]:
        days = {"type": "array", "items": {"type": "string", "format": "date"}, "minItems": 1}
        return days | {"maxItems": self.most, "description": self.about}


def _day(field: str, value: object) -> str:
    if isinstance(value, str) and _DAY.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value).isoformat()
    raise InvalidInput(field, "must begin with a date such as 2026-03-20")


@dataclass(frozen=True, slots=True)
class Omission:
    """A request may leave the parameter out, or say null.

    Attributes:
        means: What happens then; empty for the default.
        is_configurable: The default is that of the configuration `simulator`.
        is_silent: What has the default is neither shown nor kept: answers, checkpoints and files are as they were
            before the parameter was known.
    """

    means: str = ""
    is_configurable: bool = False
    is_silent: bool = False


@cache
def declared(kind: type) -> dict[str, Parameter]:
    """The parameters of a dataclass by field, in the order in which they are declared."""
    hints = get_type_hints(kind, include_extras=True).items()
    return {name: note for name, hint in hints for note in get_args(hint) if isinstance(note, Parameter)}


@cache
def defaults(kind: type) -> dict[str, Any]:
    """The parameters of a dataclass that have a default, which may be None."""
    arguments = signature(kind).parameters
    given = {name: arguments[name].default for name in declared(kind)}
    return {name: default for name, default in given.items() if default is not Signature.empty}


@cache
def _nullable(kind: type) -> frozenset[str]:
    return frozenset(name for name, default in defaults(kind).items() if default is None)


def settle(value: object) -> None:
    """Check every parameter of a dataclass that is being made, and keep its normal form. None is allowed where it is
    the default.

    Raises:
        InvalidInput: One is not allowed; the error names its field.
    """
    kind: type = value.__class__
    may_be_none = _nullable(kind)
    for name, parameter in declared(kind).items():
        given = getattr(value, name)
        if given is not None or name not in may_be_none:
            object.__setattr__(value, name, parameter.check(called(name, parameter), given))

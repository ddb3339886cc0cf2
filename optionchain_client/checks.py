"""What the client refuses by itself, before it is sent: names that nobody knows, and numbers that JSON has not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from optionchain_client.parameters import Rule, SweepBase

# One slip, and one more for every so many letters, and a name may have been meant.
LETTERS_A_SLIP = 4


def checked(kind: type, what: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters that were given.

    Args:
        kind: The TypedDict whose names they may have.
        what: What has such parameters, for the error.
        given: The parameters.

    Raises:
        TypeError: A name is unknown; the nearest known one is named.
        ValueError: A number is NaN or infinite; its field is named.
    """
    _check_names("", given, kind, what)
    if isinstance(base := given.get("base"), Mapping):
        _check_names("base.", base, SweepBase, "a sweep's base")
    refuse_not_finite("", given)
    return given


def names_of(kind: type) -> frozenset[str]:
    """The keys of a TypedDict."""
    return frozenset(kind.__annotations__)


def refuse_unknown(prefix: str, given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Raise a TypeError that names the first unknown key and the known one that was meant."""
    for name in given:
        if name not in known:
            slips, near = min((_slips(name, other), other) for other in known)
            is_meant = slips <= 1 + len(name) // LETTERS_A_SLIP
            hint = f"did you mean {near}?" if is_meant else f"it has {', '.join(sorted(known))}"
            raise TypeError(f"{prefix}{name} is no parameter of {what}: {hint}")


def refuse_not_finite(field: str, value: Any) -> None:
    """Raise a ValueError that names the number that is not finite, in a value or, without a field, in a body."""
    match value:
        case float() if not math.isfinite(value):
            raise ValueError(f"{field} is {value}, which is no finite number")
        case Mapping():
            for name, inner in value.items():
                refuse_not_finite(f"{field}.{name}" if field else name, inner)
        case list() | tuple():
            for index, inner in enumerate(value):
                refuse_not_finite(f"{field}[{index}]", inner)
        case _ if hasattr(value, "tolist"):  # of NumPy and its like
            refuse_not_finite(field, value.tolist())


def _check_names(prefix: str, given: Mapping[str, Any], kind: type, what: str) -> None:
    refuse_unknown(prefix, given, names_of(kind), what)
    schedules = given.get("schedules")
    for index, rule in enumerate(schedules if isinstance(schedules, list | tuple) else ()):
        if isinstance(rule, Mapping):
            refuse_unknown(f"{prefix}schedules[{index}].", rule, names_of(Rule), "a rule")


def _slips(name: str, other: str) -> int:
    """Letters to add, leave out or change: Levenshtein's distance. `difflib` takes `sead` for `spread`, not `seed`."""
    row = list(range(len(other) + 1))
    for row_index, letter in enumerate(name, start=1):
        diagonal, row[0] = row[0], row_index
        for column, counterpart in enumerate(other, start=1):
            changed = diagonal + (letter != counterpart)
            diagonal, row[column] = row[column], min(changed, row[column] + 1, row[column - 1] + 1)
    return row[-1]

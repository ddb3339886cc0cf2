"""Reading documents of JSON or YAML: each reader names what is wrong in the words of who wrote it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from optionchain.errors import InvalidInput

# Of a name that is unknown: comparing takes its length times that of all known ones.
LONGEST_LOOKED_FOR = 64


def named_values(field: str, value: object) -> Mapping[str, Any]:
    """Read an object.

    Raises:
        InvalidInput: It is none, or a name of it is no text.
    """
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise InvalidInput(field or "sweep", "must be an object with named values")
    return value


def listed(field: str, document: Mapping[str, Any]) -> list[Any]:
    """Read the list that is a field of a document.

    Raises:
        InvalidInput: It is none.
    """
    value = document[field]
    if not isinstance(value, list):
        raise InvalidInput(field, "must be a list")
    return value


def single(field: str, wire: object) -> tuple[str, Any]:
    """Read an object of one name, such as ``{"short_strangle": {"delta": 0.16}}``, with no terms where it has null.

    Raises:
        InvalidInput: It is none.
    """
    if not isinstance(wire, Mapping) or len(wire) != 1:
        raise InvalidInput(field, "must be a name, or an object with one key, the name")
    ((name, terms),) = wire.items()
    return name, {} if terms is None else terms


def refuse_unknown(field: str, given: Mapping[str, Any], known: Sequence[str]) -> None:
    """Check that an object has known names only.

    Raises:
        InvalidInput: It has another; the reason says what may have been meant.
    """
    for name in given:
        if name not in known:
            meant = nearest(name, known)
            hint = f": did you mean {meant}?" if meant else ""
            raise InvalidInput(f"{field}.{name}" if field else str(name), f"is not a known key{hint}")


def nearest(name: object, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, looked for by the beginning of a long one."""
    meant = difflib.get_close_matches(str(name)[:LONGEST_LOOKED_FOR], sorted(known), n=1, cutoff=0.6)
    return meant[0] if meant else None

"""What a measure is called, which version of itself it is, and which measures a document can name.

A measure of the library is marked where it is written; documents, the OpenAPI text and the command line follow::

    @named
    def terminal_price(block): ...
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from optionchain.errors import InvalidInput
from optionchain.measures.path_block import Measure

Marked = TypeVar("Marked", bound=Callable[..., Any])

PLAIN_MEASURES: dict[str, Measure] = {}
"""Measures that a document names as they are."""
MEASURES_WITH_TERMS: dict[str, Callable[..., Measure]] = {}
"""Functions that make a measure of terms, by the names that documents use."""

ENTRY_POINTS = "optionchain.measures"
"""The group of entry points by which installed distributions name modules that mark measures."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}")


def named(measure: Marked) -> Marked:
    """Mark a measure that documents may name."""
    PLAIN_MEASURES[measure.__name__] = measure
    return measure


def named_with_terms(make: Marked) -> Marked:
    """Mark a function whose measures documents may describe by its name and terms."""
    MEASURES_WITH_TERMS[make.__name__] = make
    return make


@cache
def load_entry_points() -> None:
    """Import what installed distributions name, once.

    Raises:
        InvalidInput: One cannot be loaded; it is named.
    """
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        try:
            point.load()
        except Exception as error:
            reason = f"the entry point {point.name} of {ENTRY_POINTS} cannot be loaded: {error}"
            raise InvalidInput("measures", reason) from error


def measure(*, version: str | int, name: str | None = None) -> Callable[[Marked], Marked]:
    """Say which version of itself a measure is, in place of its source.

    A sweep knows a function again by its source and by that of all it uses. Where these cannot be read, or do not
    say it all (a file of prices, a service), a version does: raise it whenever the numbers change.

    Args:
        version: Any text or number; another one makes another sweep.
        name: Of the result's columns; the function's own where it is None.

    Example:
        >>> @measure(version=2)
        ... def ends_above(block):
        ...     return (block.prices[:, -1] > 100.0).astype(float)
        >>> ends_above.version
        2
    """

    def marked(function: Marked) -> Marked:
        attributes = {"version": version} | ({} if name is None else {"name": name})
        for attribute, value in attributes.items():
            setattr(function, attribute, value)
        return function

    return marked


def measure_name(measure: Measure) -> str:
    """The measure's `name`, or the function's own.

    Raises:
        InvalidInput: It has none, or one that is no column's.
    """
    name = getattr(measure, "name", None) or getattr(measure, "__name__", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidInput(
            "measures", f"{measure!r} needs a name: define it with `def`, or give it an attribute `name`"
        )
    return name


def is_profit(measure: Measure) -> bool:
    """Whether the measure is a profit and loss, whose tail is a risk."""
    return bool(getattr(measure, "is_profit_and_loss", False))

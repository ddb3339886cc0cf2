"""What a formula is written with, so that one source gives the same bytes as machine code and as plain NumPy.

A formula is arithmetic on 64-bit floats, comparisons, and the three functions below. IEEE 754 settles every one of
these operations to the last bit, so what a formula gives depends neither on the processor nor on what evaluates it:
there is no call of the C library, whose exp and log differ between machines, and no fused multiply-add.

Evaluated by NumPy its arguments are arrays; compiled (see `optionchain.numerics.engine`) they are single numbers in a
loop. Hence no `if` on an argument: `select` takes one of two values that are both computed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import numpy as np

Number: TypeAlias = Any
"""A float in compiled code, an array of them in NumPy."""
Word: TypeAlias = Any
"""A signed 64-bit integer, or an array of them."""

F = TypeVar("F", bound=Callable[..., Any])

FORMULAS: list[Callable[..., Any]] = []
"""Every formula, in the order of definition."""


def formula(function: F) -> F:
    """Make a function known to the compiler; it stays as it is."""
    FORMULAS.append(function)
    return function


def routine(function: F) -> F:
    """Make a piece of a loop over arrays known to the compiler; NumPy does the same otherwise."""
    return formula(function)


def select(condition: Any, one: Number, other: Number) -> Number:
    """`one` where the condition holds, `other` elsewhere, NaN being no number that anything holds for."""
    return np.where(condition, one, other)


def bits_of(number: Number) -> Word:
    """The 64 bits of a float."""
    return number.view(np.int64)


def float_of(bits: Word) -> Number:
    """The float that has these 64 bits."""
    return bits.view(np.float64)

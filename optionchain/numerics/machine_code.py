"""Formulas as numba compiles them: what `select`, `bits_of` and `float_of` are for a single number.

Only `optionchain.numerics.engine` imports this, when something is compiled. Neither fast-math nor contraction is on,
so LLVM may reorder nothing and fuses no multiplication with an addition.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload, register_jitable

from optionchain.numerics import formula

# Divisions by zero give infinity, as in NumPy, and every formula is copied into the loop that calls it.
_OPTIONS = {"error_model": "numpy", "forceinline": True}


@intrinsic
def _bits(context: Any, number: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), generate


@intrinsic
def _float(context: Any, bits: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), generate


@intrinsic
def _chosen(context: Any, condition: Any, one: Any, other: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(*arguments)

    return types.float64(types.boolean, types.float64, types.float64), generate


@overload(formula.bits_of, jit_options=_OPTIONS, strict=False)
def _bits_of(number: Any) -> Callable[..., Any]:
    return lambda number: _bits(number)  # noqa: PLW0108  numba compiles what it is given


@overload(formula.float_of, jit_options=_OPTIONS, strict=False)
def _float_of(bits: Any) -> Callable[..., Any]:
    return lambda bits: _float(bits)  # noqa: PLW0108  likewise


@overload(formula.select, jit_options=_OPTIONS, strict=False)
def _select(condition: Any, one: Any, other: Any) -> Callable[..., Any]:
    return lambda condition, one, other: _chosen(condition, float(one), float(other))


_KNOWN: set[Callable[..., Any]] = set()


def compiled(signature: str, loop: Callable[..., None]) -> Callable[..., None]:
    """The loop as machine code for this signature, from the place where numba keeps it or made now."""
    for each in formula.FORMULAS:
        if each not in _KNOWN:
            register_jitable(**_OPTIONS)(each)
            _KNOWN.add(each)
    dispatcher = numba.njit(signature, error_model="numpy", cache=True, nogil=True)(loop)
    result: Callable[..., None] = dispatcher
    return result

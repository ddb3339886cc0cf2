"""Whether an answer is a replay of another: byte by byte where one arithmetic made both, number by number otherwise."""

from __future__ import annotations

import math
from typing import Any

import orjson

from optionchain.numerics import IDENTITY

# Of what another arithmetic gives; its last digits differ, and every later number follows from them.
RELATIVE, ABSOLUTE = 1e-9, 1e-9
# A price that is halfway between two quotes may be rounded to either.
QUOTED, TICK = ("bid", "ask"), 0.01


def is_replay(answer: bytes, ours: bytes, numerics: str) -> bool:
    """Whether an answer is what it must be.

    Args:
        answer: JSON that a service gave.
        ours: The same answer, computed here.
        numerics: The identity of the service's arithmetic; its `numerics`.

    Returns:
        Whether they are equal to the byte, if that is the arithmetic of this process; otherwise whether they have the
        same fields and texts, numbers within 1e-9, and bids and asks within a cent.

    Example:
        >>> is_replay(b'{"price":100.00000000000001}', b'{"price":100.0}', "libraries")
        True
        >>> is_replay(b'{"price":100.00000000000001}', b'{"price":100.0}', IDENTITY)
        False
    """
    if numerics == IDENTITY:
        return answer == ours
    try:
        return _is_close(orjson.loads(answer), orjson.loads(ours), ABSOLUTE)
    except orjson.JSONDecodeError:
        return False


def _is_close(left: Any, right: Any, tolerance: float) -> bool:
    match left, right:
        case dict(), dict():
            return left.keys() == right.keys() and all(
                _is_close(value, right[name], 1.5 * TICK if name in QUOTED else ABSOLUTE)
                for name, value in left.items()
            )
        case list(), list():
            return len(left) == len(right) and all(
                _is_close(one, other, tolerance) for one, other in zip(left, right, strict=True)
            )
        case float() | int(), float() | int() if not isinstance(left, bool) and not isinstance(right, bool):
            return math.isclose(left, right, rel_tol=RELATIVE, abs_tol=tolerance)
    return bool(left == right)

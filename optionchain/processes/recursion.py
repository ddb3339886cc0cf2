"""Recursions over the steps of a path, for the models whose next step depends on the last."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

import numpy as np

from optionchain.arrays import Paths

# Below this many paths a loop over Python floats is faster than one over NumPy columns (measured: 12 to 25).
FEW_PATHS = 16


def recur(step: Callable[[Any, Any], Any], start: float, draws: Paths) -> Paths:
    """The states ``start, step(start, draws[:, 0]), step(..., draws[:, 1]), ...`` of each path.

    Args:
        step: Next state from the state and the draw. It is given Python floats where the paths are few and
            ``[paths]`` arrays where they are many, and must give the same bits for both: plain arithmetic
            does, and so do the functions of `optionchain.numerics`.
        start: State at step 0.
        draws: ``[paths, moves]``.

    Returns:
        ``[paths, moves + 1]``.

    Example:
        >>> recur(lambda state, draw: state / 2 + draw, 8.0, np.array([[1.0, 0.5]]))
        array([[8., 5., 3.]])
    """
    if len(draws) < FEW_PATHS:
        return np.array([list(accumulate(path, step, initial=start)) for path in draws.tolist()])
    states = np.empty((draws.shape[1] + 1, len(draws)))
    states[0] = start
    for move, column in enumerate(np.ascontiguousarray(draws.T)):
        states[move + 1] = step(states[move], column)
    return np.ascontiguousarray(states.T)

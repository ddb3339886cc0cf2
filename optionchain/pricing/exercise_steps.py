"""Steps of the heat equation for many contracts at once, with and without the right to exercise.

All contracts obey the same tridiagonal matrix, so that its pivots are found once a step, and a few contracts go through
all steps of a stretch while what they need is in the processor's cache.

Source:
    S. Ikonen, J. Toivanen, "Operator splitting methods for American option pricing", 2004: the pressure, which holds a
    price at what exercise brings, is taken from the step before, and mended after each.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TypeAlias

import numpy as np

from optionchain.arrays import Floats
from optionchain.numerics import Kernel
from optionchain.numerics.formula import routine, select

# To expiration, the least of a stretch, and those of them that are implicit.
_STEPS, _FEWEST_STEPS, _IMPLICIT_STEPS = 80, 8, 2
# Contracts that go through a stretch together.
_BLOCK = 32


class Value(IntEnum):
    """What `march` moves: with the right, without it, and the pressure by which the right holds prices up."""

    HELD = 0
    EUROPEAN = 1
    PRESSURE = 2


Stretch: TypeAlias = Floats
"""``[steps, 4]``: the length of each, its weight, that of what is known before it, and 1.0 where one may exercise."""


def stretch_of(length: float, years: float, *, is_exercisable: bool) -> Stretch:
    """The steps of a stretch, without weights: the first ones implicit, by halves, which jumps need.

    Args:
        length: Years, > 0.
        years: To expiration.
        is_exercisable: Whether one may exercise at every step.
    """
    count = max(_FEWEST_STEPS, round(_STEPS * length / years))
    halves = 2 * _IMPLICIT_STEPS
    stretch = np.zeros((halves + count - _IMPLICIT_STEPS, 4))
    stretch[:, 0] = length / count
    stretch[:halves, 0] *= 0.5
    stretch[halves:, 2] = 1.0
    stretch[:, 3] = float(is_exercisable)
    return stretch


def march(
    values: Floats, start: Floats, exercised: Floats, edges: Floats, growths: Floats, stretch: Stretch
) -> None:
    """Take contracts back through the steps of a stretch.

    Args:
        values: ``[3, nodes, contracts]`` in the order of `Value`; written to.
        start: ``[nodes, contracts]`` what they are priced on, on each node now.
        exercised: ``[steps, 2, contracts]`` the slope and the constant of what exercise brings by the start; what is
            below zero is nothing.
        edges: ``[steps, 2, 2, contracts]`` of those that hold the right and of those that do not, on the first and the
            last node.
        growths: ``[steps]`` half the length of each over the square of the distance of nodes.
        stretch: ``[steps, 4]`` as `Stretch` has it; weights are filled in from the growths.
    """
    stretch[:, 1] = np.where(stretch[:, 2] > 0.0, 0.5 * growths, growths)
    stretch[:, 2] = np.where(stretch[:, 2] > 0.0, 0.5 * growths, 0.0)
    known: dict[float, Floats] = {}
    for weight in stretch[:, 1].tolist():
        if weight not in known:
            known[weight] = _pivots(weight, len(start))
    pivots = np.array([known[weight] for weight in stretch[:, 1].tolist()])
    _MARCH(values, start, exercised, edges, pivots, stretch)


def _pivots(weight: float, nodes: int) -> Floats:
    """Of the matrix whose first and last rows are those of the identity."""
    pivots = np.zeros(nodes)
    for row in range(1, nodes - 1):
        pivots[row] = 1.0 / (1.0 + 2.0 * weight - weight * weight * pivots[row - 1])
    return pivots


@routine
def _eliminate(
    values: Floats,
    pressure: Floats,
    edges: Floats,
    pivots: Floats,
    length: float,
    weight: float,
    known: float,
    solved: Floats,
) -> None:
    """The way down the matrix: each row without those before it."""
    solved[0] = edges[0]
    for row in range(1, values.shape[0] - 1):
        above, here, below, pressed, before = (
            values[row - 1],
            values[row],
            values[row + 1],
            pressure[row],
            solved[row - 1],
        )
        pivot, to = pivots[row], solved[row]
        for each in range(to.size):
            bend = above[each] + below[each] - 2.0 * here[each]
            given = here[each] + length * pressed[each] + known * bend
            to[each] = (given + weight * before[each]) * pivot
    solved[values.shape[0] - 1] = edges[1]


@routine
def _substitute(pivots: Floats, weight: float, solved: Floats) -> None:
    """The way up: each row with the one after it."""
    for row in range(solved.shape[0] - 2, 0, -1):
        factor, to, after = weight * pivots[row], solved[row], solved[row + 1]
        for each in range(to.size):
            to[each] = to[each] + factor * after[each]


@routine
def _exercise(
    start: Floats, exercised: Floats, length: float, solved: Floats, held: Floats, pressure: Floats
) -> None:
    """Hold prices at what exercise brings, and mend the pressure by which they were."""
    per = 1.0 / length
    slope, constant = exercised[0], exercised[1]
    for row in range(solved.shape[0]):
        of_start, pushed, to, pressed = start[row], solved[row], held[row], pressure[row]
        for each in range(pushed.size):
            brings = of_start[each] * slope[each] + constant[each]
            brings = select(brings > 0.0, brings, 0.0)
            free = pushed[each] - length * pressed[each]
            kept = select(free > brings, free, brings)
            pressed[each] = pressed[each] + (kept - pushed[each]) * per
            to[each] = kept


def _loop(
    values: Floats, start: Floats, exercised: Floats, edges: Floats, pivots: Floats, stretch: Stretch
) -> None:
    nodes, contracts = start.shape
    for first in range(0, contracts, _BLOCK):
        width = min(_BLOCK, contracts - first)
        some = values[:, :, first : first + width].copy()
        of_start = start[:, first : first + width].copy()
        nothing, solved = np.zeros((nodes, width)), np.empty((nodes, width))
        for step in range(stretch.shape[0]):
            length, weight, known, is_exercisable = stretch[step]
            at_edges = edges[step, :, :, first : first + width].copy()
            pressure = some[2] if is_exercisable > 0.0 else nothing
            _eliminate(some[0], pressure, at_edges[0], pivots[step], length, weight, known, solved)
            _substitute(pivots[step], weight, solved)
            if is_exercisable > 0.0:
                brings = exercised[step, :, first : first + width].copy()
                _exercise(of_start, brings, length, solved, some[0], some[2])
            else:
                some[0] = solved
            _eliminate(some[1], nothing, at_edges[1], pivots[step], length, weight, known, solved)
            _substitute(pivots[step], weight, solved)
            some[1] = solved
        values[:, :, first : first + width] = some


def _with_numpy(
    values: Floats, start: Floats, exercised: Floats, edges: Floats, pivots: Floats, stretch: Stretch
) -> None:
    """With those that hold the right and those that do not beside each other, to call NumPy half as often."""
    nodes, contracts = start.shape
    both = np.concatenate([values[Value.HELD], values[Value.EUROPEAN]], axis=1)
    held, pressure, pressed = both[:, :contracts], values[Value.PRESSURE], np.zeros((nodes, 2 * contracts))
    for step, (length, weight, known, is_exercisable) in enumerate(stretch.tolist()):
        if is_exercisable:
            pressed[:, :contracts] = length * pressure
        bend = both[:-2] + both[2:] - 2.0 * both[1:-1]
        both[1:-1] += pressed[1:-1]
        both[1:-1] += known * bend
        both[0], both[-1] = edges[step, :, 0].ravel(), edges[step, :, 1].ravel()
        _solve_in_place(both, pivots[step].tolist(), weight)
        if is_exercisable:
            slope, constant = exercised[step]
            brings = start * slope + constant
            brings = select(brings > 0.0, brings, 0.0)
            free = held - pressed[:, :contracts]
            kept = select(free > brings, free, brings)
            pressure += (kept - held) * (1.0 / length)
            held[:] = kept
    values[Value.HELD], values[Value.EUROPEAN] = held, both[:, contracts:]


def _solve_in_place(given: Floats, pivots: list[float], weight: float) -> None:
    """`_eliminate` and `_substitute`, from what is given on each node."""
    rows, before = list(given), np.empty_like(given[0])
    for row in range(1, len(rows) - 1):
        np.multiply(rows[row - 1], weight, out=before)
        rows[row] += before
        rows[row] *= pivots[row]
    for row in range(len(rows) - 2, 0, -1):
        np.multiply(rows[row + 1], weight * pivots[row], out=before)
        rows[row] += before


_MARCH = Kernel(
    "void(float64[:, :, ::1], float64[:, ::1], float64[:, :, ::1], float64[:, :, :, ::1], float64[:, ::1],"
    " float64[:, ::1])",
    _with_numpy,
    _loop,
)

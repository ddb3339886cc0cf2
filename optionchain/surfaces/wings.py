"""Straight wings: a smile that is right near the money, and would be arbitraged far from it, goes on as its tangent."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from optionchain.arrays import Floats

Which: TypeAlias = "slice | NDArray[np.intp]"
"""Some of the contracts."""


Holds: TypeAlias = "Callable[[Floats, Which], NDArray[np.bool_]]"
"""Whether smiles hold at some distance from the money, each on its side."""


class TotalVariance(Protocol):
    """A smile before its wings are straight."""

    def __call__(self, k: Floats, which: Which) -> Floats:
        """The total variance of some contracts at other log-moneyness than theirs."""
        ...


# Relative to the deviation at the money: between which points the slope of a smile is measured.
_STEP = 1e-4
# Of that step: how far ahead a wing's slope is measured. And what of the steepest slope it may begin with.
_AHEAD, _NEARLY = 0.1, 0.999
# Of a logarithm of strike over forward: beyond it exponentials overflow, and no strike is.
_HIGHEST_MONEYNESS = 100.0
# Where the beginning of a wing is looked for: from how many deviations on, each place so much farther than the last.
_NEAREST, _FARTHER = 0.05, 1.08
# Between two of these places, so many parts are looked at, and so often: to the last bits.
_PARTS, _ROUNDS = 16, 12
_PLACES_TOGETHER = 1 << 16


def steepest(theta: Floats) -> Floats:
    """The steepest wing of a smile whose total variance at the money is `theta`.

    Of a line ``w = c + L |k|`` with ``c >= 0`` and ``w >= theta``, Durrleman's condition
    ``(1 + c / w)² / 4 - L² (1 / w + 1 / 4) / 4 >= 0`` holds where ``L² (1 / theta + 1 / 4) <= 1``. It grows with theta,
    so that lines of later expirations are above those of earlier ones, and is below Lee's limit, 2.

    Source:
        J. Gatheral, A. Jacquier, "Arbitrage-free SVI volatility surfaces", 2014, lemma 2.2; R. Lee, "The moment formula
        for implied volatility at extreme strikes", 2004.
    """
    return 2.0 * np.sqrt(theta / (4.0 + theta))


def straightened(total: TotalVariance, log_moneyness: Floats, theta: Floats, *terms: Floats) -> Floats:
    """A total variance that is convex near the money, and beyond some point on each side its tangent there.

    The point is where the tangent gets as steep as a wing may be, or would cross the axis below zero. It is looked for
    once for each smile and side, at the same places whichever strikes there are.

    Args:
        total: The total variance of some contracts at some log-moneyness.
        log_moneyness: ``[contracts]`` where to evaluate it.
        theta: ``[contracts]`` total variance at the money, > 0.
        terms: ``[contracts]`` each, what else tells smiles apart. Contracts of one that are beside each other share it.
    """
    side = np.where(log_moneyness < 0.0, -1.0, 1.0)
    distance = np.minimum(np.abs(log_moneyness), _HIGHEST_MONEYNESS)
    step, limit = _STEP * np.sqrt(theta), steepest(theta)

    def holds(away: Floats, which: Which) -> NDArray[np.bool_]:
        some, near = side[which], step[which]
        ahead, behind = total(some * (away + near), which), total(some * (away - near), which)
        slope = (ahead - behind) / (2.0 * near)
        return np.asarray((slope <= _NEARLY * limit[which]) & (total(some * away, which) >= away * slope))

    heights = total(side * distance, slice(None))
    is_new = np.ones(theta.size, dtype=bool)
    is_new[1:] = np.any([each[1:] != each[:-1] for each in (side, theta, *terms)], axis=0)
    first = np.flatnonzero(is_new)
    if not first.size:
        return heights
    reach = np.maximum.reduceat(distance, first)
    begins = _beginnings(holds, first, reach, np.sqrt(theta[first]))[np.cumsum(is_new) - 1]
    beyond = np.flatnonzero(begins < distance)
    if beyond.size:
        start = begins[beyond]
        # The steeper of both sides', so that what is left of a bend turns upwards, where the smile is concave too.
        little = _AHEAD * step[beyond]
        behind, height, ahead = (
            total(side[beyond] * (start + away), beyond) for away in (-little, 0.0, little)
        )
        slope = np.clip(np.maximum(ahead - height, height - behind) / little, 0.0, limit[beyond])
        heights[beyond] = height + slope * (distance[beyond] - start)
    return heights


def _beginnings(holds: Holds, which: NDArray[np.intp], reach: Floats, deviation: Floats) -> Floats:
    """How far from the money the wing of each begins; infinite where none does as far as there are strikes.

    A smile can be flat again behind a stretch that is too steep, so that the first such place is looked for.
    """
    farthest = max(float((reach / deviation).max()), _NEAREST)
    count = 2 + math.ceil(math.log(farthest / _NEAREST, _FARTHER))
    # By products, which are the same on every processor, as powers are not.
    places = np.concatenate([[0.0], _NEAREST * np.cumprod(np.full(count, _FARTHER))])
    begins = np.full_like(reach, np.inf)
    together = max(_PLACES_TOGETHER // count, 1)
    parts = np.arange(_PARTS + 1) / _PARTS
    for begin in range(0, which.size, together):
        some = slice(begin, begin + together)
        edges = deviation[some, None] * places
        inner, outer = _first_outside(holds, which[some], edges, edges[:, :-1] < reach[some, None])
        ends = begin + np.flatnonzero(np.isfinite(outer))
        inner, outer = inner[ends - begin], outer[ends - begin]
        for _ in range(_ROUNDS):
            edges = inner[:, None] + (outer - inner)[:, None] * parts
            edges[:, -1] = outer
            inner, outer = _first_outside(holds, which[ends], edges, np.ones(edges[:, 1:].shape, dtype=bool))
        begins[ends] = inner
    return begins


def _first_outside(
    holds: Holds, which: NDArray[np.intp], edges: Floats, is_asked: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Between which edges each smile stops to hold; infinite where it does not."""
    smiles, place = np.nonzero(is_asked)
    fails = np.zeros(is_asked.shape, dtype=bool)
    fails[smiles, place] = ~holds(edges[smiles, place + 1], which[smiles])
    found, where = fails.any(axis=1), fails.argmax(axis=1)
    every = np.arange(which.size)
    return np.where(found, edges[every, where], 0.0), np.where(found, edges[every, where + 1], np.inf)

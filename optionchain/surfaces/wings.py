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
_HALVINGS = 48
# Where the beginning of a wing is looked for: from how many deviations on, each place so much farther than the last.
_NEAREST, _FARTHER = 0.05, 1.08
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


def straightened(
    total: TotalVariance, log_moneyness: Floats, theta: Floats, *, is_convex: bool = True
) -> Floats:
    """A total variance that is convex near the money, and beyond some point on each side its tangent there.

    The point is where the tangent gets as steep as a wing may be, or would cross the axis below zero.

    Args:
        total: The total variance of some contracts at some log-moneyness.
        log_moneyness: ``[contracts]`` where to evaluate it.
        theta: ``[contracts]`` total variance at the money, > 0.
        is_convex: Whether it is convex as far as there are strikes. Where it is not, it can be flat again behind a
            stretch that is too steep, which is looked for at the same places whatever the strike.
    """
    side = np.where(log_moneyness < 0.0, -1.0, 1.0)
    distance = np.minimum(np.abs(log_moneyness), _HIGHEST_MONEYNESS)
    step, limit = _STEP * np.sqrt(theta), steepest(theta)

    def tangent(away: Floats, which: Which) -> tuple[Floats, Floats]:
        some, near = side[which], step[which]
        ahead, behind = total(some * (away + near), which), total(some * (away - near), which)
        return total(some * away, which), (ahead - behind) / (2.0 * near)

    def holds(away: Floats, which: Which) -> NDArray[np.bool_]:
        height, slope = tangent(away, which)
        return np.asarray((slope <= _NEARLY * limit[which]) & (height >= away * slope))

    every: Which = slice(None)
    heights = total(side * distance, every)
    if is_convex:
        inner, outer = np.zeros_like(theta), np.where(holds(distance, every), np.inf, distance)
    else:
        inner, outer = _first_outside(holds, distance, np.sqrt(theta))
    beyond = np.flatnonzero(np.isfinite(outer))
    if beyond.size:
        inner, outer = inner[beyond], outer[beyond]
        for _ in range(_HALVINGS):
            middle = 0.5 * (inner + outer)
            is_inside = holds(middle, beyond)
            inner, outer = np.where(is_inside, middle, inner), np.where(is_inside, outer, middle)
        # The steeper of both sides', so that what is left of a bend turns upwards, where the smile is concave too.
        little = _AHEAD * step[beyond]
        behind, height, ahead = (
            total(side[beyond] * (inner + away), beyond) for away in (-little, 0.0, little)
        )
        slope = np.clip(np.maximum(ahead - height, height - behind) / little, 0.0, limit[beyond])
        is_wing = inner < distance[beyond]
        heights[beyond[is_wing]] = (height + slope * (distance[beyond] - inner))[is_wing]
    return heights


def _first_outside(
    holds: Callable[[Floats, Which], NDArray[np.bool_]], distance: Floats, deviation: Floats
) -> tuple[Floats, Floats]:
    """Between which places on the way to each contract a smile stops to hold; infinite where it does not."""
    farthest = max(float((distance / deviation).max(initial=0.0)), _NEAREST)
    count = 2 + math.ceil(math.log(farthest / _NEAREST, _FARTHER))
    # By products, which are the same on every processor, as powers are not.
    places = _NEAREST * np.cumprod(np.concatenate([[1.0], np.full(count - 1, _FARTHER)]))
    before = np.concatenate([[0.0], places[:-1]])
    inner, outer = np.zeros_like(distance), np.full_like(distance, np.inf)
    together = max(_PLACES_TOGETHER // len(places), 1)
    for first in range(0, len(distance), together):
        some = slice(first, first + together)
        on_the_way = deviation[some, None] * before < distance[some, None]
        contracts, place = np.nonzero(on_the_way)
        fails = np.zeros(on_the_way.shape, dtype=bool)
        fails[contracts, place] = ~holds(deviation[first + contracts] * places[place], first + contracts)
        found, where = fails.any(axis=1), fails.argmax(axis=1)
        inner[some] = np.where(found, deviation[some] * before[where], 0.0)
        outer[some] = np.where(found, deviation[some] * places[where], np.inf)
    return inner, outer

"""Designs: lists of scenarios that fill a box of parameters at random or evenly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from optionchain.arrays import Floats
from optionchain.declared.checks import finite, whole
from optionchain.errors import InvalidInput

MOST_POINTS = 1 << 20


def design(
    bounds: Mapping[str, tuple[float, float]],
    points: int,
    *,
    kind: Literal["random", "latin_hypercube", "sobol"] = "sobol",
    seed: int = 0,
) -> list[dict[str, float]]:
    """Scenarios in a box, for `Sweep(scenarios=...)`.

    Args:
        bounds: Lowest and highest value of each parameter.
        points: Number of scenarios, 1 to 2^20; for ``sobol`` a power of two fills the box best.
        kind: ``random`` points are independent, a ``latin_hypercube`` has one in each slice of each
            parameter, ``sobol`` fills the box evenly.
        seed: Decides the points, >= 0.

    Returns:
        One mapping a scenario.

    Raises:
        InvalidInput: An argument is out of range.

    Example:
        >>> rows = design({"volatility": (0.1, 0.5)}, 4, seed=1)
        >>> sorted(int((row["volatility"] - 0.1) * 10) for row in rows)  # one in each quarter
        [0, 1, 2, 3]
    """
    points = whole("points", points, low=1, high=MOST_POINTS)
    seed = whole("seed", seed, low=0, high=2**64 - 1)
    if not bounds:
        raise InvalidInput("bounds", "must not be empty")
    lows, highs = zip(*(_bounds(name, pair) for name, pair in bounds.items()), strict=True)
    from scipy.stats import qmc  # noqa: PLC0415  slow to import, and whoever reads the settings comes by here

    table = qmc.scale(_unit_points(kind, len(bounds), points, seed), lows, highs)
    return [dict(zip(bounds, row, strict=True)) for row in table.tolist()]


def _bounds(name: str, pair: tuple[float, float]) -> tuple[float, float]:
    if len(pair) != 2:
        raise InvalidInput(f"bounds.{name}", "must be a lowest and a highest value")
    low, high = (finite(f"bounds.{name}", float(bound)) for bound in pair)
    if low >= high:
        raise InvalidInput(f"bounds.{name}", "the lowest value must be less than the highest")
    return low, high


def _unit_points(kind: str, dimensions: int, points: int, seed: int) -> Floats:
    from scipy.stats import qmc  # noqa: PLC0415

    match kind:
        case "sobol":
            sequence = qmc.Sobol(dimensions, rng=seed)
            # To the next power of two, which SciPy asks for; the first ones are as good as any.
            return sequence.random_base2((points - 1).bit_length())[:points]
        case "latin_hypercube":
            return qmc.LatinHypercube(dimensions, rng=seed).random(points)
        case "random":
            return np.random.default_rng(seed).random((points, dimensions))
    raise InvalidInput("kind", "must be random, latin_hypercube or sobol")

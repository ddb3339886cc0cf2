"""Steps of the heat equation against a dense matrix, and how a stretch is cut into them."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from optionchain.arrays import Floats
from optionchain.pricing import exercise_steps
from optionchain.pricing.exercise_steps import march, stretch_of

GROWTHS = np.array([0.3, 0.7])
IS_IMPLICIT = np.array([True, False])


def by_matrix(values: Floats, edges: Floats) -> Floats:
    """The same steps: one implicit, and one of Crank and Nicolson, half of it by what is known before it."""
    bends = np.zeros((len(values), len(values)))
    for row in range(1, len(values) - 1):
        bends[row, row - 1 : row + 2] = 1.0, -2.0, 1.0
    for growth, is_implicit, at_edges in zip(GROWTHS, IS_IMPLICIT, edges, strict=True):
        weight, known = (growth, 0.0) if is_implicit else (0.5 * growth, 0.5 * growth)
        before = values + known * bends @ values
        before[0], before[-1] = at_edges
        values = np.linalg.solve(np.eye(len(values)) - weight * bends, before)
    return values


@pytest.mark.parametrize("run_by", ["plain", "loop"])
def test_steps_solve_the_matrix_of_the_heat_equation(
    run_by: Literal["plain", "loop"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exercise_steps, "_MARCH", getattr(exercise_steps._MARCH, run_by))
    random = np.random.default_rng(1)
    values, edges = random.random((3, 7, 2)), random.random((2, 2, 2, 2))
    held, european = values[0].copy(), values[1].copy()
    stretch = np.zeros((2, 4))
    stretch[:, 2] = np.where(IS_IMPLICIT, 0.0, 1.0)

    march(values, np.ones((7, 2)), np.zeros((2, 2, 2)), edges, GROWTHS, stretch)

    np.testing.assert_allclose(values[0], by_matrix(held, edges[:, 0]), rtol=1e-13)
    np.testing.assert_allclose(values[1], by_matrix(european, edges[:, 1]), rtol=1e-13)


@pytest.mark.parametrize("years", [0.25, 4.0])
def test_a_stretch_has_its_share_of_the_steps_and_takes_its_length(years: float) -> None:
    half, little = (
        stretch_of(length * years, years, is_exercisable=True)[:, 0] / years for length in (0.5, 1e-3)
    )

    # Two of the steps of each are cut into halves; of the least there are eight.
    np.testing.assert_allclose(half, [*[0.5 / 80] * 4, *[0.5 / 40] * 38], rtol=1e-14)
    np.testing.assert_allclose(little, [*[1e-3 / 16] * 4, *[1e-3 / 8] * 6], rtol=1e-14)

"""The moments of the premium's integral: nodes of a rule that integrates what is smooth in them."""

from __future__ import annotations

import numpy as np
import pytest

from optionchain.pricing import exercise_moments


def test_reaches_begin_where_a_price_is_far_from_the_boundary_at_the_nearest_moment() -> None:
    *_, found = exercise_moments._moments()

    nearest = 1.0 / np.cosh(exercise_moments._REACHES)
    np.testing.assert_allclose(found / nearest, exercise_moments._FAR, rtol=1e-14)


@pytest.mark.parametrize("power", [0, 1, 2])
def test_the_moments_integrate_powers_of_the_time_ahead(power: int) -> None:
    sech, tanh, weights, _ = exercise_moments._moments()

    # Over the time, from the nearest moment to expiry, of which it is the share sech squared.
    nearest = 1.0 / np.cosh(exercise_moments._REACHES) ** 2
    expected = (1.0 - nearest ** (power + 1)) / (power + 1)
    np.testing.assert_allclose((weights * sech ** (2 * power)).sum(axis=1), expected, rtol=1e-9)
    np.testing.assert_allclose(sech**2 + tanh**2, 1.0, rtol=1e-14)

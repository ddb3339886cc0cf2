"""The variance step of Heston's model, integrated over the normal that draws it."""

import numpy as np
import pytest

from optionchain.processes.quadratic_exponential import SWITCH, VarianceStep

SCHEME = VarianceStep.of(kappa=0.5, theta=0.04, xi=1.0, dt=0.25)
VARIANCES = [0.0, 0.001, 0.04, 0.2, 2.0]
NORMALS = np.linspace(-9.0, 25.0, 200_001)
WEIGHTS = np.exp(-(NORMALS**2) / 2) / np.sqrt(2 * np.pi) * (NORMALS[1] - NORMALS[0])


def expected(function, variance):
    following = SCHEME.next_variance(np.full_like(NORMALS, variance), NORMALS)
    return function(following) @ WEIGHTS


def test_both_branches_are_examined_here():
    ratios = [SCHEME._moments(variance)[1] for variance in VARIANCES]

    assert min(ratios) < SWITCH < max(ratios)


@pytest.mark.parametrize("variance", VARIANCES)
def test_a_step_has_the_conditional_mean_and_variance_of_the_process(variance):
    decay = np.exp(-0.125)
    mean = 0.04 + (variance - 0.04) * decay
    spread = variance * (decay - decay**2) / 0.5 + 0.04 * (1 - decay) ** 2 / (2 * 0.5)  # xi² = 1

    # The exponential branch has a kink at zero, where the trapezoid is of second order: 1e-4 squared.
    assert expected(lambda following: following, variance) == pytest.approx(mean, rel=1e-7)
    assert expected(lambda following: (following - mean) ** 2, variance) == pytest.approx(spread, rel=1e-7)


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("loading", [-5.0, -0.3, 0.0, 0.4, 1e3])
def test_the_exponential_moment_is_that_of_the_draw(variance, loading):
    bounded = SCHEME.bounded_loading(np.array([variance]), loading)

    moment = np.exp(SCHEME.log_exponential_moment(np.array([variance]), bounded)[0])

    # At the bound the integrand falls half as fast as the normal does: hence the long range on the right.
    assert expected(lambda following: np.exp(bounded[0] * following), variance) == pytest.approx(
        moment, rel=1e-6
    )


def test_a_loading_with_a_moment_is_left_alone():
    assert SCHEME.bounded_loading(np.array(VARIANCES), -7.0).tolist() == [-7.0] * len(VARIANCES)


@pytest.mark.parametrize("variance", VARIANCES)
def test_a_variance_is_finite_and_never_negative(variance):
    following = SCHEME.next_variance(np.full(500, variance), np.linspace(-30.0, 30.0, 500))

    assert np.isfinite(following).all()
    assert (following >= 0.0).all()


@pytest.mark.parametrize("variance", VARIANCES)
def test_floats_and_arrays_give_the_same_bits(variance):
    normals = np.linspace(-4.0, 4.0, 501)

    together = SCHEME.next_variance(np.full(501, variance), normals)

    assert together.tolist() == [SCHEME.next_variance(variance, normal) for normal in normals.tolist()]

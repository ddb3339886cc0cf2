"""Andersen's quadratic-exponential (QE) step of a square-root process."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats

# Ratio of variance to squared mean at which the scheme changes branch; any number in [1, 2] works.
SWITCH = 1.5
# Stands for zero where a ratio would be 0 / 0; its effect is below rounding.
TINY = 1e-30

FloatOrFloats: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class VarianceStep:
    """The conditional moments of the square-root process over a step, and a draw that has them.

    Given the variance v, the next one has the mean ``theta + (v - theta) decay`` and the variance
    ``v on_variance + constant`` (Andersen's equations 17, 18).
    """

    theta: float
    decay: float
    on_variance: float
    constant: float

    @classmethod
    def of(cls, *, kappa: float, theta: float, xi: float, dt: float) -> VarianceStep:
        """The step of ``dv = kappa (theta - v) dt + xi sqrt(v) dW`` over `dt` years."""
        decay = numerics.exp(-kappa * dt)
        effective_years = -numerics.expm1(-kappa * dt) / kappa if kappa > 0.0 else dt
        half = xi * xi * effective_years
        return cls(theta, decay, half * decay, half * theta * kappa * effective_years / 2)

    def next_variance(self, variance: FloatOrFloats, normal: FloatOrFloats) -> FloatOrFloats:
        """A variance one step later, >= 0.

        Floats and arrays give the same bits, as `recur` needs.
        """
        mean, ratio = self._moments(variance)
        if isinstance(variance, float):
            if ratio <= SWITCH:
                return _quadratic(mean, ratio, normal, math.sqrt)
            return float(_exponential(mean, ratio, normal))
        following = _quadratic(mean, np.minimum(ratio, SWITCH), normal, np.sqrt)
        high = ratio > SWITCH
        if high.any():
            following[high] = _exponential(mean[high], ratio[high], normal[high])
        return following

    def bounded_loading(self, variance: Floats, loading: float) -> Floats:
        """The loading A, or less where ``E exp(A v')`` would not exist or would have no variance.

        Only a positive correlation over steps as coarse as the mean reversion comes near this bound; there
        the correlation is weaker than asked for, and the price remains a martingale.
        """
        mean, ratio = self._moments(variance)
        limit = np.where(
            ratio <= SWITCH,
            1.0 / (2.0 * _scale(mean, np.minimum(ratio, SWITCH), np.sqrt) + TINY),
            _rate(mean, ratio),
        )
        bounded: Floats = np.minimum(loading, limit / 2)
        return bounded

    def log_exponential_moment(self, variance: Floats, loading: Floats) -> Floats:
        """``ln E exp(A v')`` given the variance now: Andersen's equations 37, 38.

        Args:
            variance: Any shape.
            loading: A, in the same shape, from `bounded_loading`.
        """
        mean, ratio = self._moments(variance)
        low, high = ratio <= SWITCH, ratio > SWITCH
        moment = np.empty_like(variance)
        moment[low] = _log_moment_of_quadratic(mean[low], ratio[low], loading[low])
        moment[high] = _log_moment_of_exponential(mean[high], ratio[high], loading[high])
        return moment

    def _moments(self, variance: FloatOrFloats) -> tuple[FloatOrFloats, FloatOrFloats]:
        """Mean m of the next variance, and psi: its variance over the mean squared."""
        mean = self.theta + (variance - self.theta) * self.decay
        variance_of_next = variance * self.on_variance + self.constant
        return mean, variance_of_next / (mean * mean + TINY) + TINY


def _offset_squared(ratio: FloatOrFloats, sqrt: Callable[[Any], Any]) -> FloatOrFloats:
    """b² of equation 27."""
    inverse = 2.0 / ratio
    return inverse - 1.0 + sqrt(inverse) * sqrt(inverse - 1.0)


def _scale(mean: FloatOrFloats, ratio: FloatOrFloats, sqrt: Callable[[Any], Any]) -> FloatOrFloats:
    """a of equation 28."""
    return mean / (1.0 + _offset_squared(ratio, sqrt))


def _rate(mean: FloatOrFloats, ratio: FloatOrFloats) -> FloatOrFloats:
    """beta of equation 30."""
    return 2.0 / (mean * (ratio + 1.0) + TINY)


def _quadratic(
    mean: FloatOrFloats, ratio: FloatOrFloats, normal: FloatOrFloats, sqrt: Callable[[Any], Any]
) -> FloatOrFloats:
    """A shifted normal squared, ``a (b + z)²``, equation 23."""
    offset_squared = _offset_squared(ratio, sqrt)
    shifted = sqrt(offset_squared) + normal
    return mean / (1.0 + offset_squared) * (shifted * shifted)


def _exponential(mean: FloatOrFloats, ratio: FloatOrFloats, normal: FloatOrFloats) -> FloatOrFloats:
    """Zero with probability p, else exponential, equations 25, 29: ``ln((1 - p) / (1 - u)) / beta``."""
    # u is the normal's distribution function; ln(1 - u) from the other tail never sees 1 - u = 0.
    excess = numerics.log(2.0 / (ratio + 1.0)) - numerics.log_ndtr(-normal)
    return np.maximum(excess, 0.0) / _rate(mean, ratio)


def _log_moment_of_quadratic(mean: Floats, ratio: Floats, loading: Floats) -> Floats:
    scale = _scale(mean, ratio, np.sqrt)
    shrink = 1.0 - 2.0 * loading * scale
    moment: Floats = loading * (mean - scale) / shrink - numerics.log(shrink) / 2
    return moment


def _log_moment_of_exponential(mean: Floats, ratio: Floats, loading: Floats) -> Floats:
    above_zero = 2.0 / (ratio + 1.0)
    moment: Floats = numerics.log1p(above_zero * loading / (_rate(mean, ratio) - loading))
    return moment

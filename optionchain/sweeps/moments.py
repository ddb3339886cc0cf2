"""Means and covariances that are merged without loss, and what a control variate makes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from optionchain.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Count, means and sums of products of deviations of some variables.

    Attributes:
        count: Observations, >= 1.
        means: ``[variables]``.
        comoments: ``[variables, variables]`` sum over the observations of the products of deviations.

    Source:
        T. Chan, G. Golub, R. LeVeque, "Updating formulae and a pairwise algorithm for computing sample
        variances", 1979, for pairs of variables.
    """

    count: int
    means: Floats
    comoments: Floats

    @classmethod
    def of(cls, values: Floats) -> Moments:
        """Of observations ``[variables, observations]``."""
        count = values.shape[1]
        means = np.array([math.fsum(row) for row in values]) / count
        deviations = values - means[:, None]
        return cls(count, means, deviations @ deviations.T)

    def merged(self, other: Moments) -> Moments:
        """Of the observations of both."""
        count = self.count + other.count
        gap = other.means - self.means
        weight = self.count * (other.count / count)
        return Moments(
            count,
            self.means + gap * (other.count / count),
            self.comoments + other.comoments + np.outer(gap, gap) * weight,
        )

    def moments(self) -> Moments:
        """Itself: the estimate of a mean and its error come from these."""
        return self

    def covariances(self) -> Floats:
        """``[variables, variables]`` sample covariances; NaN for a single observation."""
        return self.comoments / (self.count - 1) if self.count > 1 else np.full_like(self.comoments, np.nan)

    def standard_errors(self) -> Floats:
        """``[variables]`` of the means; NaN for a single observation."""
        return np.sqrt(self.covariances().diagonal() / self.count)

    def arrays(self) -> dict[str, Floats]:
        """Everything, as arrays that `from_arrays` reads."""
        return {"count": np.array(float(self.count)), "means": self.means, "comoments": self.comoments}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Floats]) -> Moments:
        """The inverse of `arrays`."""
        return cls(int(arrays["count"]), arrays["means"], arrays["comoments"])


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """Sums over each of a fixed number of replicates, whose means are the independent observations.

    Attributes:
        count: Paths of each replicate, >= 1.
        sums: ``[variables, replicates]``.
    """

    count: int
    sums: Floats

    def merged(self, other: Replicates) -> Replicates:
        """Of the paths of both."""
        return Replicates(self.count + other.count, self.sums + other.sums)

    def moments(self) -> Moments:
        """Of the replicates' means."""
        return Moments.of(self.sums / self.count)

    def arrays(self) -> dict[str, Floats]:
        """Everything, as arrays that `from_arrays` reads."""
        return {"count": np.array(float(self.count)), "sums": self.sums}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Floats]) -> Replicates:
        """The inverse of `arrays`."""
        return cls(int(arrays["count"]), arrays["sums"])


def controlled(moments: Moments, known_mean: float) -> tuple[Floats, Floats]:
    """Means and standard errors of all variables but the last, which is the control.

    Each mean is moved along its regression on the control to where the control's mean should be. The error
    left is ``sqrt(1 - correlation²)`` of the plain one.

    Args:
        moments: Of the measures and, last, the control.
        known_mean: Of the control.

    Returns:
        Two arrays ``[measures]``; the plain ones where the control does not vary.

    Source:
        P. Glasserman, "Monte Carlo Methods in Financial Engineering", 2003, equations 4.2 to 4.4.
    """
    covariances = moments.covariances()
    own, shared, control = covariances.diagonal()[:-1], covariances[:-1, -1], covariances[-1, -1]
    if not control > 0.0:
        return moments.means[:-1], np.sqrt(own / moments.count)
    slopes = shared / control
    means = moments.means[:-1] - slopes * (moments.means[-1] - known_mean)
    left = np.maximum(own - slopes * shared, 0.0)
    return means, np.sqrt(left / moments.count)

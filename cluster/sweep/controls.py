"""Control variates: what is known of one measure corrects the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cluster.sweep.moments import Moments
from optionchain.arrays import Floats
from optionchain.measures import Measure, expected_terminal_price, terminal_price
from optionchain.parameters import SimulationParameters


@dataclass(frozen=True, slots=True)
class Control:
    """A measure whose mean is known, for each scenario.

    Attributes:
        measure: What is observed on each path.
        mean: Its mean, from the scenario's parameters; raises `InvalidInput` where it is not known.
    """

    measure: Measure
    mean: Callable[[SimulationParameters], float]


TERMINAL_PRICE = Control(terminal_price, expected_terminal_price)


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

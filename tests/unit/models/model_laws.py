"""One model of each kind, and the comparison of a sample with its law."""

from __future__ import annotations

import numpy as np
from hypothesis import settings

from optionchain.draws.philox import PhiloxDraws
from optionchain.models import (
    Brownian,
    Custom,
    Garch,
    GeometricBrownian,
    Heston,
    Historical,
    JumpDiffusion,
    LogReturns,
    MeanReverting,
    Telegraph,
)
from optionchain.time_frame import TimeFrame

DAY = 1 / 252
SEED = 7

SPECIMENS = {
    "Brownian": Brownian(dt=DAY, drift=0.05, volatility=0.25),
    "GeometricBrownian": GeometricBrownian(dt=DAY, drift=0.05, volatility=0.25),
    "LogReturns": LogReturns(dt=DAY, expected_return=0.05, volatility=0.25, autocorrelation=0.3),
    "MeanReverting": MeanReverting(dt=DAY, volatility=0.25, speed=3.0, mean=90.0),
    "JumpDiffusion": JumpDiffusion(
        dt=DAY, drift=0.05, volatility=0.2, intensity=20.0, jump_mean=-0.03, jump_volatility=0.05
    ),
    "Garch": Garch(dt=DAY, drift=0.05, volatility=0.25, alpha=0.1, beta=0.85),
    "Heston": Heston(dt=DAY, drift=0.05, volatility=0.25, kappa=1.0, theta=0.05, xi=0.9, rho=-0.7),
    "Custom": Custom(dt=DAY, drift=0.05, volatility=0.25, vov=0.4, vol_speed=4.0, vol_mean=0.3),
    "Telegraph": Telegraph(
        dt=DAY, drift=0.05, volatility=0.25, lambda_up=30.0, lambda_down=60.0, vol_multiplier_up=2.0
    ),
    "Historical": Historical(
        timeframe=TimeFrame.DAY, prices=[100 + 10 * np.sin(0.7 * day) for day in range(300)]
    ),
}
SPOT = 100.0

# The same examples in every run, however slow the machine is.
REPEATABLE = settings(derandomize=True, deadline=None)


def paths(count: int) -> PhiloxDraws:
    """Draws for so many paths, always the same."""
    return PhiloxDraws(SEED, paths=count)


def assert_mean(sample: np.ndarray, expected: float) -> None:
    """The sample's mean is within 4 standard errors: by chance, 1 test in 16,000 would fail."""
    error = sample.std(ddof=1) / np.sqrt(len(sample))
    assert abs(sample.mean() - expected) <= 4 * error, (sample.mean(), expected, error)


def assert_variance(sample: np.ndarray, expected: float, mean: float) -> None:
    """The sample's variance around its known mean is within 4 standard errors."""
    assert_mean((sample - mean) ** 2, expected)

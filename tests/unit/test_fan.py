"""The fan of other paths: its quantiles are those of the paths, and of the law where there is a formula."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.stats import norm

from optionchain.errors import InvalidInput
from optionchain.fan import MOST_PATHS, fan_of
from optionchain.models import GeometricBrownian
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.simulation import simulate

PARAMETERS = SimulationParameters(
    symbol="SPX",
    steps=40,
    initial_price=100.0,
    volatility=0.3,
    method=GeometricBrownian(dt=1 / 365, drift=0.05, volatility=0.3),
    expirations=SingleExpiration(days=60.0),
    seed=11,
    start_at=datetime(2026, 1, 5, tzinfo=UTC),
)


def test_it_is_the_quantiles_of_the_paths_behind_the_simulations_own() -> None:
    fan = fan_of(PARAMETERS, paths=25, levels=(0.75, 0.25))

    paths = np.array([simulate(replace(PARAMETERS, path=path)).prices for path in range(1, 26)])
    assert fan.levels == (0.25, 0.75)
    for level, prices in zip(fan.levels, fan.prices, strict=True):
        np.testing.assert_allclose(prices, np.sort(paths, axis=0)[round(level * 24)], rtol=1e-12)


def test_its_quantiles_are_those_of_the_lognormal_law() -> None:
    fan = fan_of(PARAMETERS, paths=MOST_PATHS, levels=(0.05, 0.5, 0.95))

    years = 39 / 365
    for level, price in zip(fan.levels, fan.prices[:, -1], strict=True):
        deviations = (math.log(price / 100.0) - (0.05 - 0.3**2 / 2) * years) / (0.3 * math.sqrt(years))
        # A quantile's own deviation is sqrt(p (1 - p) / n) over the density there.
        error = math.sqrt(level * (1 - level) / MOST_PATHS) / norm.pdf(norm.ppf(level))
        assert deviations == pytest.approx(norm.ppf(level), abs=4 * error)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"paths": 0}, "paths"),
        ({"paths": MOST_PATHS + 1}, "paths"),
        ({"levels": ()}, "levels"),
        ({"levels": (1.5,)}, "levels"),
        ({"levels": tuple(number / 20 for number in range(10))}, "levels"),
    ],
)
def test_what_is_out_of_bounds_is_refused(asked: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        fan_of(PARAMETERS, **asked)  # type: ignore[arg-type]
    assert refusal.value.field == field


def test_long_simulations_have_smaller_fans() -> None:
    long = replace(PARAMETERS, steps=10_000, expirations=SingleExpiration(days=20_000.0))
    with pytest.raises(InvalidInput, match="paths: must be between 1 and 500"):
        fan_of(long, paths=501)

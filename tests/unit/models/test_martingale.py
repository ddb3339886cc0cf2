"""The discounted price is a martingale where the drift is the rate less the yield."""

import math

import pytest

from optionchain.models import Custom, Garch, GeometricBrownian, Heston, JumpDiffusion, Telegraph
from tests.unit.models.model_laws import SPOT, assert_mean, paths

QUARTER = {"dt": 0.25, "drift": 0.08}

MARTINGALES = {
    "geometric Brownian": GeometricBrownian(**QUARTER, volatility=0.4),
    "rare large jumps": JumpDiffusion(
        **QUARTER, volatility=0.2, intensity=0.7, jump_mean=-0.4, jump_volatility=0.3
    ),
    "many small jumps": JumpDiffusion(
        **QUARTER, volatility=0.2, intensity=50.0, jump_mean=0.01, jump_volatility=0.03
    ),
    "GARCH": Garch(**QUARTER, volatility=0.4, alpha=0.3, beta=0.6),
    "Heston far from its long run": Heston(
        **QUARTER, volatility=0.2, kappa=2.0, theta=0.36, xi=0.3, rho=-0.3
    ),
    "Heston often at zero": Heston(**QUARTER, volatility=0.2, kappa=0.5, theta=0.04, xi=1.0, rho=-0.9),
    "Heston up with its variance": Heston(**QUARTER, volatility=0.2, kappa=1.0, theta=0.04, xi=0.6, rho=0.9),
    "Heston without mean reversion": Heston(
        **QUARTER, volatility=0.3, kappa=0.0, theta=0.0, xi=0.5, rho=-0.5
    ),
    "Heston with hardly any volatility of variance": Heston(
        **QUARTER, volatility=0.3, kappa=2.0, theta=0.04, xi=2e-6, rho=-0.7
    ),
    "Ornstein-Uhlenbeck volatility": Custom(**QUARTER, volatility=0.3, vov=0.5, vol_speed=3.0, vol_mean=0.2),
    "telegraph": Telegraph(**QUARTER, volatility=0.2, lambda_up=3.0, lambda_down=1.0, vol_multiplier_up=3.0),
}


@pytest.mark.parametrize("name", MARTINGALES)
def test_the_expected_price_grows_with_the_drift(name):
    model = MARTINGALES[name]

    prices = model.sample(SPOT, 9, paths(40_000)).prices

    for step in (1, 4, 8):
        assert_mean(prices[:, step], SPOT * math.exp(model.drift * model.dt * step))

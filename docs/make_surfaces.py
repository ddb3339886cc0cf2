"""The picture of `surfaces.md`: smiles, and the density that each implies.

Usage: ``python docs/make_surfaces.py`` writes ``docs/images/surfaces.svg``, the same bytes in every run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from plotly.graph_objects import Figure
from still_picture import save

from optionchain.arrays import Floats
from optionchain.pictures.style import BLUE, GREEN, ORANGE, panels
from optionchain.pricing import black_scholes
from optionchain.pricing.smile import bent
from optionchain.surfaces import Quadratic, Ssvi

IMAGES = Path(__file__).with_name("images")
LEVEL, YEARS = 0.6, 1.0
STRIKES = np.linspace(12.0, 700.0, 1377)
K = np.log(STRIKES / 100.0)


def picture() -> Figure:
    """Volatilities, and second differences of call prices, which are probabilities."""
    drawn = panels(1, 2, ["Implied volatility", "Implied density"], horizontal_spacing=0.12)
    ones = np.ones(STRIKES.size)
    smiles = {
        "parabola": (np.asarray(bent(LEVEL, K, -0.2, 0.4)), ORANGE),
        "quadratic": (Quadratic().volatilities(K, YEARS * ones, LEVEL * ones), BLUE),
        "ssvi": (Ssvi(rho=-0.6, eta=1.0).volatilities(K, YEARS * ones, LEVEL * ones), GREEN),
    }
    for name, (volatilities, colour) in smiles.items():
        line: dict[str, Any] = {"line": {"color": colour}, "mode": "lines", "name": name, "row": 1}
        drawn.add_scatter(x=STRIKES, y=volatilities, col=1, **line)
        drawn.add_scatter(x=STRIKES[1:-1], y=density(volatilities), col=2, showlegend=False, **line)
    drawn.update_xaxes(title="strike", col=1)
    drawn.update_xaxes(title="price in a year", col=2)
    drawn.update_yaxes(title="per unit of price", range=[-0.0006, 0.0015], col=2)
    return drawn


def density(volatilities: Floats) -> Floats:
    """``[strikes - 2]`` of the price at expiration."""
    value = black_scholes(spot=100.0, strike=STRIKES, expiry_years=YEARS, volatility=volatilities)
    return np.asarray(np.diff(value.call_price, 2) / (STRIKES[1] - STRIKES[0]) ** 2)


if __name__ == "__main__":
    save(picture(), IMAGES / "surfaces.svg")

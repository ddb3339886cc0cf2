"""The picture of `contracts.md`: what the right to exercise early is worth, and where it is used.

Usage: ``python docs/make_early_exercise.py`` writes ``docs/images/early-exercise.svg``, the same bytes in every run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from plotly.graph_objects import Figure
from still_picture import save

from optionchain.arrays import Floats
from optionchain.pictures.style import BLUE, ORANGE, panels
from optionchain.pricing import american, black_scholes

IMAGES = Path(__file__).with_name("images")
TERMS = {"strike": 100.0, "volatility": 0.25, "rate": 0.05, "dividend_yield": 0.04}
YEARS = np.linspace(0.004, 1.0, 100)
SPOTS = np.linspace(55.0, 185.0, 521)
COLOURS = {"put": BLUE, "call": ORANGE}


def picture() -> Figure:
    """The premium of a year against the price of the underlying, and the prices at which each side is exercised."""
    titles = ["American less European price", "Where it pays to exercise"]
    drawn = panels(1, 2, titles, horizontal_spacing=0.12)
    for side, colour in COLOURS.items():
        line: dict[str, Any] = {"line": {"color": colour}, "mode": "lines", "name": side, "row": 1}
        drawn.add_scatter(x=SPOTS, y=premiums(side), col=1, **line)
        drawn.add_scatter(x=365.0 * YEARS, y=boundary(side), col=2, showlegend=False, **line)
    drawn.update_xaxes(title="price of the underlying", col=1)
    drawn.update_yaxes(title="per unit of the underlying", col=1)
    drawn.update_xaxes(title="days to expiration", col=2)
    return drawn.update_yaxes(title="price of the underlying", col=2)


def premiums(side: str) -> Floats:
    """``[spots]`` of the option that expires last."""
    early, late = (
        getattr(function(spot=SPOTS, expiry_years=YEARS[-1], **TERMS), f"{side}_price")
        for function in (american, black_scholes)
    )
    return np.asarray(early - late)


def boundary(side: str) -> Floats:
    """``[years]`` the highest price at which a put is exercised, the lowest at which a call is."""
    value = american(spot=SPOTS, expiry_years=YEARS[:, None], **TERMS)
    is_exercised = value.put_delta == -1.0 if side == "put" else value.call_delta == 1.0
    if side == "put":
        return np.asarray(np.where(is_exercised, SPOTS, -np.inf).max(axis=1))
    return np.asarray(np.where(is_exercised, SPOTS, np.inf).min(axis=1))


if __name__ == "__main__":
    save(picture(), IMAGES / "early-exercise.svg")

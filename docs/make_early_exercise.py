"""The picture of `contracts.md`: what the right to exercise early is worth, and where it is used.

Usage: ``python docs/make_early_exercise.py`` writes ``docs/images/early-exercise.svg``, the same bytes in every run.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from make_sweep_study import IMAGES, STYLE
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from optionchain.pricing import american, black_scholes

STRIKE, YEARS, VOLATILITY, RATE, DIVIDEND_YIELD = 100.0, 1.0, 0.25, 0.05, 0.04
SPOTS = np.linspace(55.0, 185.0, 1301)


def picture() -> Figure:
    """The premium against the price of the underlying, and the price below which the put is exercised."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.0, 3.6))
        left, right = figure.subplots(1, 2)
        _premiums(left)
        _boundary(right)
        return figure


def _premiums(axes: Axes) -> None:
    early, late = (
        function(
            spot=SPOTS,
            strike=STRIKE,
            expiry_years=YEARS,
            volatility=VOLATILITY,
            rate=RATE,
            dividend_yield=DIVIDEND_YIELD,
        )
        for function in (american, black_scholes)
    )
    axes.plot(SPOTS, early.put_price - late.put_price, label="put")
    axes.plot(SPOTS, early.call_price - late.call_price, label="call")
    axes.set(title="American less European price", xlabel="price of the underlying", ylabel="per unit")
    axes.legend()


def _boundary(axes: Axes) -> None:
    years = np.linspace(0.004, YEARS, 120)
    value = american(
        spot=SPOTS,
        strike=STRIKE,
        expiry_years=years[:, None],
        volatility=VOLATILITY,
        rate=RATE,
        dividend_yield=DIVIDEND_YIELD,
    )
    for side, deltas, exercised in (("put", value.put_delta, -1.0), ("call", value.call_delta, 1.0)):
        is_exercised = deltas == exercised
        edge = np.where(is_exercised, SPOTS, -np.inf if side == "put" else np.inf)
        line = edge.max(axis=1) if side == "put" else edge.min(axis=1)
        axes.plot(365.0 * years, np.where(np.isfinite(line), line, np.nan), label=f"{side} is exercised here")
    axes.set(title="Where it pays to exercise", xlabel="days to expiration", ylabel="price of the underlying")
    axes.legend()


def main(folder: Path = IMAGES) -> None:
    """Write the picture."""
    picture().savefig(folder / "early-exercise.svg", metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())

"""A simulated market in one picture: its price, and the volatility beneath."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from optionchain.arrays import Steps
from optionchain.pictures.style import BLUE, RED, panels

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def path_picture(symbol: str, instants: Sequence[datetime], prices: Steps, volatilities: Steps) -> Figure:
    """Draw a path.

    Args:
        symbol: Of the underlying.
        instants: ``[steps]``.
        prices: ``[steps]``.
        volatilities: ``[steps]`` annualised.

    Raises:
        ImportError: plotly is not installed.
    """
    figure = panels(2, 1, [symbol, "Volatility"], shared_xaxes=True, row_heights=[0.7, 0.3])
    for row, name, numbers, colour in ((1, "price", prices, BLUE), (2, "volatility", volatilities, RED)):
        figure.add_scatter(
            x=list(instants), y=numbers, mode="lines", name=name, line={"color": colour}, row=row, col=1
        )
    figure.update_yaxes(tickformat=".0%", rangemode="tozero", row=2, col=1)
    return figure.update_layout(showlegend=False, hovermode="x unified")

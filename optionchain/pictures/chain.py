"""A chain in one picture: a number of its contracts by strike, a line an expiration, or over strike and days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from optionchain.arrays import Floats
from optionchain.errors import InvalidInput
from optionchain.pictures.style import SCALE, figure

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_IN_PERCENT = {"implied volatility": ".1%", "moneyness": ".0%"}


class Ladder(NamedTuple):
    """The contracts of one expiration.

    Attributes:
        label: When they expire.
        days: To expiration.
        across: ``[contracts]`` where each is drawn: at its strike, delta or moneyness.
        heights: ``[contracts]`` the number that is drawn.
    """

    label: str
    days: float
    across: Floats
    heights: Floats


def smile_picture(title: str, ladders: Sequence[Ladder], *, value: str, by: str) -> Figure:
    """Draw a line for each expiration.

    Args:
        title: Of the picture.
        ladders: One or more.
        value: What is drawn, in words.
        by: What it is drawn against, in words.

    Raises:
        ImportError: plotly is not installed.
    """
    drawn = figure(f"{title}: {value}", hovermode="closest")
    for ladder in ladders:
        drawn.add_scatter(
            x=ladder.across, y=ladder.heights, mode="lines+markers", name=ladder.label, marker={"size": 4}
        )
    return drawn.update_layout(
        showlegend=True,
        xaxis={"title": {"text": by}, "tickformat": _IN_PERCENT.get(by)},
        yaxis={"title": {"text": value}, "tickformat": _IN_PERCENT.get(value)},
    )


def surface_picture(title: str, ladders: Sequence[Ladder], *, value: str, by: str) -> Figure:
    """Draw a surface; arguments as `smile_picture`.

    Raises:
        InvalidInput: There are fewer than two expirations.
        ImportError: plotly is not installed.
    """
    if len(ladders) < 2:
        raise InvalidInput("expirations", "a surface needs two or more: plot_smile draws one")
    widest = max(ladder.across.size for ladder in ladders)
    across, heights = (
        np.array([_padded(numbers, widest) for numbers in each])
        for each in (
            [ladder.across for ladder in ladders],
            [ladder.heights for ladder in ladders],
        )
    )
    days = np.repeat([[ladder.days] for ladder in ladders], widest, axis=1)
    drawn = figure(f"{title}: {value}")
    drawn.add_surface(x=across, y=days, z=heights, colorscale=SCALE, colorbar={"title": {"text": value}})
    return drawn.update_layout(
        scene={
            "xaxis": {"title": {"text": by}, "tickformat": _IN_PERCENT.get(by)},
            "yaxis": {"title": {"text": "days to expiration"}},
            "zaxis": {"title": {"text": value}, "tickformat": _IN_PERCENT.get(value)},
        }
    )


def _padded(numbers: Floats, size: int) -> Floats:
    """NaN for the lowest strikes, which a ladder near zero has not: equal ranks from the top stay neighbours."""
    return np.concatenate([np.full(size - numbers.size, np.nan), numbers])

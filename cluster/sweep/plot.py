"""A summary of a sweep in one picture: a statistic against a parameter, a line for each value of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cluster.sweep.results import SweepResult
from optionchain.errors import InvalidInput

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot(result: SweepResult, statistic: str, *, by: str | None = None, colour: str | None = None) -> Figure:
    """Draw a statistic against a parameter.

    Args:
        result: With one scenario or more that did not fail.
        statistic: A column such as ``terminal_price_mean``; means come with bars of two standard errors.
        by: The parameter along the axis; the first that varies by default.
        colour: The parameter that tells the lines apart; the second that varies by default.

    Raises:
        InvalidInput: There is no such column.
    """
    import polars  # noqa: PLC0415  heavy
    from matplotlib.figure import Figure  # noqa: PLC0415

    frame = result.to_polars().filter(polars.col("error").is_null())
    varied = [*result.sweep.plan.combinations.names(), *(["shock"] if result.sweep.plan.shocks else [])]
    by = by or (varied[0] if varied else "scenario")
    colour = colour or next((name for name in varied if name != by), None)
    for field, name in (("statistic", statistic), ("by", by), ("colour", colour or by)):
        if name not in frame.columns:
            raise InvalidInput(field, f"there is no column {name}")
    figure = Figure(figsize=(8.0, 4.5), layout="constrained")
    axes = figure.subplots()
    errors = statistic.removesuffix("_mean") + "_std_error"
    groups = frame.group_by(colour, maintain_order=True) if colour else [((None,), frame)]
    for (value,), lines in groups:
        drawn = [statistic, errors] if errors in lines.columns else [statistic]
        means = lines.group_by(by).agg(polars.col(drawn).mean()).sort(by)
        bars = 2.0 * means[errors].to_numpy() if errors in drawn else None
        label = None if value is None else f"{colour} = {_shown(value)}"
        axes.errorbar(means[by].to_numpy(), means[statistic].to_numpy(), yerr=bars, label=label, capsize=2)
    axes.set(xlabel=by, ylabel=statistic.replace("_", " "))
    axes.grid(visible=True, color="#e6e8eb")
    if colour:
        axes.legend(frameon=False)
    return figure


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float | int | np.number) else str(value)

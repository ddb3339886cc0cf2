"""A sweep in one picture: a statistic against a parameter in lines, or over two parameters as a heat map."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from optionchain.errors import InvalidInput
from optionchain.pictures.style import SCALE, figure

if TYPE_CHECKING:
    import polars
    from plotly.graph_objects import Figure

# Cells of a heat map that are wide enough for a number in them.
MOST_WRITTEN_COLUMNS = 12


def line_plot(
    frame: polars.DataFrame, varied: Sequence[str], statistic: str, *, by: str | None, colour: str | None
) -> Figure:
    """Draw a statistic against a parameter.

    Args:
        frame: The scenarios that did not fail.
        varied: The columns of what varies, in the sweep's order.
        statistic: A column such as ``terminal_price_mean``; means come with bars of two standard errors.
        by: The parameter along the axis; the first that varies by default.
        colour: The parameter that tells the lines apart; the second that varies by default.

    Raises:
        InvalidInput: There is no such column; the error lists those that there are.
    """
    import polars  # noqa: PLC0415  heavy

    by = by or (varied[0] if varied else "scenario")
    colour = colour or next((name for name in varied if name != by), None)
    _check(frame, varied, statistic, {"by": by, "colour": colour or by})
    drawn = figure(_title(statistic), showlegend=colour is not None)
    errors = statistic.removesuffix("_mean") + "_std_error"
    groups = frame.group_by(colour, maintain_order=True) if colour else [((None,), frame)]
    for (value,), lines in groups:
        columns = [statistic, errors] if errors in lines.columns else [statistic]
        means = lines.group_by(by).agg(polars.col(columns).mean()).sort(by)
        bars = {"array": 2.0 * means[errors].to_numpy(), "width": 3} if errors in columns else None
        name = None if value is None else escape(f"{colour} = {_shown(value)}")
        drawn.add_scatter(x=means[by].to_list(), y=means[statistic].to_numpy(), error_y=bars, name=name)
    return drawn.update_layout(
        xaxis={"title": {"text": escape(by)}}, yaxis={"title": {"text": escape(_title(statistic))}}
    )


def heat_map(
    frame: polars.DataFrame, varied: Sequence[str], statistic: str, *, x: str | None, y: str | None
) -> Figure:
    """Draw a statistic over two parameters: a cell for each pair of their values, the mean of what else varies.

    Args:
        frame: The scenarios that did not fail.
        varied: The columns of what varies, in the sweep's order.
        statistic: A column such as ``terminal_price_mean``.
        x: The parameter along the lower axis; the first that varies by default.
        y: The parameter along the other axis; the next that varies by default.

    Raises:
        InvalidInput: There is no such column, or fewer than two parameters vary.
    """
    import polars  # noqa: PLC0415  heavy

    x = x or next((name for name in varied if name != y), None)
    y = y or next((name for name in varied if name != x), None)
    if x is None or y is None:
        raise InvalidInput("y", "a heat map needs two parameters that vary: `plot` draws one")
    _check(frame, varied, statistic, {"x": x, "y": y})
    if x == y:
        raise InvalidInput("y", f"must be another parameter than {x}")
    cells = frame.group_by(x, y).agg(polars.col(statistic).mean())
    columns, rows = (sorted(cells[name].unique().to_list()) for name in (x, y))
    table = np.full((len(rows), len(columns)), np.nan)
    for column, row, number in cells.select(x, y, statistic).iter_rows():
        table[rows.index(row), columns.index(column)] = np.nan if number is None else number
    drawn = figure(_title(statistic))
    drawn.add_heatmap(
        x=[_shown(value) for value in columns],
        y=[_shown(value) for value in rows],
        z=table,
        colorscale=SCALE,
        texttemplate="%{z:.3g}" if len(columns) <= MOST_WRITTEN_COLUMNS else None,
    )
    # Values stand side by side like names, whether they are numbers or not.
    axis = {"type": "category", "showgrid": False}
    return drawn.update_layout(
        xaxis={"title": {"text": escape(x)}, **axis}, yaxis={"title": {"text": escape(y)}, **axis}
    )


def _check(
    frame: polars.DataFrame, varied: Sequence[str], statistic: str, parameters: dict[str, str]
) -> None:
    """Refuse columns that are not there, or are of another kind."""
    own = {*varied, "scenario", "shock", "seed", "paths", "error"}
    statistics = [name for name in frame.columns if name not in own]
    if statistic not in statistics:
        near = difflib.get_close_matches(statistic, statistics, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}? There are" if near else "there are"
        raise InvalidInput("statistic", f"there is no column {statistic}: {hint} {', '.join(statistics)}")
    for field, name in parameters.items():
        if name not in frame.columns:
            raise InvalidInput(
                field, f"there is no column {name}: what varies is {', '.join(varied) or 'nothing'}"
            )


def _title(statistic: str) -> str:
    return statistic.replace("_", " ")


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float | int | np.number) else str(value)

"""A sweep in one picture: a statistic against a parameter in lines, or over two parameters as a heat map."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from optionchain.errors import InvalidInput

if TYPE_CHECKING:
    import polars
    from matplotlib.figure import Figure

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
    from matplotlib.figure import Figure  # noqa: PLC0415

    by = by or (varied[0] if varied else "scenario")
    colour = colour or next((name for name in varied if name != by), None)
    _check(frame, varied, statistic, {"by": by, "colour": colour or by})
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
    axes.set(xlabel=by, ylabel=_title(statistic))
    axes.grid(visible=True, color="#e6e8eb")
    if colour:
        axes.legend(frameon=False)
    return figure


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
    from matplotlib.figure import Figure  # noqa: PLC0415

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
    figure = Figure(figsize=(8.0, 5.5), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(table, origin="lower", aspect="auto", cmap="viridis")
    axes.set(xlabel=x, ylabel=y, title=_title(statistic))
    axes.set_xticks(range(len(columns)), [_shown(value) for value in columns])
    axes.set_yticks(range(len(rows)), [_shown(value) for value in rows])
    if len(columns) <= MOST_WRITTEN_COLUMNS:
        for (row, column), number in np.ndenumerate(table):
            axes.text(column, row, f"{number:.3g}", ha="center", va="center", color="white", fontsize=8)
    figure.colorbar(image)
    return figure


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

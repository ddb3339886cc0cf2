"""The study of `sweep-study.md`: short strangles over a grid of volatility and drift, and its pictures.

Usage: ``python docs/make_sweep_study.py`` writes ``docs/images/sweep-*.svg``, the same bytes in every run, and
prints the figures that the text quotes. The tests run it at a small size.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path

import numpy as np
import polars as pl
from plotly.graph_objects import Figure
from still_picture import save

from optionchain import GeometricBrownian, MonthlyRule, Schedule, SimulationParameters
from optionchain.measures import short_strangle
from optionchain.pictures.style import BLUE, GREY, ORANGE, SCALE, SIGNED_SCALE, figure, panels
from optionchain.sweeps import InProcess, Silent, Sweep, SweepResult
from optionchain.sweeps.engine import Engine

IMAGES = Path(__file__).with_name("images")
IMPLIED = 0.20
BASE = SimulationParameters(
    symbol="SPX",
    steps=91,
    initial_price=5000.0,
    volatility=IMPLIED,
    risk_free_rate=0.03,
    method=GeometricBrownian(dt=1 / 365, drift=0.03, volatility=IMPLIED),
    expirations=Schedule(
        timezone="America/New_York",
        expiration_time=time(16),
        rules=(MonthlyRule(rule_id="monthly", target_count=3, weekday="Fri"),),
    ),
    seed=7,
    start_at=datetime(2026, 1, 5, 21, tzinfo=UTC),
    chain_size=40,
    strike_interval=25.0,
    spread=1.0,
)
BARE = short_strangle(delta=0.16, days=30, roll=True, label="bare")
HEDGED = short_strangle(delta=0.16, days=30, roll=True, hedge=True, label="hedged")


@dataclass(frozen=True, slots=True)
class Size:
    """How large the study is."""

    points: int = 9
    paths: int = 4000


def study(size: Size, engine: Engine | None = None) -> SweepResult:
    """Sell a strangle each month for a quarter of a year, in markets of every volatility and drift.

    The volatility is both what the chain implies and what the market does, so that the strategy has no edge
    to begin with: what is seen is risk.
    """
    sweep = Sweep(
        base=BASE,
        measures=[BARE, HEDGED],
        grid={
            "volatility": np.linspace(0.10, 0.50, size.points).round(4),
            "method.drift": np.linspace(-0.3, 0.3, size.points).round(4),
        },
        paths=size.paths,
    )
    return sweep.run(engine=engine or InProcess(), observer=Silent())


def figures(frame: pl.DataFrame) -> dict[str, float]:
    """What the text quotes, all per one strangle on one unit of the index."""
    calm = frame.filter((pl.col("volatility") - IMPLIED).abs() < 1e-9, pl.col("method.drift").abs() < 1e-9)
    row = calm.row(0, named=True)
    return {
        name: row[name]
        for name in (
            "bare_mean",
            "bare_std_error",
            "bare_std",
            "hedged_mean",
            "hedged_std",
            "bare_value_at_risk",
            "bare_expected_shortfall",
        )
    }


def pictures(frame: pl.DataFrame) -> Mapping[str, Figure]:
    """The pictures of `sweep-study.md` by name."""
    return {"sweep-mean": _maps(frame), "sweep-drift": _lines(frame)}


def _maps(frame: pl.DataFrame) -> Figure:
    """Mean and expected shortfall of the bare strangle over the grid."""
    columns = {"bare_mean": "Mean profit", "bare_expected_shortfall": "Expected shortfall, worst 5 %"}
    drawn = panels(1, 2, list(columns.values()), horizontal_spacing=0.2)
    for place, column in enumerate(columns, start=1):
        table = frame.pivot(on="method.drift", index="volatility", values=column).sort("volatility")
        values = table.drop("volatility").to_numpy()
        is_signed = column == "bare_mean"
        colours = {"colorscale": SIGNED_SCALE, "zmid": 0.0} if is_signed else {"colorscale": SCALE}
        drifts = [float(name) for name in table.columns[1:]]
        bar = {"x": 0.42 if is_signed else 1.0, "thickness": 12}
        cells = {"x": drifts, "y": table["volatility"].to_numpy(), "z": values, "colorbar": bar}
        drawn.add_heatmap(**cells, **colours, row=1, col=place)
    drawn.update_xaxes(title="drift a year", tickformat=".0%")
    return drawn.update_yaxes(title="volatility", tickformat=".0%")


def _lines(frame: pl.DataFrame) -> Figure:
    """Bare against hedged over the drift, at the volatility nearest to 20 %."""
    levels = frame["volatility"].unique().to_numpy()
    nearest = float(levels[np.argmin(np.abs(levels - IMPLIED))])
    line = frame.filter((pl.col("volatility") - nearest).abs() < 1e-9).sort("method.drift")
    drawn = figure(f"Mean profit at a volatility of {nearest:.0%}, with two standard errors")
    for name, colour in (("bare", BLUE), ("hedged", ORANGE)):
        errors = {"array": 2.0 * line[f"{name}_std_error"].to_numpy(), "width": 3}
        points = {"x": line["method.drift"].to_numpy(), "y": line[f"{name}_mean"].to_numpy()}
        drawn.add_scatter(**points, error_y=errors, line={"color": colour}, name=name)
    drawn.add_hline(y=0.0, line={"color": GREY, "width": 1})
    return drawn.update_layout(
        xaxis={"title": {"text": "drift a year"}, "tickformat": ".0%"},
        yaxis={"title": {"text": "currency units"}},
    )


def main(size: Size | None = None) -> dict[str, float]:
    """Run the study, write its pictures, and return the figures that the text quotes."""
    frame = study(size or Size()).to_polars()
    for name, drawn in pictures(frame).items():
        save(drawn, IMAGES / f"{name}.svg")
    return figures(frame)


if __name__ == "__main__":
    for name, number in main().items():
        sys.stdout.write(f"{name} {number:.2f}\n")

"""Run the code of `tutorial.md` and draw its pictures from what that code computed.

Usage: ``python docs/make_tutorial.py`` writes ``docs/images/*.svg``, the same bytes in every run.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import tutorial_markets
from plotly.graph_objects import Figure
from still_picture import save

from optionchain.chains import OptionChain, build_chain
from optionchain.expirations import Expiration, ExpirationPlan, days_to_expiration
from optionchain.pictures.style import BLUE, GREEN, GREY, INK, ORANGE, RED, SHADES, panels

TUTORIAL = Path(__file__).with_name("tutorial.md")

# A block of code and, where one follows, the block of what it prints; or a picture.
_PART = re.compile(
    r"^```python\n(?P<code>.*?)^```$(?:\n\n^```text\n(?P<output>.*?)^```$)?|^!\[[^\]]*\]\((?P<picture>[^)]*)\)$",
    re.MULTILINE | re.DOTALL,
)

RULE_COLOURS = {"monthly": BLUE, "weekly": ORANGE, "daily": RED}


@dataclass(frozen=True, slots=True)
class Code:
    """A block of code and what the tutorial says it prints."""

    source: str
    output: str

    def run(self, names: dict[str, Any]) -> str:
        """Execute the block among the names that earlier ones defined; returns what it printed."""
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(self.source, str(TUTORIAL), "exec"), names)  # noqa: S102  the repository's own text
        return printed.getvalue()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, drawn by the function of its file's name."""

    path: Path

    def draw(self, names: dict[str, Any]) -> Figure:
        """Draw what the code before the picture computed."""
        return PICTURES[self.path.stem](names)


def parts(text: str) -> Iterator[Code | Picture]:
    """The code and the pictures of a Markdown text, in their order."""
    for found in _PART.finditer(text):
        if found["picture"]:
            yield Picture(TUTORIAL.parent / found["picture"])
        else:
            yield Code(found["code"], found["output"] or "")


def price_fan(names: dict[str, Any]) -> Figure:
    """Quantiles of the simulated prices and volatilities, with the path that ends lowest."""
    path, worst = names["path"], names["worst"]
    months = np.arange(path.prices.shape[1]) / 21
    figure = panels(1, 2, ["Price", "Volatility"])
    for column, values in enumerate((path.prices, path.volatilities), start=1):
        _fan(figure, months, values, column)
        _line(figure, months, values[worst], RED, "the path that ends lowest", column)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero", col=2)
    return figure.update_xaxes(title="months", range=[0, months[-1]])


def _fan(figure: Figure, months: Any, values: Any, column: int) -> None:
    for low, high, shade in zip((1, 10, 25), (99, 90, 75), SHADES, strict=True):
        lower, upper = np.percentile(values, (low, high), axis=0).round(4)
        band = {
            "x": [*months, *months[::-1]],
            "y": [*upper, *lower[::-1]],
            "fill": "toself",
            "fillcolor": shade,
        }
        label = f"{high - low} % of the paths"
        edge = {"mode": "lines", "line": {"width": 0}, "name": label, "showlegend": column == 1}
        figure.add_scatter(**band, **edge, row=1, col=column)
    _line(figure, months, np.median(values, axis=0), BLUE, "median", column)


def _line(figure: Figure, x: Any, y: Any, colour: str, name: str, column: int, row: int = 1) -> None:
    """A line; one that is in both panels is in the legend once."""
    look = {"line": {"color": colour, "width": 1.5}, "name": name, "showlegend": column == 1}
    figure.add_scatter(x=x, y=y, mode="lines", **look, row=row, col=column)


def smile(names: dict[str, Any]) -> Figure:
    """The implied volatilities of the model and of the quotes, and the delta of the calls."""
    chain, recovered = names["chain"], names["recovered"]
    figure = panels(1, 2, ["Implied volatility of the quotes", "Delta of the call"])
    last = slice(chain.offsets[-2], chain.offsets[-1])
    _line(figure, chain.strikes[last], chain.implied_volatilities[last], GREY, "model", 1)
    for index, colour in enumerate((RED, ORANGE, GREEN, BLUE)):
        contracts = slice(chain.offsets[index], chain.offsets[index + 1])
        strikes, label = chain.strikes[contracts], chain.expirations[index].labels[0]
        dots = {"mode": "markers", "marker": {"color": colour, "size": 5}, "name": label}
        figure.add_scatter(x=strikes, y=recovered[contracts], **dots, row=1, col=1)
        _line(figure, strikes, chain.call_delta[contracts], colour, label, 2)
    figure.update_yaxes(tickformat=".0%", col=1)
    return figure.update_xaxes(title="strike")


def rolling_expirations(names: dict[str, Any]) -> Figure:
    """How the expirations age and are replaced, and what a straddle costs at each."""
    titles = ["Days to each live expiration", "Term structure: straddle, % of the spot"]
    figure = panels(1, 2, titles, column_widths=[0.6, 0.4], horizontal_spacing=0.09)
    _lives(figure, names["plan"])
    _straddles(figure, names["plan"], names["now"])
    for rule, colour in RULE_COLOURS.items():
        figure.add_scatter(x=[None], y=[None], mode="lines", line={"color": colour}, name=rule, row=1, col=1)
    return figure.update_layout(legend={"x": 0.99, "y": 0.05, "xanchor": "right", "yanchor": "bottom"})


def _colour(expiration: Expiration) -> str:
    return next(colour for rule, colour in RULE_COLOURS.items() if rule in expiration.labels)


def _lives(figure: Figure, plan: ExpirationPlan) -> None:
    first = datetime(2026, 3, 16, tzinfo=UTC)
    instants = [first + timedelta(hours=4 * step) for step in range(6 * 42)]
    alive: dict[datetime, list[datetime]] = {}
    colours = {}
    for instant in instants:
        for expiration in plan.active(instant):
            alive.setdefault(expiration.expires_at, []).append(instant)
            colours[expiration.expires_at] = _colour(expiration)
    for expires_at, seen in alive.items():
        life = [seen[0], min(expires_at, seen[-1] + timedelta(hours=4))]
        moments = [life[0] + share * (life[1] - life[0]) for share in np.linspace(0.0, 1.0, 25)]
        roots = [np.sqrt(days_to_expiration(moment, expires_at)) for moment in moments]
        look = {"line": {"color": colours[expires_at], "width": 1.3}, "showlegend": False}
        figure.add_scatter(x=moments, y=roots, mode="lines", **look, row=1, col=1)
    days = (0, 1, 3, 7, 14, 30, 60, 90, 120)  # by their roots a week and four months are both visible
    ticks = {"tickvals": list(np.sqrt(days)), "ticktext": [str(day) for day in days]}
    figure.update_yaxes(range=[0, np.sqrt(130)], **ticks, row=1, col=1)
    figure.update_xaxes(range=[instants[0], instants[-1]], tickformat="%d %b", row=1, col=1)


def _straddles(figure: Figure, plan: ExpirationPlan, now: datetime) -> None:
    expirations = plan.active(now)
    chain = build_chain(
        symbol="ACME", quote_time=now, spot=100.0, base_volatility=0.2, expirations=expirations, chain_size=0
    )
    days = np.linspace(0, 1.05 * chain.days_to_expiration[-1], 60)
    _line(figure, days, 100 * 0.2 * np.sqrt(2 / np.pi * days / 365), GREY, "", 2)
    dots = {"color": [_colour(expiration) for expiration in expirations], "size": 8}
    straddles = chain.call_mid + chain.put_mid
    look = {"mode": "markers", "marker": dots, "showlegend": False}
    figure.add_scatter(x=chain.days_to_expiration, y=straddles, **look, row=1, col=2)
    figure.update_xaxes(title="days to expiration", rangemode="tozero", row=1, col=2)
    figure.update_yaxes(rangemode="tozero", row=1, col=2)


def simulation(names: dict[str, Any]) -> Figure:
    """The path, and from each monthly expiration the move that the straddle of the next one costs."""
    simulated = names["simulation"]
    instants = [simulated.parameters.simulated_at(step) for step in range(simulated.prices.size)]
    titles = ["Price, and the move that each month's straddle costs", "Volatility"]
    figure = panels(2, 1, titles, row_heights=[0.7, 0.3], shared_xaxes=True)
    previous = None
    for step in range(simulated.prices.size):
        expirations = simulated.expirations(step)
        monthly = next(index for index, found in enumerate(expirations) if "monthly" in found.labels)
        if expirations[monthly].expires_at != previous:
            _cone(figure, simulated.chain(step), monthly)
        previous = expirations[monthly].expires_at
    _line(figure, instants, simulated.prices, INK, "price", 1)
    _line(figure, instants, simulated.volatilities, RED, "volatility", 1, row=2)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero", row=2)
    figure.update_xaxes(range=[instants[0], instants[-1]], tickformat="%b")
    return figure.update_layout(showlegend=False)


def _cone(figure: Figure, chain: OptionChain, index: int) -> None:
    """The price until an expiration of the chain, give or take its straddle at the money."""
    contracts = slice(chain.offsets[index], chain.offsets[index + 1])
    at_the_money = abs(chain.strikes[contracts] - chain.underlying_price).argmin()
    straddle = (chain.call_mid[contracts] + chain.put_mid[contracts])[at_the_money]
    life = chain.expirations[index].expires_at - chain.quote_time
    shares = np.linspace(0, 1, 30)
    moments = [chain.quote_time + life * share for share in shares]
    moves = straddle * np.sqrt(shares)
    edges = [*(chain.underlying_price + moves), *(chain.underlying_price - moves)[::-1]]
    look = {"mode": "lines", "line": {"width": 0}, "fill": "toself", "fillcolor": SHADES[1]}
    figure.add_scatter(x=[*moments, *moments[::-1]], y=edges, **look, row=1, col=1)


PICTURES: dict[str, Callable[[dict[str, Any]], Figure]] = {
    picture.__name__: picture
    for picture in (price_fan, smile, rolling_expirations, simulation, *tutorial_markets.PICTURES)
}


def main() -> None:
    """Run every block, and save each picture where the text shows it."""
    names: dict[str, Any] = {}
    for part in parts(TUTORIAL.read_text(encoding="utf-8")):
        if isinstance(part, Code):
            print(part.run(names), end="")
        else:
            save(part.draw(names), part.path)


if __name__ == "__main__":
    main()

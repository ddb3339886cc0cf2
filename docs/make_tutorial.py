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

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.dates import MO, DateFormatter, WeekdayLocator
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from optionchain.chains import OptionChain, build_chain
from optionchain.expirations import Expiration, ExpirationPlan, days_to_expiration

TUTORIAL = Path(__file__).with_name("tutorial.md")

# A block of code and, where one follows, the block of what it prints; or a picture.
_PART = re.compile(
    r"^```python\n(?P<code>.*?)^```$(?:\n\n^```text\n(?P<output>.*?)^```$)?|^!\[[^\]]*\]\((?P<picture>[^)]*)\)$",
    re.MULTILINE | re.DOTALL,
)

BLUE, ORANGE, GREEN, RED, GREY = "#2a6fbb", "#e08214", "#2c9c69", "#c23b4e", "#8a8f98"
SHADES = ("#e1ebf6", "#b9cfe9", "#87abd9")  # opaque, so that the legend shows what the fan does
RULE_COLOURS = {"monthly": BLUE, "weekly": ORANGE, "daily": RED}
STYLE = {
    "figure.figsize": (9.0, 4.2),
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "grid.color": "#e6e8eb",
    "legend.frameon": False,
    "svg.hashsalt": "optionchain",  # else every run has other ids
}


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
    figure, axes = plt.subplots(1, 2)
    for panel, values, title in zip(
        axes, (path.prices, 100 * path.volatilities), ("Price", "Volatility, %"), strict=True
    ):
        _fan(panel, months, values)
        panel.plot(months, values[worst], color=RED, linewidth=1.2, label="the path that ends lowest")
        panel.set(title=title, xlabel="months", xlim=(0, months[-1]))
    axes[1].set_ylim(bottom=0)
    axes[0].legend(loc="lower left")
    return figure


def _fan(panel: Axes, months: Any, values: Any) -> None:
    for low, high, shade in zip((1, 10, 25), (99, 90, 75), SHADES, strict=True):
        lower, upper = np.percentile(values, (low, high), axis=0)
        label = f"{high - low} % of the paths"
        panel.fill_between(months, lower, upper, color=shade, linewidth=0, label=label)
    panel.plot(months, np.median(values, axis=0), color=BLUE, linewidth=1.5, label="median")


def smile(names: dict[str, Any]) -> Figure:
    """The implied volatilities of the model and of the quotes, and the delta of the calls."""
    chain, recovered = names["chain"], names["recovered"]
    figure, (volatility, delta) = plt.subplots(1, 2)
    last = slice(chain.offsets[-2], chain.offsets[-1])
    volatility.plot(chain.strikes[last], 100 * chain.implied_volatilities[last], color=GREY, label="model")
    for index, colour in enumerate((RED, ORANGE, GREEN, BLUE)):
        contracts = slice(chain.offsets[index], chain.offsets[index + 1])
        strikes, label = chain.strikes[contracts], chain.expirations[index].labels[0]
        volatility.plot(strikes, 100 * recovered[contracts], "o", color=colour, markersize=4, label=label)
        delta.plot(strikes, chain.call_delta[contracts], color=colour, label=label)
    volatility.set(title="Implied volatility of the quotes, %", xlabel="strike")
    delta.set(title="Delta of the call", xlabel="strike")
    volatility.legend()
    return figure


def rolling_expirations(names: dict[str, Any]) -> Figure:
    """How the expirations age and are replaced, and what a straddle costs at each."""
    figure, (lives, prices) = plt.subplots(1, 2, width_ratios=(3, 2))
    _lives(lives, names["plan"])
    _straddles(prices, names["plan"], names["now"])
    return figure


def _colour(expiration: Expiration) -> str:
    return next(colour for rule, colour in RULE_COLOURS.items() if rule in expiration.labels)


def _lives(panel: Axes, plan: ExpirationPlan) -> None:
    first = datetime(2026, 3, 16, tzinfo=UTC)
    instants = [first + timedelta(hours=4 * step) for step in range(6 * 42)]
    alive: dict[datetime, list[datetime]] = {}
    colours = {}
    for instant in instants:
        for expiration in plan.active(instant):
            alive.setdefault(expiration.expires_at, []).append(instant)
            colours[expiration.expires_at] = _colour(expiration)
    for expires_at, seen in alive.items():
        life = [*seen, min(expires_at, seen[-1] + timedelta(hours=4))]
        days = [days_to_expiration(instant, expires_at) for instant in life]
        panel.plot(life, days, color=colours[expires_at], linewidth=1.3)
    panel.set(title="Days to each live expiration", xlim=(instants[0], instants[-1]), ylim=(0, None))
    panel.set_yscale("function", functions=(np.sqrt, np.square))  # a week and four months both visible
    panel.set_yticks((0, 1, 3, 7, 14, 30, 60, 90, 120))
    panel.xaxis.set_major_locator(WeekdayLocator(MO))
    panel.xaxis.set_major_formatter(DateFormatter("%d %b"))


def _straddles(panel: Axes, plan: ExpirationPlan, now: datetime) -> None:
    expirations = plan.active(now)
    chain = build_chain(
        symbol="ACME", quote_time=now, spot=100.0, base_volatility=0.2, expirations=expirations, chain_size=0
    )
    days = np.linspace(0, 1.05 * chain.days_to_expiration[-1], 200)
    panel.plot(days, 100 * 0.2 * np.sqrt(2 / np.pi * days / 365), color=GREY, linewidth=1, zorder=1)
    colours = [_colour(expiration) for expiration in expirations]
    panel.scatter(chain.days_to_expiration, chain.call_mid + chain.put_mid, c=colours, zorder=2)
    title = "Term structure: straddle, % of the spot"
    panel.set(title=title, xlabel="days to expiration", xlim=(-2, None), ylim=(0, None))
    handles = [Line2D([], [], marker="o", color=colour, label=rule) for rule, colour in RULE_COLOURS.items()]
    panel.legend(handles=handles, loc="lower right")


def simulation(names: dict[str, Any]) -> Figure:
    """The path, and from each monthly expiration the move that the straddle of the next one costs."""
    simulated = names["simulation"]
    instants = [simulated.parameters.simulated_at(step) for step in range(simulated.prices.size)]
    figure, (price, volatility) = plt.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    previous = None
    for step in range(simulated.prices.size):
        expirations = simulated.expirations(step)
        monthly = next(index for index, found in enumerate(expirations) if "monthly" in found.labels)
        if expirations[monthly].expires_at != previous:
            _cone(price, simulated.chain(step), monthly)
        previous = expirations[monthly].expires_at
    price.plot(instants, simulated.prices, color="black", linewidth=1.2)
    price.set(title="Price, and the move that each month's straddle costs", xlim=(instants[0], instants[-1]))
    volatility.plot(instants, 100 * simulated.volatilities, color=RED, linewidth=1.2)
    volatility.set(title="Volatility, %", ylim=(0, None))
    volatility.xaxis.set_major_formatter(DateFormatter("%b"))
    return figure


def _cone(panel: Axes, chain: OptionChain, index: int) -> None:
    """The price until an expiration of the chain, give or take its straddle at the money."""
    contracts = slice(chain.offsets[index], chain.offsets[index + 1])
    at_the_money = abs(chain.strikes[contracts] - chain.underlying_price).argmin()
    straddle = (chain.call_mid[contracts] + chain.put_mid[contracts])[at_the_money]
    life = chain.expirations[index].expires_at - chain.quote_time
    fractions = np.linspace(0, 1, 30)
    moves = straddle * np.sqrt(fractions)
    panel.fill_between(
        [chain.quote_time + life * fraction for fraction in fractions],
        chain.underlying_price - moves,
        chain.underlying_price + moves,
        color=BLUE,
        alpha=0.25,
        linewidth=0,
    )


PICTURES: dict[str, Callable[[dict[str, Any]], Figure]] = {
    picture.__name__: picture for picture in (price_fan, smile, rolling_expirations, simulation)
}


def main() -> None:
    """Run every block, and save each picture where the text shows it."""
    mpl.use("Agg")
    names: dict[str, Any] = {}
    for part in parts(TUTORIAL.read_text(encoding="utf-8")):
        if isinstance(part, Code):
            print(part.run(names), end="")
            continue
        part.path.parent.mkdir(exist_ok=True)
        with mpl.rc_context(STYLE):
            figure = part.draw(names)
            figure.savefig(part.path, metadata={"Date": None})
            plt.close(figure)


if __name__ == "__main__":
    main()

"""Pictures show the numbers that they are of, notebooks show tables, and text that looks like markup stays text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from optionchain import (
    GeometricBrownian,
    InvalidInput,
    SimulationParameters,
    SingleExpiration,
    Sweep,
    simulate,
)
from optionchain.chains import build_chain
from optionchain.expirations import Expiration
from optionchain.measures import terminal_price, touch_probability
from optionchain.pictures import style
from optionchain.sweeps import InProcess, Silent

NOW = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
HOSTILE = "<img src=x onerror=alert(1)>"


def chain(*days, symbol="ACME", **terms):
    expirations = [
        Expiration(expires_at=NOW + timedelta(days=each), labels=(f"{each} days",)) for each in days
    ]
    given = {"spot": 100.0, "base_volatility": 0.2, "chain_size": 6, "skew_slope": -0.8, "smile_curve": 1.5}
    return build_chain(symbol=symbol, quote_time=NOW, expirations=expirations, **given | terms)


def parameters(**changes):
    given = {
        "symbol": "SPX",
        "steps": 22,
        "initial_price": 100.0,
        "volatility": 0.2,
        "method": GeometricBrownian(dt=1 / 365, drift=0.05, volatility=0.2),
        "expirations": SingleExpiration(30.0),
        "seed": 7,
        "start_at": NOW,
    }
    return SimulationParameters(**given | changes)


def swept(**changes):
    given = {
        "measures": [terminal_price],
        "grid": {"volatility": [0.1, 0.4]},
        "paths": 50,
        "base": parameters(),
    }
    return Sweep(**given | changes).run(engine=InProcess(), observer=Silent())


class Table(HTMLParser):
    """The texts of a table's cells, row by row, and the tags that it is made of."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.tags, self.shaded = [], set(), []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
            self.shaded.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.shaded[-1].append(style.IN_THE_MONEY in dict(attrs).get("style", ""))

    def handle_data(self, data):
        if self.rows:
            self.rows[-1][-1] += data


def test_a_simulation_is_its_price_and_its_volatility():
    simulation = simulate(parameters())

    price, volatility = simulation.plot().data

    np.testing.assert_array_equal(price.y, simulation.prices)
    np.testing.assert_array_equal(volatility.y, simulation.volatilities)
    assert list(price.x) == [NOW + timedelta(days=step) for step in range(22)]
    assert price.line.color in style.COLOURS
    assert volatility.line.color in style.COLOURS


@pytest.mark.parametrize("by", ["strike", "delta", "moneyness"])
def test_a_smile_has_a_line_for_each_expiration(by):
    drawn = chain(7, 30)
    across = {"strike": drawn.strikes, "delta": drawn.call_delta, "moneyness": drawn.strikes / 100.0}[by]

    figure = drawn.plot_smile(by=by)

    assert [line.name for line in figure.data] == ["2026-01-12 7 days", "2026-02-04 30 days"]
    np.testing.assert_array_equal(np.concatenate([line.x for line in figure.data]), across)
    np.testing.assert_array_equal(
        np.concatenate([line.y for line in figure.data]), drawn.implied_volatilities
    )


@pytest.mark.parametrize("value", ["call_delta", "gamma", "put_ask"])
def test_any_number_of_the_contracts_can_be_drawn(value):
    drawn = chain(7, 30)

    (line, _) = drawn.plot_smile(value).data
    (surface,) = drawn.plot_surface(value).data

    np.testing.assert_array_equal(line.y, getattr(drawn, value)[:13])
    np.testing.assert_array_equal(surface.z[1], getattr(drawn, value)[13:])


def test_a_surface_has_a_row_for_each_expiration_even_where_low_strikes_are_not_listed():
    drawn = chain(7, 365, spot=1.0, base_volatility=0.9)
    first, second = (
        drawn.strikes[start:end] for start, end in zip(drawn.offsets, drawn.offsets[1:], strict=False)
    )
    assert first.size > second.size

    (surface,) = drawn.plot_surface().data

    assert surface.y[:, 0].tolist() == [7.0, 365.0]
    np.testing.assert_array_equal(surface.x[0], first)
    np.testing.assert_array_equal(surface.x[1], [*[np.nan] * (first.size - second.size), *second])
    np.testing.assert_array_equal(surface.z[1][-second.size :], drawn.implied_volatilities[first.size :])


def test_what_cannot_be_drawn_is_refused_by_name():
    with pytest.raises(InvalidInput, match="expirations: a surface needs two or more"):
        chain(30).plot_surface()
    with pytest.raises(InvalidInput, match="value: must be one of strike, implied_volatility, call_bid"):
        chain(30).plot_smile("call_gamma")
    with pytest.raises(InvalidInput, match="by: must be one of strike, delta, moneyness"):
        chain(30).plot_smile(by="day")


def test_a_notebook_shows_the_chain_around_the_money_with_what_is_in_it_shaded():
    drawn = chain(7, 30, 91)
    middle = 6

    table = Table(drawn._repr_html_())

    headings, *rows, note = table.rows
    assert headings == ["call bid", "ask", "delta", "strike", "put bid", "ask", "delta", "implied volatility"]
    assert len(rows) == 11
    assert rows[5] == [
        f"{drawn.call_bid[middle]:,.2f}",
        f"{drawn.call_ask[middle]:,.2f}",
        f"{drawn.call_delta[middle]:.3f}",
        "100",
        f"{drawn.put_bid[middle]:,.2f}",
        f"{drawn.put_ask[middle]:,.2f}",
        f"{drawn.put_delta[middle]:.3f}",
        f"{drawn.implied_volatilities[middle]:.2%}",
    ]
    assert note == ["and 2 more expirations"]
    assert table.shaded[1] == [True] * 3 + [False] * 5
    assert table.shaded[-2] == [False] * 4 + [True] * 3 + [False]


def test_a_notebook_shows_what_a_sweep_varies_and_what_it_found():
    result = swept(measures=[terminal_price, touch_probability(90.0)])

    headings, first, second = Table(result._repr_html_()).rows

    row = result.to_polars().row(0, named=True)
    assert headings == ["volatility", "terminal_price mean", "touch_90 mean"]
    assert first[:2] == ["0.1", f"{row['terminal_price_mean']:,.4g} ± {row['terminal_price_std_error']:.2g}"]
    assert second[0] == "0.4"


def test_a_notebook_shows_a_long_sweep_in_part_and_why_a_scenario_failed():
    result = swept(grid={"method.drift": [*np.linspace(0.0, 0.2, 21), 1e3]}, paths=2)
    failed = swept(grid={"method.drift": [1e3]}, paths=2)

    table = Table(result._repr_html_())

    assert len(table.rows) == 1 + 20 + 1
    assert table.rows[-1] == ["and 2 more scenarios"]
    assert Table(failed._repr_html_()).rows[1][1] == failed.errors[0]


def test_what_looks_like_markup_is_text():
    drawn = chain(7, 30, symbol=HOSTILE)

    assert "img" not in Table(drawn._repr_html_()).tags
    for figure in (drawn.plot_smile(), drawn.plot_surface(), simulate(parameters(symbol=HOSTILE)).plot()):
        assert "<img" not in figure.to_json().replace("\\u003c", "<")


def test_what_is_shown_at_a_prompt_is_one_line():
    result = swept()

    assert repr(chain(7, 30)) == "<OptionChain ACME 100.00 at 2026-01-05 14:30: 2 expirations, 26 strikes>"
    assert repr(simulate(parameters())) == "<Simulation SPX: GeometricBrownian, 22 steps, seed 7>"
    assert repr(result) == "<SweepResult completed: 2 of 2 scenarios, 50 paths each>"
    assert repr(result.sweep) == (
        "<Sweep of SPX: 2 scenarios of volatility, 50 paths each, measuring terminal_price>"
    )


def test_one_module_decides_colours():
    colour = re.compile(r"#[0-9a-fA-F]{6}\b|rgba?\(|\b(Viridis|RdBu)\b")
    modules = Path(style.__file__).parents[1].rglob("*.py")

    assert [path.name for path in modules if colour.search(path.read_text(encoding="utf-8"))] == ["style.py"]


def test_the_page_draws_with_the_scale_of_the_notebooks():
    from plotly.colors import sequential

    stops = re.search(r"--scale: ([^;]+);", style.page_colours())

    assert stops is not None
    assert stops[1].upper().split() == [each.upper() for each in getattr(sequential, style.SCALE)]

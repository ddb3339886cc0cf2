"""The pictures of the tutorial's chapters on surfaces, products, calibration and several underlyings."""

from __future__ import annotations

from typing import Any

import numpy as np
from plotly.graph_objects import Figure

from optionchain.chains import OptionChain
from optionchain.pictures.style import BLUE, GREEN, GREY, INK, ORANGE, RED, panels
from optionchain.pricing import implied_volatility

COLOURS = (RED, ORANGE, GREEN, BLUE, INK)
# The expirations of a chain that are drawn: all are too many.
SOME = (1, 3, 4, 6)


def surface_smiles(names: dict[str, Any]) -> Figure:
    """Implied volatility by the logarithm of strike over price: one line an expiration."""
    figure = panels(1, 2, ["Parabola", "SSVI"])
    for column, chain in enumerate((names["parabola"], names["surface"]), start=1):
        for index, colour in zip(SOME, COLOURS, strict=False):
            k, volatilities, label = _smile(chain, index)
            look = {"line": {"color": colour, "width": 1.5}, "name": label, "showlegend": column == 2}
            figure.add_scatter(x=k, y=volatilities, mode="lines", **look, row=1, col=column)
    figure.update_yaxes(tickformat=".0%", range=[0.4, 1.1])
    return figure.update_xaxes(title="log of strike over price", range=[-1.2, 1.0])


def listed_strikes(names: dict[str, Any]) -> Figure:
    """The interval between strikes, by the strike, of a near and of the last expiration."""
    chain = names["spx"].chain(0)
    figure = panels(1, 1, ["Interval between listed strikes"])
    last = len(chain.expirations) - 1
    for index, colour in zip((last // 2, last), (ORANGE, BLUE), strict=True):
        strikes = chain.strikes[chain.offsets[index] : chain.offsets[index + 1]]
        label = f"{chain.expirations[index].root}, {chain.days_to_expiration[index]:.0f} days"
        line = {"color": colour, "width": 1.5, "shape": "hv"}
        figure.add_scatter(x=strikes[:-1], y=np.diff(strikes), mode="lines", line=line, name=label)
    figure.update_yaxes(rangemode="tozero")
    return figure.update_xaxes(title="strike", range=[2000.0, 10_000.0])


def fitted(names: dict[str, Any]) -> Figure:
    """Volatilities of the middles of quotes, and those that were fitted to them."""
    figure = panels(1, 1, ["Implied volatility"])
    for index, colour in zip(SOME, COLOURS, strict=False):
        k, volatilities, label = _smile(names["again"], index)
        line = {"color": colour, "width": 1.5}
        figure.add_scatter(x=k, y=volatilities, mode="lines", line=line, name=label)
        quoted = _quoted(names["surface"], index)
        dots = {"color": colour, "size": 4}
        figure.add_scatter(x=k, y=quoted, mode="markers", marker=dots, showlegend=False)
    figure.update_yaxes(tickformat=".0%", range=[0.4, 1.1])
    return figure.update_xaxes(title="log of strike over price", range=[-1.2, 1.0])


def moving_together(names: dict[str, Any]) -> Figure:
    """Prices as multiples of their first, and the moves of two of them."""
    together = names["together"]
    figure = panels(1, 2, ["Price, over the first", "Moves of a day"], horizontal_spacing=0.12)
    for each, colour in zip((together, *together.others), (BLUE, ORANGE, GREEN), strict=True):
        look = {"line": {"color": colour, "width": 1.5}, "name": each.parameters.symbol}
        steps, multiples = np.arange(each.prices.size), each.prices / each.prices[0]
        figure.add_scatter(x=steps, y=multiples, mode="lines", **look, row=1, col=1)
    dots = {"mode": "markers", "marker": {"color": GREY, "size": 4}, "showlegend": False}
    figure.add_scatter(x=names["one"], y=names["two"], **dots, row=1, col=2)
    figure.update_xaxes(title="steps", col=1)
    figure.update_yaxes(tickformat=".0%", title=together.others[0].parameters.symbol, col=2)
    return figure.update_xaxes(tickformat=".0%", title=together.parameters.symbol, col=2)


def _smile(chain: OptionChain, index: int) -> tuple[Any, Any, str]:
    own = slice(chain.offsets[index], chain.offsets[index + 1])
    label = f"{chain.days_to_expiration[index]:.0f} days"
    return np.log(chain.strikes[own] / chain.underlying_price), chain.implied_volatilities[own], label


def _quoted(chain: OptionChain, index: int) -> Any:
    """Of the middle of the quotes of the side that is out of the money."""
    own = slice(chain.offsets[index], chain.offsets[index + 1])
    strikes = chain.strikes[own]
    is_call = strikes >= chain.underlying_price
    calls, puts = chain.call_bid + chain.call_ask, chain.put_bid + chain.put_ask
    terms = {
        "spot": chain.underlying_price,
        "strike": strikes,
        "expiry_years": chain.days_to_expiration[index] / 365,
        "rate": chain.risk_free_rate,
        "dividend_yield": chain.dividend_yield,
    }
    of_calls = implied_volatility(0.5 * calls[own], option_type="call", **terms)
    of_puts = implied_volatility(0.5 * puts[own], option_type="put", **terms)
    return np.where(is_call, of_calls, of_puts)


PICTURES = (surface_smiles, listed_strikes, fitted, moving_together)

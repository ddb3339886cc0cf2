"""Tables for notebooks, as HTML; every text in them is data, shown as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from optionchain.arrays import Floats
from optionchain.pictures.style import IN_THE_MONEY

STRIKES_A_SIDE = 5
_CHAIN = {
    "call_bid": ("call bid", ",.2f"),
    "call_ask": ("ask", ",.2f"),
    "call_delta": ("delta", ".3f"),
    "strike": ("strike", ",g"),
    "put_bid": ("put bid", ",.2f"),
    "put_ask": ("ask", ",.2f"),
    "put_delta": ("delta", ".3f"),
    "implied_volatility": ("implied volatility", ".2%"),
}
_CELL = "text-align: right; padding: 2px 10px"


class Cell(NamedTuple):
    """A cell that is more than its text: in the money, or the middle of its row."""

    text: str
    is_shaded: bool = False
    is_strong: bool = False


def chain_html(title: str, columns: Mapping[str, Floats], *, spot: float, note: str) -> str:
    """The contracts around the money, calls on the left and puts on the right.

    Args:
        title: Of the table.
        columns: ``[strikes]`` of one expiration, under the names of an export.
        spot: Price of the underlying.
        note: Beneath the table.
    """
    strikes = columns["strike"]
    nearest = int(np.argmin(np.abs(strikes - spot)))
    shown = range(max(nearest - STRIKES_A_SIDE, 0), min(nearest + STRIKES_A_SIDE + 1, strikes.size))
    rows = [
        [
            Cell(
                format(columns[name][row], style),
                is_shaded=name.startswith("call" if strikes[row] < spot else "put"),
                is_strong=name == "strike",
            )
            for name, (_, style) in _CHAIN.items()
        ]
        for row in shown
    ]
    return html_table(title, [heading for heading, _ in _CHAIN.values()], rows, note)


def html_table(
    caption: str, headings: Sequence[str], rows: Iterable[Sequence[Cell | str]], note: str = ""
) -> str:
    """A table as HTML.

    Args:
        caption: Above it.
        headings: Of the columns.
        rows: Of cells.
        note: Beneath it, where there is something to say.
    """
    head = "".join(f'<th style="{_CELL}">{escape(heading)}</th>' for heading in headings)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    foot = f'<tfoot><tr><td colspan="{len(headings)}">{escape(note)}</td></tr></tfoot>' if note else ""
    above = f'<caption style="text-align: left">{escape(caption)}</caption>'
    return f"<table>{above}<thead><tr>{head}</tr></thead><tbody>{body}</tbody>{foot}</table>"


def _cell(cell: Cell | str) -> str:
    text, is_shaded, is_strong = cell if isinstance(cell, Cell) else Cell(cell)
    shade = f"; background: {IN_THE_MONEY}" if is_shaded else ""
    weight = "; font-weight: bold" if is_strong else ""
    return f'<td style="{_CELL}{shade}{weight}">{escape(text)}</td>'

"""Chains as the data folder of LEAN: daily quotes and open interest by contract, and a universe file a day.

Source: the readme of ``Data/option`` and ``LeanData.GenerateZipEntryName`` of LEAN, and the universe files that it
ships (``Data/option/usa/universes``). Prices in archives are in units of 0.0001; universe files have them in dollars.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, cast

import polars as pl

from adapters.history_files.exports.tables import quoted_sides
from adapters.history_files.exports.written import ChainWriter, written_folder
from optionchain.history.chains import HistoricalChain

UNIVERSE = (
    *("#expiry", "strike", "right", "open", "high", "low", "close", "volume", "open_interest"),
    *("implied_volatility", "delta", "gamma", "vega", "theta", "rho"),
)
STYLE = "american"
UNITS_A_DOLLAR = 10_000
_GREEKS = ("implied_volatility", "delta", "gamma", "vega", "theta")


class LeanFolder:
    """Writes what LEAN expects of one asset below its data folder; archives, which have a year each, at the end."""

    def __init__(self, folder: Path) -> None:
        self._options = folder / "option" / "usa"
        # The lines of each member of each archive.
        self._archives: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))

    def write(self, chain: HistoricalChain) -> int:
        """Add the chain of a day; returns how many contracts that were."""
        ticker, sides = chain.asset.lower(), quoted_sides(chain)
        self._write_universe(ticker, chain, sides)
        for row in sides.iter_rows(named=True):
            if (quotes := _quotes(row)) is not None:
                self._add(ticker, chain.day, "quote", row, quotes)
            if row["open_interest"] is not None:
                self._add(ticker, chain.day, "openinterest", row, f"{row['open_interest']:.0f}")
        return len(sides)

    def close(self) -> None:
        """Write the archives."""
        daily = self._options / "daily"
        daily.mkdir(parents=True, exist_ok=True)
        for name, members in self._archives.items():
            with zipfile.ZipFile(daily / name, "w", zipfile.ZIP_DEFLATED) as archive:
                for member in sorted(members):
                    archive.writestr(member, "\n".join(members[member]) + "\n")

    def _add(self, ticker: str, day: date, kind: str, row: dict[str, Any], cells: str) -> None:
        archive = f"{ticker}_{day.year}_{kind}_{STYLE}.zip"
        contract = f"{row['option_type']}_{_units(row['strike'])}_{row['expiration']:%Y%m%d}"
        self._archives[archive][f"{ticker}_{kind}_{STYLE}_{contract}.csv"].append(
            f"{day:%Y%m%d} 00:00,{cells}"
        )

    def _write_universe(self, ticker: str, chain: HistoricalChain, sides: pl.DataFrame) -> None:
        folder = self._options / "universes" / ticker
        folder.mkdir(parents=True, exist_ok=True)
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(UNIVERSE)
        lines.writerow(["", "", "", *[_plain(chain.underlying_price)] * 4, 0, *[""] * 7])
        lines.writerows(_universe_line(row) for row in sides.iter_rows(named=True))
        (folder / f"{chain.day:%Y%m%d}.csv").write_text(text.getvalue())


@contextmanager
def lean_folder(path: Path) -> Iterator[ChainWriter]:
    """A data folder of LEAN; another asset, and another year of this one, can be written into the same."""
    with written_folder(path) as folder:
        lean = LeanFolder(folder)
        yield lean.write
        lean.close()


def _universe_line(row: dict[str, Any]) -> list[Any]:
    price = _price(row)
    known = [row["volume"] or 0, row["open_interest"], *(row[name] for name in _GREEKS), None]
    cells = [
        f"{row['expiration']:%Y%m%d}",
        _plain(row["strike"]),
        row["option_type"][0].upper(),
        *[price] * 4,
        *known,
    ]
    return [_plain(cell) if isinstance(cell, float) else cell for cell in cells]


def _price(row: dict[str, Any]) -> float | None:
    """The middle of the quotes, else the last price: a day of ours has one of each, and no range."""
    if row["bid"] is not None and row["ask"] is not None:
        return float(round((row["bid"] + row["ask"]) / 2, 6))
    return cast("float | None", row["last"])


def _quotes(row: dict[str, Any]) -> str | None:
    """Four prices and a size of each side; a side without a price is left empty, as LEAN writes it."""
    sides = [row["bid"], row["ask"]]
    if sides == [None, None]:
        return None
    return ",".join(",".join([_units(price)] * 4 + ["0"]) if price is not None else ",,,," for price in sides)


def _units(price: float) -> str:
    return str(round(price * UNITS_A_DOLLAR))


def _plain(number: float) -> str:
    """Without an exponent, which LEAN does not read."""
    text = f"{number:.10f}".rstrip("0").rstrip(".")
    return text if text not in ("", "-0") else "0"

"""How a file would be imported: its shape, its columns, and which of its rows; found out before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from adapters.history_files.bar_columns import are_bars_by_position
from adapters.history_files.bars import BarMapping, detect_bars
from adapters.history_files.chain_columns import ANY_TABLE, chain_columns
from adapters.history_files.chain_detection import detect_chains
from adapters.history_files.chain_mapping import ChainMapping
from adapters.history_files.chain_units import PRICE_UNITS, VOLATILITY_UNITS, SaidUnits, check_prices
from adapters.history_files.chains import chains_of
from adapters.history_files.contracts import are_of_coins, are_only_named
from adapters.history_files.numbers import DECIMALS
from adapters.history_files.presets import PRESETS, Preset, bare_names, detect_preset
from adapters.history_files.rows import ROOT, Wanted, refuse_contract, roots_of, wanted_roots, wanted_symbol
from adapters.history_files.tables import Table, open_table
from optionchain.errors import InvalidInput
from optionchain.expirations.local_time import load_zone
from optionchain.history.chains import asset_name
from optionchain.time_frame import TimeFrame

FORMATS = ("auto", "ohlcv", ANY_TABLE.name, *PRESETS)
# Options that mean nothing for a file of the other kind, by their name on the command line.
CHAIN_OPTIONS = (
    ("date", "day"),
    ("expiration", "expiration"),
    ("underlying-price", "underlying_price"),
    ("underlying-price", "takes_closes"),
    ("volatility-unit", "volatility_unit"),
    ("price-unit", "price_unit"),
    ("strike-scale", "strike_scale"),
    ("root", "roots"),
    ("replace", "replaces"),
)
# What says each contract, so that its symbol need not.
TERMS = frozenset({"expiration", "strike", "option_type"})
# What a file of bars is told by.
BARS = frozenset({"open", "high", "low", "close"})


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What would be imported, and how; made by `plan_import`."""

    table: Table
    asset: str
    mapping: BarMapping | ChainMapping
    wanted: Wanted
    replaces: bool = False

    @property
    def rejects_path(self) -> Path:
        return self.table.path.with_name(self.table.path.name + ".rejects.csv")

    @property
    def progress_path(self) -> Path:
        return self.table.path.with_name(self.table.path.name + ".import.json")

    def describe(self) -> dict[str, str]:
        """What was detected, to be shown."""
        mapping, table = self.mapping, self.table
        shown = {"file": str(table.path), "asset": self.asset}
        if not table.is_parquet:
            header = f"line {table.lines_before}" if table.has_header else "no"
            shown |= {"delimiter": repr(table.delimiter), "header": header}
        shown |= {"decimal mark": mapping.decimal, "timezone": mapping.timezone}
        if taken := self.wanted.describe():
            shown["only rows with"] = taken
        if isinstance(mapping, BarMapping):
            shown |= {"format": "ohlcv", "time frame": mapping.timeframe.name, "dates": mapping.date_format}
            if mapping.price_scale != 1.0:
                shown["prices"] = f"times {mapping.price_scale:g}"
        else:
            shown |= {"format": mapping.preset.name, "days": "replaced" if self.replaces else "added to"}
            shown |= {f"{name} format": form for name, form in mapping.date_formats.items()}
            shown |= {
                f"{field} unit": f"{factor:g}" for field, factor in mapping.scale.items() if factor != 1.0
            }
            if mapping.in_underlying:
                shown["prices"] = "in coin"
        return shown | {f"  {name}": column for name, column in mapping.columns.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What a user says of a file, where it does not say it or says it in a way that nothing tells.

    Attributes:
        asset: Whose prices or chains they are.
        form: One of `FORMATS`.
        timeframe: What a bar spans.
        timezone: Of the instants and of the close, an IANA name.
        month_first: Of dates that could be either, read the month first, or the day; None finds out.
        decimal: The mark before a fraction, `.` or `,`; None finds out.
        price_scale: The factor of prices, of bars or of options; None finds out.
        volatility_unit: `percent` or `fraction`; None finds out.
        price_unit: `coin` or `currency`, of the prices of options; None finds out.
        strike_scale: The factor of strikes; None is the preset's.
        day: The day of a chain, where the file does not say it.
        expiration: The same.
        underlying_price: The same.
        takes_closes: Where a file of chains has no price of the underlying, take the daily close that is stored.
        columns: Of the file, by field, where their names tell nothing.
        only: Take only the rows that have this value in this column. Of a file of many assets, those of `asset` are
            taken where a column names it.
        roots: Take only contracts of these roots. None given: the asset's own.
        replaces: Put the file's chains in the place of those of the same days, instead of adding to them.
    """

    asset: str
    form: str = "auto"
    timeframe: TimeFrame = TimeFrame.DAY
    timezone: str = "UTC"
    month_first: bool | None = None
    decimal: str | None = None
    price_scale: float | None = None
    volatility_unit: str | None = None
    price_unit: str | None = None
    strike_scale: float | None = None
    day: date | None = None
    expiration: date | None = None
    underlying_price: float | None = None
    takes_closes: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, str] = field(default_factory=dict)
    roots: Sequence[str] = ()
    replaces: bool = False

    def __post_init__(self) -> None:
        asset_name(self.asset)
        for name, value, allowed in (
            ("format", self.form, FORMATS),
            ("decimal", self.decimal, (None, *DECIMALS)),
            ("volatility-unit", self.volatility_unit, (None, *VOLATILITY_UNITS)),
            ("price-unit", self.price_unit, (None, *PRICE_UNITS)),
        ):
            if value not in allowed:
                known = ", ".join(text for text in allowed if text is not None)
                raise InvalidInput(name, f"must be one of {known}")
        load_zone(self.timezone)

    @property
    def of_chains(self) -> tuple[str, ...]:
        """The options that were given and mean nothing for prices."""
        return tuple(name for name, attribute in CHAIN_OPTIONS if getattr(self, attribute))

    @property
    def units(self) -> SaidUnits:
        """What is said of the units of chains."""
        return SaidUnits(
            volatility=self.volatility_unit,
            price=self.price_unit,
            strike_scale=self.strike_scale,
            price_scale=self.price_scale,
        )


def plan_import(path: Path, **options: Any) -> ImportPlan:
    """Find out how a file is to be read; nothing is stored.

    Args:
        path: CSV or Parquet.
        options: As `ImportOptions` has them.

    Raises:
        InvalidInput: The file is unreadable, or of no shape that is known.
    """
    said = ImportOptions(**options)
    table = open_table(path)
    sample = table.sample()
    if sample.is_empty():
        raise InvalidInput("file", f"{path} has no rows")
    found = None if said.form == "ohlcv" else chain_columns(table.columns, sample, said.form, said.columns)
    if found is None and said.form == "auto" and said.of_chains and not _has_bars(table, sample):
        # Who says of it what only a chain has should read what it lacks as one.
        found = chain_columns(table.columns, sample, ANY_TABLE.name, said.columns)
    if found is None:
        return _plan_bars(table, sample, said)
    return _plan_chains(table, sample, said, *found)


def _plan_bars(table: Table, sample: pl.DataFrame, said: ImportOptions) -> ImportPlan:
    if said.of_chains:  # one that is ignored is a mistake that nobody sees
        raise InvalidInput(said.of_chains[0], "is of chains, and the file has prices")
    names = bare_names(table.columns)
    preset = detect_preset(names) if said.form == "auto" else PRESETS.get(said.form)
    known = preset.found(names) if preset is not None else {}
    given = dict(said.columns)
    symbol = given.pop("symbol", known.get("symbol"))
    refuse_contract(table.path.name.partition(".")[0], said.asset)
    wanted = Wanted(wanted_symbol(sample, said.asset, said.only, symbol=symbol, others=table.columns))
    mapping = detect_bars(
        table,
        _not_empty(wanted.taken(sample)[0], sample),
        names=(said.asset, *wanted.only.values()),
        timeframe=said.timeframe,
        timezone=said.timezone,
        month_first=said.month_first,
        decimal=said.decimal,
        given=given,
        preset=preset,
        price_scale=said.price_scale,
    )
    return ImportPlan(table, said.asset, mapping, wanted)


def _plan_chains(
    table: Table, sample: pl.DataFrame, said: ImportOptions, preset: Preset, columns: Mapping[str, str]
) -> ImportPlan:
    only = dict(said.only)
    root, contract = columns.get("root"), columns.get("contract")
    says_roots = root is not None or contract is not None
    roots = [*said.roots, *([only.pop(ROOT)] if says_roots and ROOT in only else [])]
    if roots and not says_roots:
        raise InvalidInput("root", "the file does not say the roots of its contracts")
    # Where symbols spell the contracts, their roots tell the assets: whatever else names a row stands for a contract.
    others = [
        name
        for name in table.columns
        if contract is None
        and name not in columns.values()
        and not (columns.keys() >= TERMS and are_only_named(sample[name]))
    ]
    only = wanted_symbol(sample, said.asset, only, symbol=columns.get("symbol"), others=others)
    rows = Wanted(only).taken(sample)[0]
    if says_roots:
        found = roots_of(rows, root, contract).drop_nulls().unique(maintain_order=True).to_list()
        roots = list(wanted_roots(found, (said.asset, *only.values()), roots))
    wanted = Wanted(only, tuple(roots), root, contract)
    rows = _not_empty(wanted.taken(sample)[0], sample)
    mapping = detect_chains(
        table,
        rows,
        preset,
        columns,
        day=said.day,
        expiration=said.expiration,
        underlying_price=said.underlying_price,
        takes_closes=said.takes_closes,
        units=said.units,
        timezone=said.timezone,
        month_first=said.month_first,
        decimal=said.decimal,
    )
    if said.price_unit is None and said.price_scale is None and not mapping.in_underlying:
        are_coins = contract is not None and are_of_coins(rows[contract])
        check_prices(chains_of(rows, mapping, asset=said.asset).chains, are_of_coins=are_coins)
    return ImportPlan(table, said.asset, mapping, wanted, said.replaces)


def _has_bars(table: Table, sample: pl.DataFrame) -> bool:
    if table.has_header:
        return bare_names(table.columns).keys() >= BARS
    return are_bars_by_position(table.columns, sample)


def _not_empty(rows: pl.DataFrame, sample: pl.DataFrame) -> pl.DataFrame:
    """The rows to go by: those that are wanted, where the sample has any."""
    return sample if rows.is_empty() else rows

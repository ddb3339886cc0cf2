"""Which rows of a file are taken: those of the asset and of its contracts, or those that the user asks for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from adapters.history_files.contracts import contract_terms, is_adjusted, is_contract
from adapters.history_files.presets import bare
from optionchain.errors import InvalidInput

# Columns that tell whose a row is, where a file has those of many.
SYMBOLS = (
    *(
        "underlyingsymbol",
        "actsymbol",
        "tckrsymb",
        "symbol",
        "ticker",
        "name",
        "underlying",
        "rawsymbol",
        "instrumentname",
    ),
    *(
        "tradingsymbol",
        "contract",
        "contractsymbol",
        "contractid",
        "optionsymbol",
        "occsymbol",
        "instrument",
        "pair",
    ),
    *("secid", "permno", "code", "ric", "stock", "instrumentid"),
)
ROOT = "root"
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rows to take.

    Attributes:
        only: Values by column; each column must have its own.
        roots: Of the contracts; empty takes all.
        root_column: What says the root, where a column does.
        contract_column: What spells it, where none does.
    """

    only: Mapping[str, str]
    roots: tuple[str, ...] = ()
    root_column: str | None = None
    contract_column: str | None = None

    def taken(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, Counter[str]]:
        """The rows to take, and how many of other roots there were, by root."""
        for column, value in self.only.items():
            frame = frame.filter(cells(frame, column) == value)
        if not self.roots:
            return frame, Counter()
        roots = roots_of(frame, self.root_column, self.contract_column)
        is_wanted = (
            roots.str.to_uppercase().is_in([root.upper() for root in self.roots]).fill_null(value=False)
        )
        others = roots.filter(~is_wanted).fill_null("unknown").value_counts()
        return frame.filter(is_wanted), Counter(dict(others.iter_rows()))

    def describe(self) -> str:
        """What is taken, in words; empty where all is."""
        named = [f"{column} {value}" for column, value in self.only.items()]
        return ", ".join(named + ([f"root {' or '.join(self.roots)}"] if self.roots else []))


def cells(frame: pl.DataFrame, column: str) -> pl.Series:
    """The texts of a column."""
    return frame[column].cast(pl.String).str.strip_chars()


def roots_of(frame: pl.DataFrame, root_column: str | None, contract_column: str | None) -> pl.Series:
    """The root of each row; null where none is said."""
    if root_column is not None:
        return cells(frame, root_column).str.strip_prefix("^")
    if contract_column is not None:
        return contract_terms(frame[contract_column])["root"]
    return pl.repeat(None, len(frame), dtype=pl.String, eager=True)


def wanted_symbol(
    sample: pl.DataFrame,
    asset: str,
    only: Mapping[str, str],
    *,
    symbol: str | None = None,
    others: Sequence[str] = (),
) -> dict[str, str]:
    """The values to take, by column: those asked for, and those of the asset where a file says whose rows are.

    Args:
        sample: The first rows of a file.
        asset: Whose rows are wanted.
        only: What the user asks for.
        symbol: The column that says it; None looks for one.
        others: The columns among which it looks.

    Raises:
        InvalidInput: There are rows of several others, or of a contract and not of the asset.
    """
    for name in only:
        if name not in sample.columns:
            raise InvalidInput(
                "only", f"the file has no column {name}; it has {', '.join(sample.columns[1:])}"
            )
    plain = {bare(name): name for name in reversed(others)}
    column = symbol or next((plain[name] for name in SYMBOLS if name in plain), None)
    if column is None or column in only:
        return dict(only)
    found = cells(sample, column).drop_nulls().unique(maintain_order=True).to_list()
    same = [name for name in found if _is_same(name, asset)]
    chosen = next((one[0] for one in (found, same) if len(one) == 1), None)
    if chosen is not None:
        refuse_contract(chosen, asset)
        return {**only, column: chosen}
    if not found:
        return dict(only)
    for name in found:
        refuse_contract(name, asset)
    example = f"--only {column}={found[0]}"
    raise InvalidInput("only", f"the file has rows of {', '.join(found[:SHOWN])}: say which, as in {example}")


def refuse_contract(name: str, asset: str) -> None:
    """Refuse prices of an option contract as those of its underlying.

    Raises:
        InvalidInput: A name is that of a contract, and not the asset.
    """
    if is_contract(name) and not _is_same(name, asset):
        reason = (
            f"has the prices of the option contract {name}, not of {asset}: store them with --asset "
            f"{plain_symbol(name)}, or those of many contracts as a chain of last prices with --format polygon-options"
        )
        raise InvalidInput("file", reason)


def wanted_roots(found: Sequence[str], names: Iterable[str], asked: Sequence[str]) -> tuple[str, ...]:
    """The roots to take: those asked for, else the asset's own, else the only one that begins as the asset does.

    Args:
        found: Of the contracts in the sample.
        names: Of the asset, as the user and the file have it.
        asked: What the user asks for.

    Raises:
        InvalidInput: There are several and none is the asset's, or only an adjusted one.
    """
    if asked:
        return tuple(asked)
    assets = [plain_symbol(name) for name in names]
    if own := [root for asset in assets for root in found if plain_symbol(root) == asset]:
        return (own[0],)
    adjusted = [root for root in found if any(is_adjusted(root, asset) for asset in assets)]
    # SPXW of SPX: another root of the same underlying begins alike.
    others = [root for root in found if root not in adjusted]
    kin = [root for root in others if any(plain_symbol(root).startswith(asset) for asset in assets)]
    if len(kin) == 1:
        return (kin[0],)
    if not found:
        return ()
    why = (
        ", adjusted contracts, which deliver something else than 100 shares"
        if not others
        else f", not of {assets[0]}"
    )
    raise InvalidInput(
        "root", f"the file has contracts of {', '.join(found[:SHOWN])}{why}: say --root {found[0]}"
    )


def _is_same(name: str, asset: str) -> bool:
    return plain_symbol(name) == plain_symbol(asset)


def plain_symbol(name: str) -> str:
    """A symbol without the marks that vendors set before it and before the class of a share.

    `^SPX`, `I:SPX`, `O:SPY240119C00500000`; `BRK.B`, `BRK-B`, `BRK/B` and the `BRKB` of its options are one.
    """
    plain = re.sub(r"^([A-Z]:|[\^$.])", "", name.strip()).replace(" ", "").upper()
    return re.sub(r"^([A-Z]{1,5})[.\-/]([A-Z])$", r"\1\2", plain)

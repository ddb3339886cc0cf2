"""Symbols of option contracts: the root, expiration, side and strike that they spell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import polars as pl

_ROOT = r"(?P<root>[^\s\d:][^\s:]{0,5}?)"
_ROOT_OR_FLEX = r"(?P<root>\d?[^\s\d:][^\s:]{0,5}?)"
_TERMS = r"(?P<expiration>\d{6})(?P<side>[CP])"
_DOLLARS = r"(?P<strike>\d+(?:\.\d+)?)"
_COINS = (
    r"^(?P<root>[A-Z0-9]+(?:[-_]USD[CT]?)?)-(?P<expiration>\d{6}|\d{1,2}[A-Z]{3}\d{2})"
    r"-(?P<strike>\d+(?:[d.]\d+)?)-(?P<side>[CP])(?:-USD[CT])?$"
)


@dataclass(frozen=True, slots=True)
class _Form:
    """One way to spell a contract.

    Attributes:
        pattern: With the groups of `_PARTS`.
        dates: Formats of the expiration.
        thousandths: Whether the strike is in them.
    """

    pattern: str
    dates: tuple[str, ...] = ("%y%m%d",)
    thousandths: bool = False


# Contracts that are quoted in dollars where others of the exchange are quoted in coin.
IN_DOLLARS = r"_USD[CT]?$|-USD[CT]$"
_PARTS = ("root", "expiration", "side", "strike")
_FORMS = (
    # OCC, also padded to 21 characters, behind the `O:` of Polygon or a dot: SPXW  240119C04750000. Of FLEX options the
    # root begins with a digit: 2SPY.
    _Form(rf"^(?:O[:_]|\.)?{_ROOT_OR_FLEX}\s*{_TERMS}(?P<strike>\d{{8}})$", thousandths=True),
    # OptionMetrics: SPX 240119C4750000.
    _Form(rf"^{_ROOT}\s+{_TERMS}(?P<strike>\d+)$", thousandths=True),
    # thinkorswim: .SPY240119C470.
    _Form(rf"^\.{_ROOT}{_TERMS}{_DOLLARS}$"),
    # TD Ameritrade: SPY_011924C470.
    _Form(rf"^{_ROOT}_{_TERMS}{_DOLLARS}$", ("%m%d%y",)),
    # Deribit, OKX, Bybit, Binance: BTC-27DEC24-100000-C, XRP_USDC-30JUN23-0d625-P, BTC-USD-240119-40000-C.
    _Form(_COINS, ("%y%m%d", "%d%b%y")),
)
# Spellings that tell at least that it is a contract: NIFTY26APR23100CE, BANKNIFTY2640748000PE; SPY 19JAN24 470 C.
_NSE = r"^[A-Z&-]+?\d{2}(?:[A-Z]{3}|[1-9OND]\d{2})\d+(?:\.\d+)?[CP]E$"
_WORDS = r"^[A-Z.]{1,6} .*\d (?:C|P|CALL|PUT)$"
_ANY = re.compile(
    "|".join(re.sub(r"\?P<\w+>", "", form) for form in (*(f.pattern for f in _FORMS), _NSE, _WORDS))
)


def is_contract(symbol: str) -> bool:
    """Whether a symbol names an option contract, and not an asset."""
    return _ANY.match(symbol.strip().upper()) is not None


def are_only_named(cells: pl.Series) -> bool:
    """Whether the cells are symbols of contracts, all of one root: NIFTY26JAN26000CE, which spells no day."""
    texts = cells.cast(pl.String).drop_nulls().str.strip_chars().unique()
    roots = texts.str.extract(r"^([A-Z&-]+?)\d").unique()
    return len(texts) > 0 and len(roots) == 1 and all(map(is_contract, texts.to_list()))


def are_contracts(cells: pl.Series) -> bool:
    """Whether most cells spell the terms of a contract."""
    texts = cells.cast(pl.String).drop_nulls()
    return len(texts) > 0 and 2 * len(contract_terms(texts)["root"].drop_nulls()) > len(texts)


def contract_terms(cells: pl.Series) -> pl.DataFrame:
    """The `root`, `expiration` (a date), `side` (c or p) and `strike` of each symbol; null where it is none."""
    texts = cells.cast(pl.String).str.strip_chars()
    kinds = zip(_PARTS, (pl.String, pl.Date, pl.String, pl.Float64), strict=True)
    terms = pl.DataFrame(
        [pl.repeat(None, len(texts), dtype=kind, eager=True).alias(part) for part, kind in kinds]
    )
    for form in _FORMS:
        if not terms["root"].has_nulls():
            break
        spelt = texts.str.extract_groups(form.pattern).struct.unnest().select(_read(form))
        terms = terms.with_columns(terms[part].fill_null(spelt[part]) for part in _PARTS)
    return terms


def occ_symbol(root: str, expiration: date, option_type: str, strike: float) -> str:
    """The symbol of a contract, as the OCC spells it, without blanks: SPXW240119C04750000."""
    return f"{root}{expiration:%y%m%d}{option_type[0].upper()}{round(strike * 1000):08d}"


def are_of_coins(cells: pl.Series) -> bool:
    """Whether an exchange that quotes options in coin has any of these contracts: BTC-27DEC24-100000-C."""
    coins = contract_terms(cells.filter(cells.cast(pl.String).str.contains(_COINS)))["root"]
    return bool((~coins.str.contains(IN_DOLLARS)).any())


def is_adjusted(root: str, asset: str) -> bool:
    """Whether contracts of a root deliver something else than those of the asset: QZB1 of QZB, after a split."""
    return re.fullmatch(re.escape(asset) + r"\d", root, re.IGNORECASE) is not None


def _read(form: _Form) -> list[pl.Expr]:
    """The parts of a symbol as what they mean."""
    # A day of one digit, as Deribit writes it.
    text = pl.col("expiration").str.to_titlecase()
    dates = [
        (text.str.zfill(7) if "%b" in one else text).str.to_date(one, strict=False) for one in form.dates
    ]
    strike = pl.col("strike").str.replace("d", ".", literal=True)
    if form.thousandths:
        # As a text: a division could miss the last digit.
        digits = strike.str.zfill(4)
        strike = pl.concat_str(digits.str.head(-3), pl.lit("."), digits.str.tail(3))
    return [
        pl.col("root"),
        pl.coalesce(dates).alias("expiration"),
        pl.col("side").str.to_lowercase(),
        strike.cast(pl.Float64).alias("strike"),
    ]

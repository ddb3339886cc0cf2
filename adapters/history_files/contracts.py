"""Symbols of option contracts: the root, expiration, side and strike that they spell."""

from __future__ import annotations

import re
from datetime import date

import polars as pl

# OCC, also padded to 21 characters, behind the `O:` of Polygon or the dot of others: SPXW  240119C04750000.
_OCC = r"^(?:O:|\.)?(?P<root>[^\s\d:][^\s:]{0,5}?)\s*(?P<expiration>\d{6})(?P<side>[CP])(?P<strike>\d{8})$"
# Deribit, OKX, Bybit, Binance: BTC-27DEC24-100000-C, XRP_USDC-30JUN23-0d625-P, BTC-USD-240119-40000-C.
_DASHED = (
    r"^(?P<root>[A-Z0-9]+(?:[-_]USD[CT]?)?)-(?P<expiration>\d{6}|\d{1,2}[A-Z]{3}\d{2})"
    r"-(?P<strike>\d+(?:[d.]\d+)?)-(?P<side>[CP])(?:-USD[CT])?$"
)
# NSE: NIFTY26APR23100CE, BANKNIFTY2640748000PE.
_NSE = r"^(?P<root>[A-Z&-]+?)\d{2}(?:[A-Z]{3}|[1-9OND]\d{2})\d+(?:\.\d+)?[CP]E$"
# Looser spellings, which tell at least that it is a contract: SPY_011924C470, SPX 240119C4750000, SPY 19JAN24 470 C.
_LOOSE = r"^(?:O[:_]|\.)?[A-Z.]{1,6}\d?[ _]*\d{6}[CP]\d+(?:\.\d+)?$"
_WORDS = r"^[A-Z.]{1,6} .*\d (?:C|P|CALL|PUT)$"
_ANY = re.compile("|".join(re.sub(r"\?P<\w+>", "", form) for form in (_OCC, _DASHED, _NSE, _LOOSE, _WORDS)))
_PARTS = ("root", "expiration", "side", "strike")


def is_contract(symbol: str) -> bool:
    """Whether a symbol names an option contract, and not an asset."""
    return _ANY.match(symbol.strip().upper()) is not None


def are_contracts(cells: pl.Series) -> bool:
    """Whether most cells spell the terms of a contract."""
    texts = cells.cast(pl.String).drop_nulls()
    return len(texts) > 0 and 2 * len(contract_terms(texts)["root"].drop_nulls()) > len(texts)


def contract_terms(cells: pl.Series) -> pl.DataFrame:
    """The `root`, `expiration` (a date), `side` (c or p) and `strike` of each symbol; null where it is none."""
    texts = cells.cast(pl.String).str.strip_chars()
    occ, dashed = (texts.str.extract_groups(form).struct.unnest().select(_PARTS) for form in (_OCC, _DASHED))
    return pl.concat(
        [occ, dashed.rename({part: f"dashed_{part}" for part in _PARTS})], how="horizontal"
    ).select(
        pl.coalesce("root", "dashed_root").alias("root"),
        _dates(pl.coalesce("expiration", "dashed_expiration")).alias("expiration"),
        pl.coalesce("side", "dashed_side").str.to_lowercase().alias("side"),
        pl.coalesce(
            # As a text: a division could miss the last digit.
            pl.concat_str(pl.col("strike").str.head(5), pl.lit("."), pl.col("strike").str.tail(3)).cast(
                pl.Float64
            ),
            pl.col("dashed_strike").str.replace("d", ".", literal=True).cast(pl.Float64),
        ).alias("strike"),
    )


def occ_symbol(root: str, expiration: date, option_type: str, strike: float) -> str:
    """The symbol of a contract, as the OCC spells it, without blanks: SPXW240119C04750000."""
    return f"{root}{expiration:%y%m%d}{option_type[0].upper()}{round(strike * 1000):08d}"


def is_adjusted(root: str, asset: str) -> bool:
    """Whether contracts of a root deliver something else than those of the asset: QZB1 of QZB, after a split."""
    return re.fullmatch(re.escape(asset) + r"\d", root, re.IGNORECASE) is not None


def _dates(texts: pl.Expr) -> pl.Expr:
    return pl.coalesce(
        ("20" + texts).str.to_date("%Y%m%d", strict=False),
        # A day of one digit, as Deribit writes it.
        texts.str.zfill(7).str.to_titlecase().str.to_date("%d%b%y", strict=False),
    )

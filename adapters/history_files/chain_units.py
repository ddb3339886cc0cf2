"""In which units a file of chains writes its numbers: what is said, what a vendor is known for, or what they tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from adapters.history_files.chain_columns import PRICES
from adapters.history_files.chain_mapping import ChainMapping
from adapters.history_files.numbers import numbers
from adapters.history_files.placeholders import without_placeholders
from optionchain.arrays import Floats
from optionchain.errors import InvalidInput
from optionchain.history.chains import HistoricalChain

# The lowest quarter of a chain is below the one in fractions, and above the other in percent.
HIGHEST_FRACTION, LOWEST_PERCENT = 2.0, 4.0
# Of the middle strike of a file, in prices of the underlying.
FARTHEST_STRIKE = 50.0
# What no option costs, in prices of the underlying: fixed-point numbers.
HIGHEST_PRICE = 1000.0
# What hardly an option costs in coin, and what one in currency brings at least of what exercise would.
HIGHEST_IN_COIN, LEAST_OF_INTRINSIC = 1.0, 0.005
# Of a coin below this, prices in coin look as those in currency.
CHEAPEST_COIN = 200.0
VOLATILITY_UNITS = {"fraction": 1.0, "percent": 0.01}
PRICE_UNITS = ("currency", "coin")


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidUnits:
    """What a user says of units; None finds out.

    Attributes:
        volatility: One of `VOLATILITY_UNITS`.
        price: One of `PRICE_UNITS`.
        strike_scale: The factor of strikes.
        price_scale: The factor of prices of options.
    """

    volatility: str | None = None
    price: str | None = None
    strike_scale: float | None = None
    price_scale: float | None = None


def units_of(
    mapping: ChainMapping, sample: pl.DataFrame, said: SaidUnits
) -> tuple[dict[str, float], tuple[str, ...]]:
    """The factors into our units, and the fields of prices that are in coin.

    Args:
        mapping: Of the file, without them.
        sample: Some of its rows.
        said: What counts before all that is found out.

    Raises:
        InvalidInput: The numbers could be in several units; the field is the option that says it.
    """
    scales = {
        **mapping.preset.scale,
        "implied_volatility": _volatility_unit(mapping, sample, said.volatility),
    }
    scales.setdefault("delta", _delta_unit(mapping, sample))
    if said.strike_scale is not None:
        scales["strike"] = said.strike_scale
    elif "strike" not in scales:
        _check_strikes(mapping, sample)
    if said.price_scale is not None:
        scales |= dict.fromkeys(PRICES, said.price_scale)
    return scales, _in_coin(mapping, said)


def _in_coin(mapping: ChainMapping, said: SaidUnits) -> tuple[str, ...]:
    """The fields of prices in units of the underlying."""
    if said.price == "coin":
        if "underlying_price" not in mapping.columns and mapping.underlying_price is None:
            raise InvalidInput("price-unit", "coin needs the price of the underlying: in a column, or given")
        return tuple(field for field in mapping.quotes if field.endswith(PRICES))
    return mapping.preset.in_underlying if said.price is None else ()


def check_prices(chains: Iterable[HistoricalChain], *, are_of_coins: bool) -> None:
    """Refuse prices of options in a unit that is none of their underlying's.

    Args:
        chains: As a file would be read.
        are_of_coins: Whether an exchange that quotes in coin has the contracts.

    Raises:
        InvalidInput: They seem to be in coin, or fixed-point; the field is the option that says it.
    """
    for chain in chains:
        prices, of_exercise = _highest_prices(chain)
        if not len(prices):
            continue
        said = f"prices such as {np.median(prices):g} beside an underlying at {chain.underlying_price:g}"
        if np.median(prices) > HIGHEST_PRICE * chain.underlying_price:
            reason = (
                "are in another unit: give their factor, 1e-9 for fixed-point, or 1 if that is what they are"
            )
            raise InvalidInput("price-scale", f"{said} {reason}")
        if chain.underlying_price < CHEAPEST_COIN or prices.max() >= HIGHEST_IN_COIN:
            continue
        deep = of_exercise > 0
        brings_little = deep.any() and np.median(prices[deep] / of_exercise[deep]) < LEAST_OF_INTRINSIC
        if are_of_coins or brings_little:
            raise InvalidInput("price-unit", f"{said} may be in coin: say coin or currency")


def _highest_prices(chain: HistoricalChain) -> tuple[Floats, Floats]:
    """The highest price of each call and put that has one above 0, and what its exercise would bring."""
    sides = (chain.calls, chain.puts)
    prices = np.concatenate([np.fmax(np.fmax(side.bid, side.ask), side.last) for side in sides])
    in_the_money = chain.underlying_price - chain.strikes
    is_priced = prices > 0
    return prices[is_priced], np.concatenate([in_the_money, -in_the_money])[is_priced]


def _check_strikes(mapping: ChainMapping, sample: pl.DataFrame) -> None:
    """Refuse strikes in a unit that is none of the underlying's, as thousandths or fixed-point."""
    middles = {
        field: numbers(sample[mapping.columns[field]], mapping.decimal)[0].median()
        for field in ("strike", "underlying_price")
        if field in mapping.columns
    }
    strike, price = middles.get("strike"), middles.get("underlying_price", mapping.underlying_price)
    if not isinstance(strike, float) or not isinstance(price, float) or strike <= 0 or price <= 0:
        return
    if not 1 / FARTHEST_STRIKE < strike / price < FARTHEST_STRIKE:
        reason = (
            f"strikes such as {strike:g} beside an underlying at {price:g} are in another unit: give their factor, "
            "0.001 for thousandths, or 1 if that is what they are"
        )
        raise InvalidInput("strike-scale", reason)


def _volatility_unit(mapping: ChainMapping, sample: pl.DataFrame, said: str | None) -> float:
    """The factor that makes implied volatilities fractions.

    Raises:
        InvalidInput: They could be in either unit.
    """
    if said is not None:
        return VOLATILITY_UNITS[said]
    known = mapping.preset.scale.get("implied_volatility")
    quarter = _quoted(mapping, sample, "implied_volatility").quantile(0.25)
    seen = _seen_unit(quarter)
    if quarter is None or (seen is not None and known in (None, seen)):
        return known or seen or VOLATILITY_UNITS["fraction"]
    if known is not None and seen is None:
        return known
    usual = f", and those of {mapping.preset.name} are the other" if known is not None else ""
    seem = f"implied volatilities such as {quarter:g} are {quarter:g} % or {quarter:.0%}"
    reason = f"{seem}{usual}: say percent or fraction"
    raise InvalidInput("volatility-unit", reason)


def _seen_unit(quarter: float | None) -> float | None:
    """The factor that the lowest quarter of the numbers tells; None where it could be either."""
    if quarter is None or HIGHEST_FRACTION < quarter < LOWEST_PERCENT:
        return None
    return VOLATILITY_UNITS["fraction" if quarter <= HIGHEST_FRACTION else "percent"]


def _delta_unit(mapping: ChainMapping, sample: pl.DataFrame) -> float:
    """The factor that makes deltas fractions: none is above 1, and in percent most are."""
    middle = _quoted(mapping, sample, "delta").abs().median()
    return VOLATILITY_UNITS["percent"] if isinstance(middle, float) and middle > 1.0 else 1.0


def _quoted(mapping: ChainMapping, sample: pl.DataFrame, quote: str) -> pl.Series:
    """The numbers of a quote in a sample, of calls and puts."""
    fields = [field for field in mapping.quotes if field.endswith(quote) and field in mapping.columns]
    read = {field: numbers(sample[mapping.columns[field]], mapping.decimal)[0] for field in fields}
    quoted = without_placeholders(pl.DataFrame(read), fields)[0]
    return pl.concat([pl.Series([], dtype=pl.Float64), *(quoted[field].alias("") for field in fields)])

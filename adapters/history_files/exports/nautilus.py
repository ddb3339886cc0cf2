"""Chains as a Parquet catalogue of nautilus_trader, a package of its own: an instrument a contract, and its quotes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AssetClass, OptionKind
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import OptionContract
from nautilus_trader.model.objects import Currency, Price, Quantity
from nautilus_trader.persistence.catalog import ParquetDataCatalog

from adapters.history_files.contracts import occ_symbol
from adapters.history_files.exports.tables import quoted_sides
from adapters.history_files.exports.written import ChainWriter, written_folder
from optionchain.history.chains import HistoricalChain

VENUE = "OPRA"
CURRENCY = "USD"
SHARES = 100
# History has no sizes, and a quote there must have one.
SIZE = 1
LEAST_DECIMALS, MOST_DECIMALS = 2, 9


@dataclass(slots=True)
class _Contract:
    """One contract, and what was quoted: nanoseconds since 1970, bid, ask."""

    underlying: str
    expires_at: datetime
    is_call: bool
    strike: float
    quotes: list[tuple[int, float, float]] = field(default_factory=list)


@contextmanager
def nautilus_catalog(path: Path) -> Iterator[ChainWriter]:
    """A catalogue, with the instruments and quotes of what is written; contracts without bid or ask are left out."""
    contracts: dict[str, _Contract] = {}

    def write(chain: HistoricalChain) -> int:
        quoted = quoted_sides(chain).drop_nulls(["bid", "ask"])
        quoted_at = int(chain.quote_time.timestamp() * 1e9)
        for row in quoted.iter_rows(named=True):
            symbol = occ_symbol(chain.asset, row["expiration"], row["option_type"], row["strike"])
            if symbol not in contracts:
                contracts[symbol] = _contract(chain, row)
            contracts[symbol].quotes.append((quoted_at, row["bid"], row["ask"]))
        return len(quoted)

    with written_folder(path) as folder:
        yield write
        catalog = ParquetDataCatalog(str(folder.resolve()))
        for symbol, contract in contracts.items():
            catalog.write_data(_nautilus_data(symbol, contract))


def _contract(chain: HistoricalChain, row: dict[str, Any]) -> _Contract:
    # Of the expiration only the day is known: it is taken to be at the clock of the quotes.
    expires_at = datetime.combine(row["expiration"], chain.quote_time.timetz())
    return _Contract(chain.asset, expires_at, row["option_type"] == "call", row["strike"])


def _nautilus_data(symbol: str, contract: _Contract) -> list[Any]:
    """The instrument of a contract and its quotes, as the package has them."""
    identity = InstrumentId(Symbol(symbol), Venue(VENUE))
    decimals = max(_decimals(price) for _, *prices in contract.quotes for price in prices)
    first = contract.quotes[0][0]
    instrument = OptionContract(
        instrument_id=identity,
        raw_symbol=Symbol(symbol),
        asset_class=AssetClass.EQUITY,
        currency=Currency.from_str(CURRENCY),
        price_precision=decimals,
        price_increment=Price(10.0**-decimals, decimals),
        multiplier=Quantity.from_int(SHARES),
        lot_size=Quantity.from_int(1),
        underlying=contract.underlying,
        option_kind=OptionKind.CALL if contract.is_call else OptionKind.PUT,
        strike_price=Price(contract.strike, _decimals(contract.strike)),
        activation_ns=first,
        expiration_ns=int(contract.expires_at.timestamp() * 1e9),
        ts_event=first,
        ts_init=first,
    )
    size = Quantity.from_int(SIZE)
    ticks = [
        QuoteTick(identity, Price(bid, decimals), Price(ask, decimals), size, size, quoted_at, quoted_at)
        for quoted_at, bid, ask in contract.quotes
    ]
    return [instrument, *ticks]


def _decimals(price: float) -> int:
    """The decimals that a price needs, from cents on."""
    return next(
        (n for n in range(LEAST_DECIMALS, MOST_DECIMALS) if round(price, n) == round(price, MOST_DECIMALS)),
        MOST_DECIMALS,
    )

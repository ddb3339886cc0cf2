"""A snapshot as the server sent it, with names for what everybody reads, and as a table of contracts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from optionchain_client.frames import Columns, pandas_frame, polars_frame

if TYPE_CHECKING:
    import pandas
    import polars

_QUOTE = ("bid", "ask", "mid")
_GREEKS = (
    *("delta", "gamma", "theta", "vega", "rho", "rho_d"),
    *("alpha", "vanna", "vomma", "veta", "charm", "color"),
)

COLUMNS: Columns = {
    "step": "count",
    "contract_symbol": "text",
    "symbol": "category",
    "quote_time": "instant",
    "expiration": "instant",
    "days_to_expiration": "number",
    "strike": "number",
    "option_type": "category",
    **dict.fromkeys((*_QUOTE, "implied_volatility", *_GREEKS, "underlying_price"), "number"),
}
"""The columns of the library's option chains, after the step; units are theirs."""

_ROOT = re.compile(r"[A-Z0-9]{1,6}")
_MOST_MILLS = 99_999_999


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The market at one step.

    Attributes:
        step: Its index, 0-based.
        total_steps: How many snapshots there are.
        body: The server's JSON object, whole.
    """

    step: int
    total_steps: int
    body: Mapping[str, Any] = field(repr=False)

    @property
    def symbol(self) -> str:
        symbol: str = self._underlying["symbol"]
        return symbol

    @property
    def price(self) -> float:
        """Price of the underlying, in its currency."""
        price: float = self._underlying["price"]
        return price

    @property
    def simulated_at(self) -> datetime:
        """The simulated instant (UTC)."""
        return datetime.fromisoformat(self.body["timestamp" if self._is_chain else "simulated_at"])

    @property
    def chains(self) -> list[Mapping[str, Any]]:
        """One chain an expiration: `expires_at`, `days_to_expiration`, `labels` and `contracts`; `root`, `settlement`,
        `last_trade_at` and `date` where they are said.
        """
        if not self._is_chain:
            chains: list[Mapping[str, Any]] = self.body["chains"]
            return chains
        contracts = self.body["contracts"]
        if not contracts:
            return []
        expires_at = contracts[0]["expiration"]
        days = (datetime.fromisoformat(expires_at) - self.simulated_at) / timedelta(days=1)
        chain = {"expires_at": expires_at, "days_to_expiration": days, "labels": [], "contracts": contracts}
        return [chain]

    @property
    def others(self) -> list[Snapshot]:
        """The further underlyings of a market at the same step."""
        shared = {name: self.body[name] for name in ("session_info", "simulated_at") if name in self.body}
        return [
            Snapshot(self.step, self.total_steps, {**shared, **other})
            for other in self.body.get("others", [])
        ]

    @property
    def contracts(self) -> list[Mapping[str, Any]]:
        """The contracts of all expirations."""
        return [contract for chain in self.chains for contract in chain["contracts"]]

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a call or put, by expiration and strike, under the names of `COLUMNS`; None is not known.

        Greeks of a later server than this client stand in the rows that have them, behind the others. The rows of the
        other underlyings of a market come last."""
        head = {"step": self.step, "symbol": self.symbol, "quote_time": self.simulated_at}
        tail = {"underlying_price": self.price}
        for chain in self.chains:
            expiration = datetime.fromisoformat(chain["expires_at"])
            root = chain.get("root", self.symbol)
            day = date.fromisoformat(chain["date"]) if "date" in chain else expiration.date()
            terms = {"expiration": expiration, "days_to_expiration": chain["days_to_expiration"]}
            for contract in chain["contracts"]:
                for side in ("call", "put"):
                    name = contract_symbol(root, day, side, contract["strike"])
                    yield head | {"contract_symbol": name} | terms | _side(contract, side) | tail
        for other in self.others:
            yield from other.rows()

    def to_polars(self) -> polars.DataFrame:
        """The rows as a polars frame."""
        return to_polars([self])

    def to_pandas(self) -> pandas.DataFrame:
        """The rows as a pandas frame."""
        return to_pandas([self])

    @property
    def _is_chain(self) -> bool:
        return "session_info" in self.body

    @property
    def _underlying(self) -> Mapping[str, Any]:
        if self._is_chain:
            return {"symbol": self.body["underlying"], "price": self.body["price"]}
        underlying: Mapping[str, Any] = self.body["underlying"]
        return underlying


def peeked(body: Mapping[str, Any]) -> Snapshot:
    """The snapshot at the cursor."""
    return _snapshot(body, behind=0)


def served(body: Mapping[str, Any]) -> list[Snapshot]:
    """The snapshots of a step's answer; the cursor is behind each."""
    return [_snapshot(one, behind=1) for one in body.get("snapshots", [body])]


def to_polars(snapshots: Iterable[Snapshot]) -> polars.DataFrame:
    """One polars frame of many snapshots, one row a call or put, by step, expiration and strike.

    Raises:
        ImportError: polars is not installed.
    """
    return polars_frame(*_table(snapshots))


def to_pandas(snapshots: Iterable[Snapshot]) -> pandas.DataFrame:
    """One pandas frame of many snapshots, one row a call or put, by step, expiration and strike.

    Raises:
        ImportError: pandas is not installed.
    """
    return pandas_frame(*_table(snapshots))


def _table(snapshots: Iterable[Snapshot]) -> tuple[list[dict[str, Any]], Columns]:
    """The rows, and their columns: `COLUMNS`, and greeks that only the server knows."""
    rows = [row for snapshot in snapshots for row in snapshot.rows()]
    longer = (row for row in rows if len(row) > len(COLUMNS))
    further: Columns = {name: "number" for row in longer for name in row if name not in COLUMNS}
    return rows, {**COLUMNS, **further}


def contract_symbol(root: str, expiration: date, side: str, strike: float) -> str | None:
    """The 21-character symbol of a listed contract; None where it has none, by the rules of the OCC."""
    mills = round(strike * 1000.0)
    is_expressible = 0 < mills <= _MOST_MILLS and mills / 1000.0 == strike and expiration.year // 100 == 20
    if not is_expressible or not _ROOT.fullmatch(root):
        return None
    return f"{root:6}{expiration:%y%m%d}{side[0].upper()}{mills:08}"


def _snapshot(body: Mapping[str, Any], *, behind: int) -> Snapshot:
    cursor = body["session_info"] if "session_info" in body else body["cursor"]
    return Snapshot(cursor["current_step"] - behind, cursor["total_steps"], body)


def _side(contract: Mapping[str, Any], side: str) -> dict[str, Any]:
    quote = contract[side]
    greeks = {**quote.get("greeks", {}), "delta": quote["delta"], "gamma": contract["gamma"]}
    return {
        "strike": contract["strike"],
        "option_type": side,
        "implied_volatility": contract["implied_volatility"],
        **{name: quote[name] for name in _QUOTE},
        **dict.fromkeys(_GREEKS),
        **greeks,
    }

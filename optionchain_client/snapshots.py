"""A snapshot as the server sent it, with names for what everybody reads, and as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

_SIDES = ("call", "put")
_SHARED_GREEKS = ("gamma", "theta", "vega", "rho")


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
    body: Mapping[str, Any]

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
        """One chain an expiration: `expires_at`, `days_to_expiration`, `labels` and `contracts`."""
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
    def contracts(self) -> list[Mapping[str, Any]]:
        """The contracts of all expirations."""
        return [contract for chain in self.chains for contract in chain["contracts"]]

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row a strike and expiration, under the names of the server's exports."""
        head = {
            "step": self.step,
            "simulated_at": self.simulated_at,
            "symbol": self.symbol,
            "price": self.price,
        }
        for chain in self.chains:
            expiration = {
                "expires_at": datetime.fromisoformat(chain["expires_at"]),
                "labels": "|".join(chain["labels"]),
                "days_to_expiration": chain["days_to_expiration"],
            }
            for contract in chain["contracts"]:
                yield head | expiration | _contract_row(contract)

    def to_polars(self) -> pl.DataFrame:
        """The rows as a polars frame."""
        return to_polars([self])

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


def to_polars(snapshots: Iterable[Snapshot]) -> pl.DataFrame:
    """One polars frame of many snapshots, one row a strike, expiration and step.

    Raises:
        ImportError: polars is not installed.
    """
    import polars as pl  # noqa: PLC0415  half a second and 100 MB that not every user needs

    return pl.DataFrame([row for snapshot in snapshots for row in snapshot.rows()], infer_schema_length=None)


def _snapshot(body: Mapping[str, Any], *, behind: int) -> Snapshot:
    cursor = body["session_info"] if "session_info" in body else body["cursor"]
    return Snapshot(cursor["current_step"] - behind, cursor["total_steps"], body)


def _contract_row(contract: Mapping[str, Any]) -> dict[str, Any]:
    row = {"strike": contract["strike"], "implied_volatility": contract["implied_volatility"]}
    for side in _SIDES:
        row |= {f"{side}_{name}": value for name, value in contract[side].items()}
    return row | {name: contract[name] for name in _SHARED_GREEKS if name in contract}

"""One leg of an option strategy: how many contracts, of which side, and which strike of the listed ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from optionchain.arrays import Floats
from optionchain.chains.path_chains import PathChains
from optionchain.declared.checks import finite, positive
from optionchain.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class ByDelta:
    """The listed strike whose delta is nearest in size.

    Attributes:
        delta: In (0, 1), without a sign.
    """

    delta: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "delta", positive("delta", self.delta, high=1.0))

    def distance(self, strikes: Floats, deltas: Floats, spots: Floats) -> Floats:
        """How far each strike is from what is asked for; arguments ``[paths, strikes]``, spots ``[paths, 1]``."""
        return np.abs(np.abs(deltas) - self.delta)


@dataclass(frozen=True, slots=True)
class ByMoneyness:
    """The listed strike nearest to a multiple of the spot.

    Attributes:
        moneyness: Strike over spot, > 0.
    """

    moneyness: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "moneyness", positive("moneyness", self.moneyness))

    def distance(self, strikes: Floats, deltas: Floats, spots: Floats) -> Floats:
        """As `ByDelta.distance`."""
        return np.abs(strikes - self.moneyness * spots)


Pick: TypeAlias = ByDelta | ByMoneyness


@dataclass(frozen=True, slots=True)
class Leg:
    """Contracts of one side on one strike, on one unit of the underlying each.

    Attributes:
        side: ``call`` or ``put``.
        quantity: Contracts; negative when sold; not 0.
        pick: Which strike.
        days: Calendar days to the expiration that is wanted, > 0; None is that of the strategy.
    """

    side: Literal["call", "put"]
    quantity: float
    pick: Pick
    days: float | None = None

    def __post_init__(self) -> None:
        if self.side not in ("call", "put"):
            raise InvalidInput("side", "must be call or put")
        if not isinstance(self.pick, ByDelta | ByMoneyness):
            raise InvalidInput("pick", "must be ByDelta or ByMoneyness")
        object.__setattr__(self, "quantity", finite("quantity", self.quantity, low=-1e6, high=1e6))
        if self.quantity == 0.0:
            raise InvalidInput("quantity", "must not be zero")
        if self.days is not None:
            object.__setattr__(self, "days", positive("days", self.days))

    def choose(self, chains: PathChains, expiration: int, spots: Floats) -> NDArray[np.intp]:
        """Which strike of each path is nearest, the lower of two; ``[paths]``.

        Args:
            chains: At the moment of trading.
            expiration: Index of the expiration in them.
            spots: ``[paths]``.

        Raises:
            InvalidInput: Of no strike of a path is known what it costs, and what it is chosen by.
        """
        is_call = self.side == "call"
        deltas, mids = (chains.call_delta, chains.call_mid) if is_call else (chains.put_delta, chains.put_mid)
        distances = self.pick.distance(chains.strikes[:, expiration], deltas[:, expiration], spots[:, None])
        distances = np.where(np.isnan(distances + mids[:, expiration]), np.inf, distances)
        nearest: NDArray[np.intp] = np.argmin(distances, axis=1)
        if np.isinf(distances[np.arange(len(nearest)), nearest]).any():
            by = "a delta" if isinstance(self.pick, ByDelta) else "a price"
            raise InvalidInput("legs", f"no {self.side} of the recorded expiration has {by} and quotes")
        return nearest

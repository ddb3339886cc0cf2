"""At which prices contracts trade: by spreads of ours, or at bids and asks that were stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from optionchain.arrays import Floats
from optionchain.chains.columns import Side
from optionchain.chains.contracts import CALL, Contracts
from optionchain.errors import InvalidInput
from optionchain.pricing.spreads import Spreads


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fills:
    """At which prices contracts trade at one step.

    Attributes:
        spreads: Between bids and asks; None where the model's price is traded at.
        spots: ``[paths]``.
        years: To the contracts' expiration.
        are_stored: The contracts have bids and asks of their own.
    """

    spreads: Spreads | None
    spots: Floats
    years: float
    are_stored: bool = False

    def price(self, contracts: Contracts, chosen: Any, side: Side, *, is_bought: bool) -> Floats:
        """``[paths]`` the ask of what is bought, the bid of what is sold.

        Args:
            contracts: Of all paths.
            chosen: Index of one contract of each.
            side: Of the contracts.
            is_bought: Whether they are bought.

        Raises:
            InvalidInput: On a recorded day nobody quoted one.
        """
        if self.are_stored:
            return self._stored(contracts, chosen, side, is_bought=is_bought)
        mids: Floats = (contracts.call_mid if side == CALL else contracts.put_mid)[chosen]
        vegas = (contracts.vega if side == CALL else contracts.put_vega)[chosen]
        if self.spreads is None:
            return mids
        if contracts.in_coin:
            vegas = vegas / self.spots
        bids, asks = self.spreads.quotes(
            mids,
            spot=self.spots,
            strikes=contracts.strikes[chosen],
            years=self.years,
            volatilities=contracts.implied_volatilities[chosen],
            vegas=vegas,
        )
        return asks if is_bought else bids

    def _stored(self, contracts: Contracts, chosen: Any, side: Side, *, is_bought: bool) -> Floats:
        word = "mid" if self.spreads is None else "ask" if is_bought else "bid"
        prices: Floats = getattr(contracts, f"{side}_{word}")[chosen]
        if np.isnan(prices).any():
            strike = float(np.min(contracts.strikes[chosen][np.isnan(prices)]))
            raise InvalidInput("legs", f"a recorded day has no {word} of the {side} at {strike:g}")
        return prices


def last_known(deltas: Floats) -> Floats:
    """``[paths, steps]``: on days without a delta of the position, the hedge stays what it was.

    Raises:
        InvalidInput: The first day has none.
    """
    is_known = ~np.isnan(deltas)
    if not is_known[:, 0].all():
        raise InvalidInput("hedge", "the recorded contracts have no deltas: hedge=False holds none")
    places = np.maximum.accumulate(np.where(is_known, np.arange(deltas.shape[1]), 0), axis=1)
    return np.take_along_axis(deltas, places, axis=1)

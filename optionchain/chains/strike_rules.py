"""Strikes as exchanges list them, at intervals that grow with the distance from the price and with the days."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import Literal

import numpy as np

from optionchain.arrays import Strikes
from optionchain.chains.ladder import central_multiple

_ANY = float("inf")


@dataclass(frozen=True, slots=True)
class Tier:
    """The intervals of expirations up to some days away.

    Attributes:
        days: To expiration, at most.
        bands: ``(reach, interval)`` with ascending reach: up to there, strikes are multiples of the interval.
    """

    days: float
    bands: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class StrikeRule:
    """Which strikes are listed around a price.

    Attributes:
        by: What a band's reach is measured in: ``distance`` from the price as a part of it, or the ``strike`` itself.
        tiers: With ascending days.
    """

    by: Literal["distance", "strike"]
    tiers: tuple[Tier, ...]

    def strikes(self, price: float, days: float, size: int) -> Strikes:
        """The strikes of one expiration, ascending and > 0.

        Args:
            price: Around which they are, > 0.
            days: To expiration, >= 0.
            size: Strikes on each side of the one nearest to the price, >= 0.

        Example:
            >>> STRIKE_RULES["stock"].strikes(198.0, 30.0, 3).tolist()
            [185.0, 190.0, 195.0, 200.0, 210.0, 220.0, 230.0]
        """
        tier = next((tier for tier in self.tiers if days <= tier.days), self.tiers[-1])
        return np.array(_listed(self.by == "distance", tier, price, size))


@lru_cache(maxsize=1024)  # pinned ladders are the same at every step
def _listed(by_distance: bool, tier: Tier, price: float, size: int) -> tuple[float, ...]:
    """Walks from the middle outwards: the next multiple of the interval where it stands, and of that where it comes."""

    def interval(strike: Decimal) -> Decimal:
        reached = abs(float(strike) / price - 1.0) if by_distance else float(strike)
        found = next((step for reach, step in tier.bands if reached <= reach), tier.bands[-1][1])
        return Decimal(repr(found))

    def beyond(strike: Decimal, sign: int) -> Decimal:
        rounding = ROUND_FLOOR if sign > 0 else ROUND_CEILING
        step = interval(strike)
        there = ((strike / step).to_integral_value(rounding) + sign) * step
        wider, rounding = interval(there), ROUND_CEILING if sign > 0 else ROUND_FLOOR
        return (there / wider).to_integral_value(rounding) * wider

    middle_step = interval(Decimal(repr(price)))
    middle = central_multiple(price, float(middle_step)) * middle_step
    above, below = [middle], [middle]
    for _ in range(size):
        above.append(beyond(above[-1], 1))
        if below[-1] > 0:
            below.append(beyond(below[-1], -1))
    listed = [*reversed(below[1:]), *above]
    return tuple(float(strike) for strike in listed if strike > 0)


STRIKE_RULES = {
    # Cboe rule 4.5, as the OCC's standard: 2.50 to 25, 5 to 200, 10 above; near expirations as short-term series.
    "stock": StrikeRule(
        "strike",
        (
            Tier(7.0, ((75.0, 0.5), (150.0, 1.0), (_ANY, 2.5))),
            Tier(_ANY, ((25.0, 2.5), (200.0, 5.0), (_ANY, 10.0))),
        ),
    ),
    # Cboe rule 4.5, interpretation .07: SPY, QQQ, IWM and DIA by the dollar; further away and out every five.
    "fund": StrikeRule(
        "distance",
        (
            Tier(120.0, ((0.15, 1.0), (_ANY, 5.0))),
            Tier(_ANY, ((0.25, 5.0), (_ANY, 10.0))),
        ),
    ),
    # Cboe, specification of SPX options: intervals of 5 points, 25 far out and in far months, 100 in the farthest.
    "index": StrikeRule(
        "distance",
        (
            Tier(95.0, ((0.1, 5.0), (0.2, 25.0), (_ANY, 50.0))),
            Tier(400.0, ((0.25, 25.0), (_ANY, 100.0))),
            Tier(_ANY, ((0.5, 100.0), (_ANY, 200.0))),
        ),
    ),
    # Cboe, specification of VIX options: 0.50 below 15, 1 below 200.
    "volatility_index": StrikeRule("strike", (Tier(_ANY, ((15.0, 0.5), (50.0, 1.0), (_ANY, 5.0))),)),
    # Deribit, "Introduction policy": about 25 strikes, wider with distance and time.
    "btc": StrikeRule(
        "distance",
        (
            Tier(3.0, ((0.05, 500.0), (_ANY, 1000.0))),
            Tier(35.0, ((0.15, 1000.0), (0.4, 2000.0), (_ANY, 5000.0))),
            Tier(_ANY, ((0.4, 5000.0), (1.0, 10_000.0), (_ANY, 20_000.0))),
        ),
    ),
    "eth": StrikeRule(
        "distance",
        (
            Tier(3.0, ((0.05, 25.0), (_ANY, 50.0))),
            Tier(35.0, ((0.15, 50.0), (0.4, 100.0), (_ANY, 200.0))),
            Tier(_ANY, ((0.4, 100.0), (1.0, 500.0), (_ANY, 1000.0))),
        ),
    ),
    # NYMEX rulebook, chapter 310: twenty strikes every 0.50 on each side, then every 2.50.
    "crude_oil": StrikeRule("distance", (Tier(_ANY, ((0.15, 0.5), (_ANY, 2.5))),)),
    # NSE, "Nifty 50 options contract specification": 50 near, 100 further, 500 and 1000 in long-dated series.
    "nifty": StrikeRule(
        "distance",
        (
            Tier(35.0, ((0.06, 50.0), (_ANY, 100.0))),
            Tier(100.0, ((0.2, 100.0), (_ANY, 200.0))),
            Tier(_ANY, ((0.25, 500.0), (_ANY, 1000.0))),
        ),
    ),
}
"""By name. What an exchange lists on demand or at its own discretion is here its usual practice."""

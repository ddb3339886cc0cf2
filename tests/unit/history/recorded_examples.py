"""Three days of a chain that was stored, small enough to be counted by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np

from optionchain.history.chains import HistoricalChain, Quotes

NAN = float("nan")
DAYS = (date(2024, 1, 16), date(2024, 1, 18), date(2024, 1, 19))
PRICES = (101.0, 103.0, 104.0)


def stored_chain(day, price, call_bids, *, asset="XYZ", expirations=("2024-01-19", "2024-02-16")):
    """Strikes 95, 100 and 105 of each expiration; asks are 0.2 above the bids, and puts are quoted at 1.0 and 1.2."""
    size = 3 * len(expirations)
    bids = np.resize(call_bids, size)
    return HistoricalChain(
        asset=asset,
        day=day,
        quote_time=datetime(day.year, day.month, day.day, 21, tzinfo=UTC),
        underlying_price=price,
        expirations=np.repeat(np.array(expirations, "datetime64[D]"), 3),
        strikes=np.tile([95.0, 100.0, 105.0], len(expirations)),
        calls=Quotes.of(
            size,
            bid=bids,
            ask=bids + 0.2,
            implied_volatility=np.resize([0.31, 0.3, 0.29], size),
            delta=np.resize([0.9, 0.6, 0.2], size),
            gamma=np.full(size, 0.05),
            theta=np.full(size, -0.04),
            vega=np.full(size, 0.1),
        ),
        puts=Quotes.of(
            size, bid=np.full(size, 1.0), ask=np.full(size, 1.2), delta=np.resize([-0.1, -0.4, -0.8], size)
        ),
    )


def stored_days():
    """Tuesday, Thursday and Friday: of the Wednesday between nothing is stored."""
    first, second, third = DAYS
    return [
        stored_chain(first, PRICES[0], [6.5, 2.5, 0.4]),
        stored_chain(second, PRICES[1], [8.2, 3.4, NAN]),
        stored_chain(third, PRICES[2], [9.0, 4.0, 0.1]),
    ]

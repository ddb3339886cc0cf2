"""Our volatilities beside a vendor's, of European and of American quotes, against chains that were made with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from optionchain.chains import build_chain
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration
from optionchain.history.chains import HistoricalChain, Quotes
from optionchain.history.implied import implied_volatilities

NOW = datetime(2024, 1, 16, 21, tzinfo=UTC)
RATES = {"risk_free_rate": 0.05, "dividend_yield": 0.02}


def quoted(exercise: str) -> tuple[HistoricalChain, np.ndarray]:
    """A day as a vendor has it, whose volatilities are all 9, and those that its prices were made with."""
    made = build_chain(
        symbol="SPY",
        quote_time=NOW,
        spot=470.0,
        base_volatility=0.2,
        expirations=[Expiration(expires_at=NOW + timedelta(days=days), labels=()) for days in (30, 200)],
        chain_size=8,
        strike_interval=20.0,
        exercise=exercise,
        **RATES,
    )
    vendors = np.full(made.strikes.size, 9.0)
    chain = HistoricalChain(
        asset="SPY",
        day=NOW.date(),
        quote_time=NOW,
        underlying_price=470.0,
        expirations=np.repeat([np.datetime64((NOW + timedelta(days=days)).date()) for days in (30, 200)], 17),
        strikes=made.strikes,
        calls=Quotes.of(34, bid=0.99 * made.call_mid, ask=1.01 * made.call_mid, implied_volatility=vendors),
        puts=Quotes.of(34, bid=0.99 * made.put_mid, ask=1.01 * made.put_mid, implied_volatility=vendors),
    )
    return chain, made.implied_volatilities


@pytest.mark.parametrize("exercise", ["european", "american"])
def test_ours_are_those_of_the_prices_and_the_vendors_stay(exercise: str) -> None:
    chain, volatilities = quoted(exercise)

    ours = implied_volatilities(chain, exercise=exercise, **RATES)

    for found in ours:
        is_told = np.isfinite(found)
        assert is_told.sum() > 20
        np.testing.assert_allclose(found[is_told], volatilities[is_told], rtol=1e-6)
    assert set(chain.calls.implied_volatility.tolist()) == {9.0}
    # Deep in the money an American put costs what exercise brings, whatever the volatility.
    assert np.isnan(ours.puts[-1]) == (exercise == "american")


def test_american_quotes_that_are_read_as_european_imply_something_else() -> None:
    chain, volatilities = quoted("american")

    as_european = implied_volatilities(chain, exercise="european", **RATES).puts

    deep = 28  # a strike of 510, at 470 and 200 days
    assert as_european[deep] > volatilities[deep] + 0.005


def test_what_is_not_quoted_or_expires_today_implies_nothing() -> None:
    chain = HistoricalChain(
        asset="SPY",
        day=NOW.date(),
        quote_time=NOW,
        underlying_price=100.0,
        expirations=np.array(["2024-01-16", "2024-02-16", "2024-02-16"], "datetime64[D]"),
        strikes=np.array([100.0, 100.0, 101.0]),
        calls=Quotes.of(3, bid=[1.0, np.nan, 0.0], ask=[1.1, 2.0, 2.0]),
        puts=Quotes.of(3, bid=[1.0, 2.0, 2.0], ask=[1.1, 0.0, 2.1]),
    )

    ours = implied_volatilities(chain, risk_free_rate=0.0, exercise="american")

    assert np.isnan(ours.calls).all()
    assert np.isnan(ours.puts).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"exercise": "bermudan"}, "exercise"),
        ({"exercise": "asian"}, "exercise"),
        ({"risk_free_rate": np.nan}, "risk_free_rate"),
        ({"risk_free_rate": -0.01, "dividend_yield": -0.02, "exercise": "american"}, "dividend_yield"),
    ],
)
def test_what_nothing_can_be_implied_by_is_named(changes: dict[str, object], field: str) -> None:
    chain, _ = quoted("european")

    with pytest.raises(InvalidInput) as refused:
        implied_volatilities(chain, **RATES | changes)

    assert refused.value.field == field

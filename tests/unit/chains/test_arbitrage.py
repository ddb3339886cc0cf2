"""Arbitrage in a chain: each kind made by hand, and every butterfly and vertical that trying all combinations finds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optionchain.chains import build_chain
from optionchain.chains.arbitrage import PricedExpiration, find_arbitrage
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration
from optionchain.history.chains import HistoricalChain, Quotes

NOW = datetime(2026, 1, 5, tzinfo=UTC)
STRIKES = np.array([90.0, 95.0, 100.0, 105.0, 110.0])
CALLS = np.array([11.0, 7.5, 4.6, 2.5, 1.2])
# Of a rate of 0 and a price of 100, by parity.
PUTS = CALLS - 100.0 + STRIKES


def priced(**changed):
    values = {
        "expires": NOW + timedelta(days=30),
        "strikes": STRIKES,
        "call_bid": CALLS - 0.1,
        "call_ask": CALLS + 0.1,
        "put_bid": PUTS - 0.1,
        "put_ask": PUTS + 0.1,
        "spot": 100.0,
        "discount": 1.0,
        "prepaid": 100.0,
    }
    return PricedExpiration(**values | changed)


def at(index, value, values):
    return np.where(np.arange(values.size) == index, value, values)


def kinds(*expirations):
    return {(each.kind, each.side) for each in find_arbitrage(expirations)}


def test_a_market_in_order_has_none():
    assert find_arbitrage([priced()]) == ()


def test_a_call_that_bids_more_than_one_on_a_lower_strike_asks():
    [found] = find_arbitrage([priced(call_bid=at(4, 2.9, CALLS - 0.1), call_ask=at(4, 3.0, CALLS + 0.1))])[:1]

    assert (found.kind, found.side, found.strikes) == ("vertical", "call", (105.0, 110.0))
    assert found.gain == pytest.approx(2.9 - 2.6)


def test_two_strikes_farther_apart_in_price_than_their_discounted_distance():
    dear = priced(call_bid=at(0, 13.5, CALLS - 0.1), call_ask=at(0, 13.6, CALLS + 0.1))

    assert ("vertical", "call") in kinds(dear)
    [found] = [each for each in find_arbitrage([dear]) if each.kind == "vertical"]
    assert found.gain == pytest.approx(13.5 - 7.6 - 5.0)
    assert found.strikes == (90.0, 95.0)


def test_the_middle_of_a_butterfly_is_what_is_sold():
    bump = priced(put_bid=at(2, 5.6, PUTS - 0.1), put_ask=at(2, 5.7, PUTS + 0.1))

    [found] = [each for each in find_arbitrage([bump]) if each.kind == "butterfly"]
    assert found.strikes == (95.0, 100.0, 105.0)
    assert found.gain == pytest.approx(5.6 - (2.6 + 7.6) / 2)


def test_call_and_put_that_are_apart():
    assert kinds(priced(prepaid=101.0, discount=0.99)) >= {("parity", None)}
    assert kinds(priced(prepaid=100.15)) == set()


def test_an_option_below_its_intrinsic_value_or_above_its_underlying():
    assert ("bound", "call") in kinds(priced(call_bid=at(0, 9.0, CALLS), call_ask=at(0, 9.5, CALLS)))
    # A European put may be below, for its strike is discounted; an American one may not.
    cheap = priced(put_ask=at(4, 9.9, PUTS), put_bid=at(4, 9.8, PUTS), call_bid=CALLS - 3, discount=0.95)
    assert ("bound", "put") not in kinds(cheap)
    american = priced(put_ask=at(4, 9.9, PUTS), put_bid=at(4, 9.8, PUTS), is_american=True)
    assert ("bound", "put") in kinds(american)


def test_an_earlier_option_dearer_than_a_later_one_between_its_strikes():
    late = priced(expires=NOW + timedelta(days=60), strikes=STRIKES - 1.0)
    found = [each for each in find_arbitrage([priced(), late]) if each.kind == "calendar"]

    assert {each.side for each in found} == {"call"}
    middle = next(each for each in found if each.strikes[0] == 100.0)
    assert middle.strikes == (100.0, 99.0, 104.0)
    assert middle.gain == pytest.approx(4.5 - (4.7 * 0.8 + 2.6 * 0.2))


def test_a_later_expiration_is_compared_at_the_same_ratio_to_its_forward():
    rate = 0.1
    chain = build_chain(
        symbol="X",
        quote_time=NOW,
        spot=100.0,
        base_volatility=0.2,
        expirations=[Expiration(expires_at=NOW + timedelta(days=days), labels=()) for days in (30, 400)],
        strike_interval=1.0,
        chain_size=60,
        skew_slope=0.0,
        smile_curve=0.0,
        risk_free_rate=rate,
        dividend_yield=0.02,
    )

    # Deep European puts of the longer are cheaper, and no arbitrage.
    assert chain.put_mid[-1] < chain.put_mid[120]
    assert chain.arbitrage("mid") == ()
    assert chain.arbitrage("quotes") == ()


@pytest.mark.parametrize(
    ("volatility", "days", "expected"), [(0.6, 365, ("vertical", "call")), (0.6, 91, ("butterfly", "call"))]
)
def test_the_parabola_of_today_is_arbitraged_where_it_is_steep(volatility, days, expected):
    chain = build_chain(
        symbol="X",
        quote_time=NOW,
        spot=100.0,
        base_volatility=volatility,
        risk_free_rate=0.04,
        expirations=[Expiration(expires_at=NOW + timedelta(days=days), labels=())],
    )
    found = chain.arbitrage()

    assert expected in {(each.kind, each.side) for each in found}
    assert {each.kind for each in found} <= {"vertical", "butterfly"}


def test_an_imported_chain_is_looked_at_without_knowing_rates():
    quotes = {"bid": CALLS - 0.1, "ask": CALLS + 0.1}
    chain = HistoricalChain(
        asset="XYZ",
        day=date(2026, 1, 5),
        quote_time=NOW,
        underlying_price=100.0,
        expirations=np.full(5, "2026-02-04", "datetime64[D]"),
        strikes=STRIKES,
        calls=Quotes.of(5, bid=at(2, 5.6, quotes["bid"]), ask=at(2, np.nan, quotes["ask"])),
        puts=Quotes.of(5, bid=PUTS - 0.1, ask=at(1, 0.0, PUTS + 0.1)),
    )

    [found] = chain.arbitrage()
    assert (found.kind, found.side, found.strikes) == ("butterfly", "call", (95.0, 100.0, 105.0))
    assert str(found) == "butterfly of calls 95/100/105 of 2026-02-04: 0.5"
    assert {each.kind for each in chain.arbitrage(risk_free_rate=0.0)} == {"butterfly", "parity"}
    with pytest.raises(InvalidInput, match="exercise: must be european or american"):
        chain.arbitrage(exercise="bermudan")


PRICES = st.lists(st.integers(0, 400), min_size=3, max_size=7)


@settings(max_examples=300)
@given(asks=PRICES, widths=st.integers(0, 40), gaps=st.lists(st.integers(1, 5), min_size=7, max_size=7))
def test_it_finds_the_best_butterfly_and_vertical_of_all_that_there_are(asks, widths, gaps):
    count = len(asks)
    strikes = np.cumsum(gaps[:count]).astype(float)
    ask = np.array(asks, dtype=float) / 100.0
    bid = np.maximum(ask - widths / 100.0, 0.0)
    nothing = np.full(count, np.nan)
    one = priced(
        strikes=strikes,
        call_bid=bid,
        call_ask=ask,
        put_bid=nothing,
        put_ask=nothing,
        discount=None,
        prepaid=None,
    )
    found = find_arbitrage([one], tolerance=1e-9)

    flies = {}
    for low, middle, high in combinations(range(count), 3):
        share = (strikes[high] - strikes[middle]) / (strikes[high] - strikes[low])
        gain = bid[middle] - share * ask[low] - (1.0 - share) * ask[high]
        flies[middle] = max(gain, flies.get(middle, -1.0))
    for each in (each for each in found if each.kind == "butterfly"):
        assert each.gain == pytest.approx(flies[int(np.flatnonzero(strikes == each.strikes[1])[0])], abs=1e-9)
    assert sum(gain > 1e-9 for gain in flies.values()) == sum(each.kind == "butterfly" for each in found)

    verticals = [bid[high] - ask[low] for low, high in combinations(range(count), 2)]
    verticals += [
        bid[low] - ask[high] - (strikes[high] - strikes[low]) for low, high in combinations(range(count), 2)
    ]
    gains = [each.gain for each in found if each.kind == "vertical"]
    assert max(gains, default=0.0) == pytest.approx(max(0.0, *verticals), abs=1e-9)

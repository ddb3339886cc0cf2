"""Chains of the past: what is valid, how they merge, and their JSON."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import orjson
import pytest

from optionchain.errors import InvalidInput
from optionchain.history.chains import QUOTE_FIELDS, DateRange, HistoricalChain, Quotes
from optionchain.history.results import VolatilityPoint
from optionchain.history.window import window_of_closes
from optionchain.history.wire import chain_from_wire, chain_json
from tests.unit.history.samples import chain, same_chain


def random_chain(contracts=60, seed=3):
    random = np.random.default_rng(seed)
    columns = {
        name: np.where(random.random(contracts) < 0.3, np.nan, random.random(contracts))
        for name in QUOTE_FIELDS
    }
    order = random.permutation(contracts)
    return HistoricalChain(
        asset="BRK.B",
        day=date(2024, 1, 2),
        quote_time=datetime(2024, 1, 2, 21, 0, 0, 123_456, tzinfo=UTC),
        underlying_price=99.5,
        expirations=np.repeat(
            np.array(["2024-01-19", "2024-02-16", "2024-01-02"], "datetime64[D]"), contracts // 3
        )[order],
        strikes=np.tile(np.arange(1.0, contracts // 3 + 1), 3)[order],
        calls=Quotes.of(contracts, **columns),
        puts=Quotes.of(contracts, bid=columns["ask"]),
    )


def test_json_gives_back_every_number_and_every_gap():
    saved = random_chain()

    assert same_chain(chain_from_wire("BRK.B", saved.day, orjson.loads(chain_json(saved))), saved)


def test_rows_are_sorted_with_their_quotes():
    volumes = np.array([3.0, 1.0, 2.0])
    one = HistoricalChain(
        asset="X",
        day=date(2024, 1, 2),
        quote_time=datetime(2024, 1, 2, tzinfo=UTC),
        underlying_price=1.0,
        expirations=np.array(["2024-02-16", "2024-01-19", "2024-01-19"], "datetime64[D]"),
        strikes=np.array([3.0, 1.0, 2.0]),
        calls=Quotes.of(3, volume=volumes),
        puts=Quotes.of(3),
    )

    assert one.strikes.tolist() == one.calls.volume.tolist() == [1.0, 2.0, 3.0]
    assert [(str(day), rows) for day, rows in one.by_expiration()] == [
        ("2024-01-19", slice(0, 2)),
        ("2024-02-16", slice(2, 3)),
    ]


def test_merged_chains_have_the_contracts_of_both_and_the_newer_numbers():
    older, newer = (
        chain(expirations=("2024-01-19",)),
        chain(expirations=("2024-01-19", "2024-02-16"), level=0.5),
    )
    holes = newer.calls.implied_volatility.copy()
    holes[0] = np.nan
    columns = {name: getattr(newer.calls, name) for name in QUOTE_FIELDS} | {"implied_volatility": holes}
    newer = chain(expirations=("2024-01-19", "2024-02-16"), level=0.5, calls=Quotes(**columns))

    merged = older.merged(newer)

    assert merged.strikes.size == 10
    assert merged.puts.implied_volatility[2] == 0.5
    assert merged.calls.implied_volatility[0] == older.calls.implied_volatility[0]
    assert same_chain(older.merged(older), older)


def test_the_contracts_that_two_chains_share_are_those_of_which_both_say_something():
    older, newer = chain(expirations=("2024-01-19",)), chain(expirations=("2024-01-19", "2024-02-16"))
    silent = chain(expirations=("2024-01-19",), puts=Quotes.of(5))

    assert older.shared_contracts(newer) == newer.shared_contracts(older) == 10
    assert newer.shared_contracts(silent) == 5
    assert newer.shared_contracts(chain(expirations=("2024-03-15",))) == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"asset": "$x"}, "asset"),
        ({"day": datetime(2024, 1, 2)}, "date"),
        ({"day": date(2024, 1, 20)}, "expirations"),
        ({"quote_time": datetime(2024, 1, 2)}, "quote_time"),
        ({"underlying_price": 0.0}, "underlying_price"),
        ({"underlying_price": "1"}, "underlying_price"),
        ({"strikes": np.array([1.0, 2.0, 3.0, 4.0, 4.0])}, "strikes"),
        ({"strikes": np.array([0.0, 2.0, 3.0, 4.0, 5.0])}, "strikes"),
        ({"strikes": np.array([np.nan, 2.0, 3.0, 4.0, 5.0])}, "strikes"),
        ({"strikes": np.array([1.0, 2.0])}, "strikes"),
        ({"expirations": ("NaT",)}, "expirations"),
    ],
)
def test_a_chain_that_is_none_is_refused_with_the_field_at_fault(changes, field):
    with pytest.raises(InvalidInput) as refusal:
        chain(**{"expirations": ("2024-01-19",)} | changes)

    assert refusal.value.field == field


@pytest.mark.parametrize("name", ["bid", "volume", "implied_volatility"])
def test_a_quote_below_zero_or_infinite_is_refused(name):
    for value in (-0.01, np.inf):
        with pytest.raises(InvalidInput) as refusal:
            Quotes.of(1, **{name: [value]})
        assert refusal.value.field == name


def test_a_range_that_ends_before_it_begins_is_refused():
    with pytest.raises(InvalidInput):
        DateRange(date(2024, 1, 2), date(2024, 1, 1))


def test_the_skew_is_put_less_call_volatility():
    terms = {
        "day": date(2024, 1, 2),
        "expiration": date(2024, 1, 19),
        "atm_volatility": 0.2,
        "put_volatility": 0.25,
    }

    assert VolatilityPoint(**terms, call_volatility=0.15).skew == pytest.approx(0.1)
    assert VolatilityPoint(**terms, call_volatility=None).skew is None


def test_windows_of_all_seeds_cover_every_start_evenly():
    closes = np.arange(1.0, 14.0)

    starts = [window_of_closes(closes, 10, seed)[0] for seed in range(4000)]

    counts = np.bincount(np.array(starts, int), minlength=5)[1:]
    # 4 starts, 1000 each: four standard errors are 4 sqrt(4000 x 1/4 x 3/4) = 110.
    assert counts.size == 4
    assert np.all(np.abs(counts - 1000) < 110)


def test_the_window_of_a_seed_never_changes():
    # Pinned: a stored session must replay the same window after an upgrade.
    closes = np.arange(1.0, 1001.0)

    assert window_of_closes(closes, 3, seed=42) == (255.0, 256.0, 257.0)
    assert window_of_closes(closes, 3, seed=2**64 - 1) == (924.0, 925.0, 926.0)

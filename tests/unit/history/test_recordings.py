"""Stored chains as a simulation: the stored quotes, in every shape that simulated ones have."""

from __future__ import annotations

import base64
import zlib
from datetime import UTC, date, datetime

import numpy as np
import orjson
import pytest

from optionchain import InvalidInput, Sweep, recorded, simulate
from optionchain.export import Dataset, Export, Format, Layout
from optionchain.history.recording import Recording, unpacked_days
from optionchain.measures import ByDelta, ByMoneyness, Leg, strategy
from optionchain.models import Recorded, model_from_wire, model_to_wire
from optionchain.recorded_days import gaps_of
from optionchain.sweeps.engine import InProcess
from optionchain.wire.activity import require_activity
from optionchain.wire.parameters import parameters_from_wire, parameters_to_wire
from optionchain.wire.snapshots import snapshot_body
from tests.unit.history.recorded_examples import DAYS, PRICES, stored_chain, stored_days


@pytest.fixture(scope="module")
def parameters():
    return recorded(stored_days(), timezone="America/New_York")


def test_every_number_is_the_stored_one(parameters):
    chain = simulate(parameters).chain(0)

    assert (chain.underlying_price, chain.quote_time) == (101.0, datetime(2024, 1, 16, 21, tzinfo=UTC))
    assert [each.expires_at.isoformat() for each in chain.expirations] == [
        "2024-01-19T21:00:00+00:00",
        "2024-02-16T21:00:00+00:00",
    ]
    assert chain.strikes.tolist() == [95.0, 100.0, 105.0] * 2
    assert chain.call_bid.tolist() == [6.5, 2.5, 0.4] * 2
    assert chain.call_ask.tolist() == [6.7, 2.7, 0.6000000000000001] * 2
    assert chain.put_mid.tolist() == [1.1] * 6
    assert chain.call_theta().tolist() == [-0.04] * 6
    # Out of the money where that is known: of the puts no volatility is.
    assert chain.implied_volatilities.tolist() == [0.31, 0.3, 0.29] * 2
    assert np.isnan(chain.put_gamma).all()
    assert np.isnan(chain.call_rho()).all()
    assert chain.days_to_expiration.tolist() == [3.0, 31.0]


def test_a_snapshot_says_null_where_nothing_was_said(parameters):
    shown = orjson.loads(snapshot_body(simulate(parameters), 1, "first"))

    assert shown["simulated_at"] == "2024-01-18T21:00:00Z"
    assert shown["underlying"] == {"symbol": "XYZ", "price": 103.0, "base_volatility": 0.29}
    first, *_, dearest = shown["chains"][0]["contracts"]
    assert first["call"] == {"bid": 8.2, "ask": 8.399999999999999, "mid": 8.299999999999999, "delta": 0.9} | {
        "greeks": {"theta": -0.04, "vega": 0.1, "rho": None, "rho_d": None}
    }
    assert (dearest["call"]["bid"], dearest["call"]["mid"], dearest["put"]["bid"]) == (None, None, 1.0)


def test_the_volatility_at_the_money_is_that_of_the_expiration_nearest_to_a_month(parameters):
    simulation = simulate(parameters)

    assert simulation.volatilities.tolist() == [0.3, 0.29, 0.29]
    assert simulation.prices.tolist() == list(PRICES)


def test_a_session_between_without_a_chain_is_a_gap(parameters):
    assert gaps_of(parameters) == [date(2024, 1, 17)]


def test_holidays_of_the_exchange_are_no_gaps():
    days = [stored_chain(day, 100.0, [5.0, 2.0, 1.0]) for day in (date(2024, 1, 12), date(2024, 1, 16))]

    # Monday the 15th was Martin Luther King Day.
    assert gaps_of(recorded(days, calendar="XNYS")) == []
    assert gaps_of(recorded(days)) == [date(2024, 1, 15)]


def test_checkpoints_have_the_chains_and_answers_name_them(parameters):
    again = parameters_from_wire(orjson.loads(orjson.dumps(parameters_to_wire(parameters))))

    assert again == parameters
    assert simulate(again).chain(2).call_bid.tolist() == [9.0, 4.0, 0.1] * 2
    assert set(model_to_wire(parameters.method)["Recorded"]) == {"asset", "from", "to", "recording"}


def test_an_export_has_the_rows_of_all_days(parameters):
    export = Export(parameters=parameters, dataset=Dataset.OPTION_CHAINS, format=Format.JSON, greeks="first")
    rows = orjson.loads(b"".join(export.pieces()))

    assert len(rows) == 3 * 6
    assert [row["simulated_at"] for row in rows[::6]] == [f"{day}T21:00:00Z" for day in DAYS]
    assert {row["labels"] for row in rows} == {"recorded"}
    assert rows[8]["call_bid"] is None
    assert (rows[8]["put_ask"], rows[8]["strike"]) == (1.2, 105.0)
    table = simulate(parameters).to_polars("underlying")
    assert table["price"].to_list() == list(PRICES)


def test_a_layout_in_whole_cents_refuses_what_was_not_quoted(parameters):
    export = Export(parameters=parameters, format=Format.PARQUET, layout=Layout.IRONCONDOR)

    with pytest.raises(InvalidInput, match="every contract quoted"):
        b"".join(export.pieces())


def test_a_strategy_trades_at_the_stored_quotes_and_settles_by_the_stored_price(parameters):
    # Sold at the bid of 2.5 and settled at the expiration of the 19th, at a price of 104: 2.5 - 4.
    short = strategy(Leg("call", -1.0, ByDelta(0.6)), days=3, label="short")
    # Bought at 2.7 for the one of February; the recording ends on the 19th, where it is sold at 4.0.
    long = strategy(Leg("call", 1.0, ByMoneyness(0.99)), days=31, label="long")

    row = Sweep(base=parameters, measures=[short, long], paths=1).run(engine=InProcess()).to_polars()

    assert row["short_mean"][0] == pytest.approx(2.5 - 4.0)
    assert row["long_mean"][0] == pytest.approx(4.0 - 2.7)


def test_a_hedge_counts_the_days_between_the_quotes(parameters):
    # Short 0.6 of the underlying from 101 to 103, over the Wednesday without a chain, and from there to 104.
    hedged = strategy(Leg("call", 1.0, ByMoneyness(0.99)), days=31, hedge=True, fill="mid", label="hedged")

    row = Sweep(base=parameters, measures=[hedged], paths=1).run(engine=InProcess()).to_polars()

    assert row["hedged_mean"][0] == pytest.approx((4.1 - 2.6) - 0.6 * (104.0 - 101.0))


def test_a_contract_that_nobody_quotes_at_the_close_fails_the_scenario_by_its_strike():
    first, second, _ = stored_days()
    short = strategy(Leg("call", -1.0, ByMoneyness(1.04)), days=31, label="short")

    with pytest.raises(InvalidInput, match="no ask of the call at 105"):
        Sweep(base=recorded([first, second]), measures=[short], paths=1).run(engine=InProcess())


def test_legs_by_delta_need_deltas():
    bare = [stored_chain(day, 101.0, [6.5, 2.5, 0.4]) for day in DAYS[:2]]
    for chain in bare:
        chain.puts.delta[:] = np.nan
    long = strategy(Leg("put", 1.0, ByDelta(0.4)), days=31, label="long")

    with pytest.raises(InvalidInput, match="has a delta and quotes"):
        Sweep(base=recorded(bare), measures=[long], paths=1).run(engine=InProcess())


@pytest.mark.parametrize(
    ("chains", "field"),
    [
        ([], "days"),
        ([stored_chain(DAYS[0], 1.0, [1.0])] * 2, "days"),
        ([stored_chain(DAYS[0], 1.0, [1.0]), stored_chain(DAYS[1], 1.0, [1.0], asset="ABC")], "chains"),
    ],
)
def test_what_is_no_series_of_chains_is_refused(chains, field):
    with pytest.raises(InvalidInput) as refusal:
        recorded(chains)

    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"from": "2024-13-01"}, "method.Recorded.from"),
        ({"to": 5}, "method.Recorded.to"),
        ({"to": "2024-01-01"}, "method.Recorded.to"),
        ({"asset": "a b"}, "method.Recorded.asset"),
        ({"recording": "@"}, None),
    ],
)
def test_a_wrong_method_is_refused_by_its_field(change, field):
    wire = {"Recorded": {"asset": "XYZ", "from": "2024-01-16", "to": "2024-01-19"} | change}

    with pytest.raises(InvalidInput) as refusal:
        _ = model_from_wire(wire).days.days
    assert field is None or refusal.value.field == field


def test_more_steps_than_days_are_refused():
    with pytest.raises(InvalidInput, match="3 days are recorded"):
        recorded(stored_days(), steps=4)


def test_what_unpacks_to_more_than_a_recording_can_have_is_refused():
    bomb = base64.b64encode(zlib.compress(b"0" * 30_000_000, 1)).decode()

    with pytest.raises(InvalidInput, match="no recording"):
        unpacked_days(bomb)


def test_the_same_chains_are_the_same_recording():
    assert Recording.of(stored_days()) == Recording.of(stored_days()[::-1])
    assert isinstance(recorded(stored_days()).method, Recorded)


def test_nobody_makes_up_the_activity_of_recorded_days():
    with pytest.raises(InvalidInput) as refused:
        require_activity(recorded(stored_days(), timezone="America/New_York"), 0)

    assert refused.value.field == "method"

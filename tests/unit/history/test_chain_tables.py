"""Tables of options of no known vendor: recognised by the names of their columns, or as the user says."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from adapters.history_files import import_file, plan_import
from adapters.history_files.chain_columns import field_of
from adapters.history_files.reports import report_lines
from optionchain.errors import InvalidInput
from tests.unit.history.kept import Kept
from tests.unit.history.samples import prices

pytestmark = pytest.mark.anyio

DAY = date(2024, 1, 2)
PLAIN = "expiry,strike,type,bid,ask,iv\n2024-01-19,100,C,3.0,3.2,{}\n2024-01-19,100,P,1.0,1.2,{}\n"
GIVEN = {"day": DAY, "underlying_price": 101.0}


@pytest.fixture
def file(tmp_path):
    def write(text, name="file.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


async def read(path, kept=None, **options):
    """The chain of the day, the report, and what is said."""
    plan, kept = plan_import(path, **{"asset": "XYZ"} | options), kept or Kept()
    report = await import_file(plan, kept)
    return kept.chains.get(DAY), report, "\n".join(report_lines(plan, report))


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("Quote Date,Underlying Price,Expiry,Strike Price,Option Type,Best Bid,Best Ask\n"
         "2024-01-02,101,2024-01-19,100,Call,3.0,3.2\n2024-01-02,101,2024-01-19,100,Put,1.0,1.2\n", {}),
        ("optionSymbol,underlying,expiration,side,strike,updated,bid,ask,underlyingPrice\n"
         "XYZ240119C00100000,XYZ,1705698000,call,100,1704229200,3.0,3.2,101\n"
         "XYZ240119P00100000,XYZ,1705698000,put,100,1704229200,1.0,1.2,101\n", {}),
        ("symbol,bid,ask,trade_date,spot\nXYZ   240119C00100000,3.0,3.2,20240102,101\n"
         "XYZ   240119P00100000,1.0,1.2,20240102,101\n", {}),
        ("symbol,description,type,last,bid,ask,underlying,strike,expiration_date,option_type\n"
         "XYZ240119C00100000,XYZ Jan 19 2024 $100 Call,option,3.1,3.0,3.2,XYZ,100,2024-01-19,call\n"
         "XYZ240119P00100000,XYZ Jan 19 2024 $100 Put,option,1.1,1.0,1.2,XYZ,100,2024-01-19,put\n", GIVEN),
        ("date,spot,expiry,strike,callBid,callAsk,putBid,putAsk\n2024-01-02,101,19JAN2024,100,3.0,3.2,1.0,1.2\n", {}),
        ("date,spot,expiry,strike,CE Bid,CE Ask,PE Bid,PE Ask\n2024-01-02,101,19-Jan-2024,100,3.0,3.2,1.0,1.2\n", {}),
        ("date,spot,expiry,strike,Bid (Call),Ask (Call),Bid (Put),Ask (Put)\n"
         "2024-01-02,101,2024-01-19,100,3.0,3.2,1.0,1.2\n", {}),
        ("a,b,c,d,e,f,g\n2024-01-02,101,2024-01-19,100,CALL,3.0,3.2\n2024-01-02,101,2024-01-19,100,PUT,1.0,1.2\n",
         {"columns": dict(zip(
             ("quote_date", "underlying_price", "expiration", "strike", "option_type", "bid", "ask"), "abcdefg",
             strict=True))}),
        ("a,b,c,d,e,f,g,h\n2024-01-02,101,2024-01-19,100,3.0,3.2,1.0,1.2\n",
         {"columns": dict(zip(
             ("date", "underlying_price", "expiration", "strike", "call_bid", "call_ask", "put_bid", "put_ask"),
             "abcdefgh", strict=True))}),
        ("contract,b,a\nXYZ240119C00100000,3.0,3.2\nXYZ240119P00100000,1.0,1.2\n",
         {"columns": {"bid": "b", "ask": "a"}, **GIVEN}),
        ("details.contract_type,details.expiration_date,details.strike_price,details.ticker,greeks.delta,last_quote.ask,"
         "last_quote.bid,underlying_asset.price,underlying_asset.ticker\n"
         "call,2024-01-19,100,O:XYZ240119C00100000,0.6,3.2,3.0,101,XYZ\n"
         "put,2024-01-19,100,O:XYZ240119P00100000,-0.4,1.2,1.0,101,XYZ\n", {"day": DAY}),
        ("symbol,latestQuote.bp,latestQuote.ap,greeks.delta\n"
         "XYZ240119C00100000,3.0,3.2,0.6\nXYZ240119P00100000,1.0,1.2,-0.4\n", GIVEN),
        ("ts_event,rtype,instrument_id,bid_px_00,ask_px_00,symbol\n"
         "2024-01-02T20:59:00.000000000Z,195,1,3.000000000,3.200000000,XYZ   240119C00100000\n"
         "2024-01-02T20:59:00.000000000Z,195,2,1.000000000,1.200000000,XYZ   240119P00100000\n",
         {"underlying_price": 101.0}),
        ("symbol,bid1Price,ask1Price,markIv,underlyingPrice\n"
         "XYZ-19JAN24-100-C,3.0,3.2,0.5,101\nXYZ-19JAN24-100-P,1.0,1.2,0.5,101\n", {"day": DAY}),
        ("k,type,bid,ask\n100,C,3.0,3.2\n100,P,1.0,1.2\n",
         {"columns": {"strike": "k"}, "expiration": date(2024, 1, 19), **GIVEN}),
    ],
)  # fmt: skip
async def test_a_table_of_options_is_read(file, text, options):
    chain, report, _ = await read(file(text), **options)

    assert (report.rejected, chain.underlying_price, chain.strikes.tolist()) == (0, 101.0, [100.0])
    assert chain.expirations.astype(str).tolist() == ["2024-01-19"]
    quoted = [side.tolist() for side in (chain.calls.bid, chain.calls.ask, chain.puts.bid, chain.puts.ask)]
    assert quoted == [[3.0], [3.2], [1.0], [1.2]]


async def test_every_field_of_a_chain_can_be_named(file):
    fields = (
        "bid",
        "ask",
        "last",
        "volume",
        "open_interest",
        "implied_volatility",
        "delta",
        "gamma",
        "theta",
        "vega",
    )
    numbers = [round(0.1 * n, 1) for n in range(1, 11)]
    text = "day,exp,k,side," + ",".join(f"x{n}" for n in range(10)) + "\n"
    text += "2024-01-02,2024-01-19,100,C," + ",".join(map(str, numbers)) + "\n"
    columns = {"strike": "k"} | {name: f"x{n}" for n, name in enumerate(fields)}

    chain, report, _ = await read(file(text), columns=columns, underlying_price=101.0)

    assert report.rejected == 0
    assert [getattr(chain.calls, name)[0] for name in fields] == numbers


async def test_what_the_user_says_of_a_column_counts_before_the_preset(file):
    text = (
        "underlying_symbol,underlying_price,option_type,expiration,quote_date,strike,bid,ask,close_bid\n"
        "XYZ,101,call,2024-01-19,2024-01-02,100,3.0,3.2,2.5\n"
    )

    chain, _, _ = await read(file(text), columns={"bid": "close_bid"})

    assert chain.calls.bid.tolist() == [2.5]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"bidd": "bid"}, "bidd is no field of a chain; these are: .*call_bid"),
        ({"bid": "Bid!"}, "the file has no column Bid!; it has expiry, strike"),
        ({"open": "bid"}, "open is no field of a chain"),
        ({"bid": "bid", "best_bid": "ask"}, "bid is given twice, as bid and ask"),
    ],
)
def test_a_column_that_would_be_ignored_is_an_error(file, columns, message):
    with pytest.raises(InvalidInput, match=message) as refusal:
        plan_import(file(PLAIN.format(0.2, 0.2)), asset="XYZ", columns=columns, **GIVEN)

    assert refusal.value.field == "column"


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("date,spot,strike,type,bid", "expiration"),
        ("date,spot,expiry,strike,bid,ask", "option_type"),
        ("date,spot,expiry,type,bid,ask", "strike"),
        ("date,spot,expiry,strike,type,size", "bid"),
    ],
)
def test_what_a_table_lacks_is_said_beside_what_was_recognised(file, header, missing):
    cells = {"date": "2024-01-02", "expiry": "2024-01-19", "type": "C"}
    row = ",".join(cells.get(name, "100") for name in header.split(","))

    with pytest.raises(InvalidInput) as refusal:
        plan_import(file(f"{header}\n{row}\n"), asset="XYZ")

    assert (
        f"is of no shape that is known without {missing}: give --column {missing}=NAME"
        in refusal.value.reason
    )
    assert "underlying_price=spot" in refusal.value.reason


def test_options_of_the_other_kind_of_file_are_refused(file):
    bars = file("date,open,high,low,close\n2024-01-02,1,3,1,2\n")
    for option in (
        {"day": DAY},
        {"replaces": True},
        {"roots": ["XYZ"]},
        {"underlying_price": 1.0},
        {"takes_closes": True},
    ):
        with pytest.raises(InvalidInput, match="is of chains"):
            plan_import(bars, asset="XYZ", **option)


def test_who_says_what_only_chains_have_is_told_what_the_file_lacks_as_one(file):
    path = file("when,premium,k\n2024-01-02,3.0,100\n")

    with pytest.raises(InvalidInput, match="without expiration, strike, option_type, bid") as refusal:
        plan_import(path, asset="XYZ", **GIVEN)

    assert "its columns are when, premium, k" in refusal.value.reason


IN_COIN = (
    "instId,bidPx,askPx,ts\n{0}-240126-42000-C,0.035,0.036,1704229200000\n"
    "{0}-240126-42000-P,0.021,0.022,1704229200000\n"
)


@pytest.mark.parametrize(
    "text",
    [
        IN_COIN.format("BTC-USD"),
        # No exchange of coins is named, but a call that would bring 500 costs a fraction of one.
        "date,expiry,strike,type,bid,ask\n2024-01-02,2024-01-26,42000,C,0.035,0.036\n"
        "2024-01-02,2024-01-26,43000,P,0.021,0.022\n",
    ],
)
async def test_prices_that_may_be_in_coin_are_asked_for(file, text):
    path, given = file(text), {"asset": "BTC", "underlying_price": 42500.0}

    with pytest.raises(InvalidInput, match=r"0\.029 beside an underlying at 42500 may be in coin") as refusal:
        plan_import(path, **given)
    coins, report, said = await read(path, price_unit="coin", **given)
    plain, _, _ = await read(path, price_unit="currency", **given)

    assert (refusal.value.field, report.rejected) == ("price-unit", 0)
    assert coins.calls.bid[0] == pytest.approx(0.035 * 42500.0)
    assert "prices are written in coin" in said
    assert plain.calls.bid[0] == 0.035


async def test_contracts_that_settle_in_dollars_are_not_asked_for(file):
    chain, _, _ = await read(file(IN_COIN.format("XRP_USDC")), asset="XRP_USDC", underlying_price=42000.0)

    assert chain.calls.bid.tolist() == [0.035]


async def test_prices_of_options_in_fixed_point_are_asked_for_and_what_stands_for_none_is_none(file):
    rows = (
        "1704229140000000000,3000000000,{},XYZ   240119C00100000\n"
        "1704229140000000000,1000000000,{},XYZ   240119P00100000\n"
    )
    path = file("ts_event,bid_px_00,ask_px_00,symbol\n" + rows.format(3200000000, 2**63 - 1))
    given = {"underlying_price": 101.0}

    with pytest.raises(InvalidInput, match="give their factor, 1e-9 for fixed-point") as refusal:
        plan_import(path, asset="XYZ", **given)
    chain, report, _ = await read(path, price_scale=1e-9, **given)

    assert (refusal.value.field, report.repaired["ask"]) == ("price-scale", 1)
    assert (chain.calls.bid[0], chain.calls.ask[0], chain.puts.bid[0]) == (3.0, 3.2, 1.0)
    assert np.isnan(chain.puts.ask[0])


@pytest.mark.parametrize("order", [1, -1])
async def test_of_quotes_through_a_day_the_latest_counts_however_they_are_sorted(file, order):
    rows = [
        f"2024-01-02 {clock},101,2024-01-19,100,C,{bid},4\n"
        for clock, bid in (("09:45", 1.0), ("15:45", 2.0), ("16:00", 3.0))
    ]

    chain, report, said = await read(
        file("quote_datetime,spot,expiry,strike,type,bid,ask\n" + "".join(rows[::order]))
    )

    assert (chain.calls.bid.tolist(), report.rejected, report.superseded) == ([3.0], 0, 2)
    assert "2 rows passed over, of which a later one quotes the same contract" in said


def test_a_field_is_meant_by_any_of_its_names():
    names = (
        "quote_date",
        "Expiry",
        "cp_flag",
        "IV",
        "c_bid",
        "put_open_interest",
        "Strike Price",
        "price_of_tea",
    )

    found = [field_of(name) for name in names]

    assert found == [
        "date",
        "expiration",
        "option_type",
        "implied_volatility",
        "call_bid",
        "put_open_interest",
        "strike",
        None,
    ]


# Volatilities: in percent, in fractions, or asked for.


async def test_percents_become_fractions_and_it_is_said(file):
    chain, _, said = await read(file(PLAIN.format("14.2", "53.84")), **GIVEN)

    read_ = [chain.calls.implied_volatility[0], chain.puts.implied_volatility[0]]
    assert read_ == pytest.approx([0.142, 0.5384], rel=1e-15)
    assert "implied volatilities are written in percent" in said


@pytest.mark.parametrize("values", [("0.142", "3.2"), ("0.02", "0.5384"), ("14.2%", "53.84%"), ("", "0.21")])
async def test_fractions_stay_fractions_also_where_the_wings_are_high(file, values):
    chain, _, said = await read(file(PLAIN.format(*values)), **GIVEN)

    last = float(values[1].removesuffix("%")) / (100 if "%" in values[1] else 1)
    assert chain.puts.implied_volatility[0] == pytest.approx(last, rel=1e-15)
    assert "percent" not in said


async def test_volatilities_that_could_be_in_either_unit_are_asked_for(file):
    path = file(PLAIN.format("2.5", "3.5"))

    with pytest.raises(InvalidInput, match=r"2.5 % or 250%: say percent or fraction") as refusal:
        await read(path, **GIVEN)
    percent, _, _ = await read(path, volatility_unit="percent", **GIVEN)
    fraction, _, _ = await read(path, volatility_unit="fraction", **GIVEN)

    assert refusal.value.field == "volatility-unit"
    assert [percent.puts.implied_volatility[0], fraction.puts.implied_volatility[0]] == [0.035, 3.5]


# Numbers that stand for nothing.


@pytest.mark.parametrize(
    ("column", "cell", "field"),
    [
        ("bid", "-1", "bid"),
        ("bid", "-1.0", "bid"),
        ("ask", "-99", "ask"),
        ("ask", "1.7976931348623157e308", "ask"),
        ("volume", "-1", "volume"),
        ("iv", "1.0000000000000003e-05", "implied_volatility"),
        ("iv", "0", "implied_volatility"),
        ("iv", "-1", "implied_volatility"),
        ("iv", "-99.99", "implied_volatility"),
        ("delta", "-2", "delta"),
        ("theta", "-999", "theta"),
    ],
)
async def test_a_number_that_stands_for_nothing_is_nothing_and_is_counted(file, column, cell, field):
    cells = {"bid": "3.0", "ask": "3.2", "volume": "7", "iv": "0.2", "delta": "0.5", "theta": "-1.5"} | {
        column: cell
    }
    text = f"expiry,strike,type,{','.join(cells)}\n2024-01-19,100,C,{','.join(cells.values())}\n"

    chain, report, said = await read(file(text), **GIVEN)

    assert (report.stored, report.rejected, report.repaired) == (1, 0, {field: 1})
    assert np.isnan(getattr(chain.calls, field)).all()
    assert f"taken for that: {field} 1" in said
    kept = {"bid": 3.0, "ask": 3.2, "volume": 7.0, "implied_volatility": 0.2, "delta": 0.5, "theta": -1.5}
    assert all(getattr(chain.calls, name)[0] == value for name, value in kept.items() if name != field)


@pytest.mark.parametrize("cell", ["-0.5", "-2", "-12"])
async def test_any_other_quote_below_zero_is_rejected(file, cell):
    _, report, _ = await read(
        file(f"expiry,strike,type,bid,ask\n2024-01-19,100,C,{cell},3\n2024-01-19,90,C,1,3\n"), **GIVEN
    )

    assert (report.stored, report.rejected) == (1, 1)


# Roots.

ROOTED = "contract,date,bid,ask,spot\n"


def rooted(*contracts):
    return ROOTED + "".join(f"{name},2024-01-02,{bid},{bid + 0.2:.1f},101\n" for name, bid in contracts)


SPX_AND_SPXW = rooted(
    ("SPXW240119C04750000", 61.0), ("SPX240119C04750000", 60.0), ("SPXW240105C04750000", 31.0)
)


async def test_the_asset_has_the_contracts_of_its_own_root_and_the_others_are_named(file):
    chain, report, said = await read(file(SPX_AND_SPXW), asset="SPX")

    assert (chain.calls.bid.tolist(), report.rejected, report.other_roots) == ([60.0], 0, {"SPXW": 2})
    assert "contracts of other roots: SPXW 2; --root SPXW takes them" in said


@pytest.mark.parametrize(
    "options",
    [
        {"asset": "SPX", "roots": ["SPXW"]},
        {"asset": "SPX", "only": {"root": "SPXW"}},
        {"asset": "SPXW"},
    ],
)
async def test_a_root_is_chosen_by_its_name_or_by_that_of_the_asset(file, options):
    chain, report, _ = await read(file(SPX_AND_SPXW), **options)

    assert (chain.calls.bid.tolist(), report.other_roots) == ([31.0, 61.0], {"SPX": 1})


async def test_of_two_roots_that_are_asked_for_one_contract_is_rejected_by_name(file):
    _, report, _ = await read(file(SPX_AND_SPXW), asset="SPX", roots=["SPX", "SPXW"])

    assert (report.stored, report.rejected, report.passed_over) == (2, 1, 0)


@pytest.mark.parametrize("order", [1, -1])
async def test_adjusted_contracts_never_take_the_place_of_the_standard_ones(file, order):
    contracts = [("XYZ240119C00100000", 3.0), ("XYZ1240119C00100000", 15.0), ("XYZ1240119C00072500", 14.0)]

    chain, _, said = await read(file(rooted(*contracts[::order])))

    assert (chain.strikes.tolist(), chain.calls.bid.tolist()) == ([100.0], [3.0])
    assert "XYZ1 2" in said


async def test_a_file_of_adjusted_contracts_only_is_refused_until_it_is_asked_for(file):
    path = file(rooted(("XYZ1240119C00100000", 15.0)))

    with pytest.raises(InvalidInput, match=r"contracts of XYZ1, adjusted contracts.*say --root XYZ1"):
        await read(path)
    chain, _, _ = await read(path, roots=["XYZ1"])

    assert chain.calls.bid.tolist() == [15.0]


# Each has SPX and SPXW with one expiration and strike, told apart by symbols alone.
ORATS = (
    "ticker,cOpra,pOpra,stkPx,expirDate,strike,cBidPx,cAskPx,pBidPx,pAskPx,cMidIv,pMidIv,delta,trade_date\n"
    "SPX,SPX240119C04700000,SPX240119P04700000,4742,1/19/2024,4700,60.0,60.2,9.0,9.2,0.12,0.12,0.6,1/2/2024\n"
    "SPX,SPXW240119C04700000,SPXW240119P04700000,4742,1/19/2024,4700,61.0,61.2,9.5,9.7,0.12,0.12,0.6,1/2/2024\n"
)
OPTION_METRICS = (
    "secid,date,symbol,exdate,cp_flag,strike_price,best_bid,best_offer,impl_volatility,am_settlement\n"
    "108105,2024-01-02,SPX 240119C4700000,2024-01-19,C,4700000,60.0,60.2,0.12,1\n"
    "108105,2024-01-02,SPXW 240119C4700000,2024-01-19,C,4700000,61.0,61.2,0.12,0\n"
)
TWO_SIDES = (
    "date,spot,expiration,strike,call_id,call_bid,call_ask,put_id,put_bid,put_ask\n"
    "2024-01-02,4742,2024-01-19,4700,SPX240119C04700000,60.0,60.2,SPX240119P04700000,9.0,9.2\n"
    "2024-01-02,4742,2024-01-19,4700,SPXW240119C04700000,61.0,61.2,SPXW240119P04700000,9.5,9.7\n"
)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("text", [ORATS, OPTION_METRICS, TWO_SIDES])
async def test_roots_are_told_apart_by_whatever_column_spells_the_contracts(file, text, order):
    header, *rows = text.splitlines(keepends=True)
    price = {} if "spot" in text or "stkPx" in text else {"underlying_price": 4742.0}

    chain, report, said = await read(file("".join([header, *rows[::order]])), asset="SPX", **price)

    assert (chain.calls.bid.tolist(), report.rejected, report.other_roots) == ([60.0], 0, {"SPXW": 1})
    assert "contracts of other roots: SPXW 1" in said


async def test_a_contract_of_interactive_brokers_expires_when_its_symbol_says_and_not_when_it_is_last_traded(
    file,
):
    # SPX of the third Friday of January 2024 settled on the morning of the 19th and was traded until the 18th, as
    # Cboe's specification of the contract has it.
    text = (
        "symbol,secType,lastTradeDateOrContractMonth,strike,right,tradingClass,localSymbol,time,bid,ask,undPrice\n"
        "SPX,OPT,20240118,4700.0,C,SPX,SPX   240119C04700000,2024-01-02 21:00:00+00:00,60.0,60.2,4742\n"
        "SPX,OPT,20240119,4700.0,C,SPXW,SPXW  240119C04700000,2024-01-02 21:00:00+00:00,61.0,61.2,4742\n"
    )

    chain, _, _ = await read(file(text), asset="SPX")

    assert (chain.expirations.astype(str).tolist(), chain.calls.bid.tolist()) == (["2024-01-19"], [60.0])


async def test_the_only_root_of_a_file_is_taken_where_it_is_no_adjusted_one(file):
    chain, _, _ = await read(file(rooted(("SPXW240119C04750000", 61.0))), asset="SPX")

    assert chain.calls.bid.tolist() == [61.0]


def test_a_root_of_a_file_without_roots_is_an_error(file):
    with pytest.raises(InvalidInput, match="does not say the roots"):
        plan_import(file(PLAIN.format(0.2, 0.2)), asset="XYZ", roots=["XYZ"], **GIVEN)


# The price of the underlying.

TWO_DAYS = (
    "date,expiry,strike,type,bid,ask\n2024-01-02,2024-01-19,100,C,3,4\n2024-01-03,2024-01-19,100,C,3,4\n"
)


async def test_one_price_of_the_underlying_is_of_one_day(file):
    kept = Kept()

    _, report, _ = await read(file(TWO_DAYS), kept, underlying_price=101.0)

    assert ([*kept.chains], report.rejected) == ([DAY], 1)


async def test_the_price_of_the_underlying_is_the_stored_close_of_the_day_or_of_the_days_before(file):
    kept = Kept()
    kept.parts = [prices([100.0, 102.0], start="2023-12-30", asset="XYZ")]

    _, report, _ = await read(file(TWO_DAYS + "2024-01-09,2024-01-19,100,C,3,4\n"), kept, takes_closes=True)

    assert {day.day: chain.underlying_price for day, chain in kept.chains.items()} == {2: 102.0, 3: 102.0}
    assert report.rejected == 1


# Days that add up.

CALLS = "expiry,strike,type,bid,ask\n2024-01-19,100,C,3.0,3.2\n2024-01-19,105,C,2.0,2.2\n"
PUTS = "expiry,strike,type,bid,ask\n2024-01-19,100,P,1.0,1.2\n"
LATER = "expiry,strike,type,bid,ask\n2024-02-16,100,C,5.0,5.2\n"


async def test_files_of_one_day_add_up(file):
    kept = Kept()
    for number, text in enumerate((CALLS, PUTS, LATER)):
        chain, report, said = await read(file(text, f"{number}.csv"), kept, **GIVEN)

    assert chain.expirations.astype(str).tolist() == ["2024-01-19", "2024-01-19", "2024-02-16"]
    assert chain.calls.bid.tolist() == [3.0, 2.0, 5.0]
    assert np.array_equal(chain.puts.bid, [1.0, np.nan, np.nan], equal_nan=True)
    assert (report.updated, report.dropped) == (0, 0)
    assert "already" not in said


async def test_contracts_that_were_stored_are_updated_and_it_is_said(file):
    kept = Kept()
    await read(file(CALLS), kept, **GIVEN)

    chain, report, said = await read(file(CALLS.replace("3.0,3.2", "3.1,3.2"), "again.csv"), kept, **GIVEN)

    assert (chain.calls.bid.tolist(), report.updated) == ([3.1, 2.0], 2)
    assert "2 calls and puts were stored already, and are replaced by the file's" in said


async def test_a_day_is_replaced_when_it_is_asked_for_and_what_is_dropped_is_said(file):
    kept = Kept()
    await read(file(CALLS), kept, **GIVEN)
    await read(file(PUTS), kept, **GIVEN)

    chain, report, said = await read(file(LATER), kept, replaces=True, **GIVEN)

    assert (chain.strikes.tolist(), chain.calls.bid.tolist(), report.dropped) == ([100.0], [5.0], 3)
    assert "3 calls and puts that were stored of these days were dropped" in said


async def test_files_that_replace_a_day_together_add_up_among_themselves(file):
    kept, replaced = Kept(), set()
    await read(file(LATER), kept, **GIVEN)

    for text in (CALLS, PUTS):
        plan = plan_import(file(text), asset="XYZ", replaces=True, **GIVEN)
        await import_file(plan, kept, replaced=replaced)

    chain = kept.chains[DAY]
    assert (chain.strikes.tolist(), chain.calls.bid.tolist(), chain.puts.bid[0]) == (
        [100.0, 105.0],
        [3.0, 2.0],
        1.0,
    )


async def test_the_strike_that_a_symbol_spells_is_right_to_the_last_digit(file):
    strikes = [number / 1000 for number in range(10, 20_000, 70)]
    contracts = [(f"XYZ240119C{round(strike * 1000):08d}", 1.0) for strike in strikes]

    chain, _, _ = await read(file(rooted(*contracts)))

    assert chain.strikes.tolist() == strikes


async def test_contracts_of_another_underlying_are_not_taken_for_those_of_the_asset(file):
    path = file("symbol,date,bid_price,ask_price,index_price\nETH-19JAN24-2000-C,2024-01-02,1,2,2300\n")

    with pytest.raises(InvalidInput, match="contracts of ETH, not of BTC: say --root ETH"):
        await read(path, asset="BTC")
    chain, _, _ = await read(path, asset="BTC", roots=["ETH"])

    assert chain.strikes.tolist() == [2000.0]


async def test_the_columns_of_a_table_without_a_header_are_named_by_their_numbers(file):
    fields = ("date", "underlying_price", "expiration", "strike", "option_type", "bid", "ask")
    columns = {field: f"column {number}" for number, field in enumerate(fields, 1)}

    chain, _, _ = await read(file("2024-01-02,101,2024-01-19,100,C,3.0,3.2\n"), columns=columns)

    assert (chain.strikes.tolist(), chain.calls.bid.tolist()) == ([100.0], [3.0])


@pytest.mark.parametrize("factor", [0.001, 1e-9, 100.0])
async def test_strikes_in_a_unit_that_is_not_the_underlyings_are_asked_for(file, factor):
    strike = 100 / factor
    path = file(f"date,spot,expiry,strike,type,bid,ask\n2024-01-02,101,2024-01-19,{strike:g},C,3.0,3.2\n")

    with pytest.raises(InvalidInput, match="are in another unit: give their factor") as refusal:
        await read(path)
    ours, _, _ = await read(path, strike_scale=factor)
    plain, _, _ = await read(path, strike_scale=1.0)

    assert refusal.value.field == "strike-scale"
    assert (ours.strikes.tolist(), plain.strikes.tolist()) == ([100.0], [strike])


async def test_strikes_far_in_the_wings_are_not(file):
    rows = "".join(f"2024-01-02,101,2024-01-19,{strike},C,3.0,3.2\n" for strike in (1, 5, 800))

    chain, _, _ = await read(file("date,spot,expiry,strike,type,bid,ask\n" + rows))

    assert chain.strikes.tolist() == [1.0, 5.0, 800.0]


async def test_deltas_in_percent_become_fractions_and_it_is_said(file):
    rows = "2024-01-19,100,C,3.0,3.2,61.5\n2024-01-19,100,P,1.0,1.2,-38.5\n2024-01-19,500,C,0.0,0.1,0.5\n"

    chain, _, said = await read(file("expiry,strike,type,bid,ask,delta\n" + rows), **GIVEN)

    assert [chain.calls.delta[0], chain.puts.delta[0], chain.calls.delta[1]] == pytest.approx(
        [0.615, -0.385, 0.005]
    )
    assert "deltas are written in percent" in said


@pytest.mark.parametrize(
    "symbol",
    [
        *("XYZ240119C00100500", "XYZ   240119C00100500", "O:XYZ240119C00100500", "XYZ 240119C100500"),
        *(
            ".XYZ240119C100.5",
            "XYZ_011924C100.5",
            "XYZ-19JAN24-100.5-C",
            "XYZ-240119-100d5-C",
            "XYZ_USDC-19JAN24-100d5-C",
        ),
    ],
)
async def test_a_symbol_spells_the_terms_of_a_contract(file, symbol):
    path = file(f"symbol,bid,ask\n{symbol},3.0,3.2\n")

    chain, _, _ = await read(path, roots=["XYZ_USDC"] if "USDC" in symbol else (), **GIVEN)

    assert (chain.expirations.astype(str).tolist(), chain.strikes.tolist()) == (["2024-01-19"], [100.5])
    assert (chain.calls.bid.tolist(), np.isnan(chain.puts.bid).tolist()) == ([3.0], [True])


async def test_what_people_add_to_the_frames_of_a_vendor_is_read_too(file):
    text = (
        "contractSymbol,lastTradeDate,strike,lastPrice,bid,ask,impliedVolatility,quote_date,spot\n"
        "XYZ240119C00100000,2024-01-01 20:00:00+00:00,100,3.1,3.0,3.2,0.2,2024-01-02,101\n"
    )

    chain, report, _ = await read(file(text))

    assert (chain.underlying_price, chain.calls.bid.tolist(), report.rejected) == (101.0, [3.0], 0)


DATED = "time,expiry,strike,type,bid,ask\n{},2024-01-19,100,C,3.0,3.2\n"


@pytest.mark.parametrize("time", ["15:59:58", "2024-01-02", "2024-01-02T20:59:58Z", "1704229200"])
async def test_the_day_that_is_given_is_that_of_rows_that_say_the_same_or_a_clock(file, time):
    chain, report, _ = await read(file(DATED.format(time)), **GIVEN)

    assert (chain.calls.bid.tolist(), report.rejected) == ([3.0], 0)


async def test_a_day_that_is_not_that_of_the_rows_is_refused_until_their_column_is_left_out(file):
    path = file(DATED.format("2024-01-03"))

    with pytest.raises(InvalidInput, match="the file says 2024-01-03 in its column time") as refusal:
        await read(path, **GIVEN)
    chain, _, _ = await read(path, columns={"date": ""}, **GIVEN)

    assert refusal.value.field == "date"
    assert chain.day == DAY


async def test_a_column_can_be_left_out(file):
    chain, _, _ = await read(file(PLAIN.format(2.5, 3.5)), columns={"implied_volatility": ""}, **GIVEN)

    assert np.isnan(chain.calls.implied_volatility).all()


def test_an_expiration_beside_symbols_that_say_it_is_refused(file):
    with pytest.raises(InvalidInput, match="the symbols of the contracts say it"):
        plan_import(file(rooted(("XYZ240119C00100000", 3.0))), asset="XYZ", expiration=date(2024, 2, 16))


async def test_a_column_that_is_called_root_and_is_none_of_contracts_chooses_rows(file):
    text = "root,expiration,strike,right,ms_of_day,bid,ask,date,underlying_price\n"
    rows = "".join(
        f"{name},20240119,100000,C,57600000,{bid},4,20240102,101\n" for name, bid in (("ABC", 1), ("XYZ", 3))
    )

    chain, report, _ = await read(file(text + rows), only={"root": "ABC"})

    assert (chain.calls.bid.tolist(), report.passed_over) == ([1.0], 1)


BOARD = (
    "{0},Last,Bid,Ask,Volume,Open Int,IV,Strike,{1},Last,Bid,Ask,Volume,Open Int,IV\n"
    "{2},3.1,3.0,3.2,10,55,22.0%,100.00,{3},1.1,1.0,1.2,20,66,21.0%\n"
)


@pytest.mark.parametrize(
    ("words", "is_call_first"),
    [
        (("Type", "Type", "Call", "Put"), True),  # Barchart, side by side
        (("Type", "Type", "Put", "Call"), False),
        (("Calls", "Puts", "", ""), True),
        (("Puts", "Calls", "", ""), False),
        (("Change", "Change", "0.1", "-0.1"), True),  # nothing is said: calls are left of the strike
    ],
)
async def test_a_board_with_calls_and_puts_under_the_same_names_has_both(file, words, is_call_first):
    chain, report, _ = await read(file(BOARD.format(*words)), expiration=date(2024, 1, 19), **GIVEN)

    left, right = (chain.calls, chain.puts) if is_call_first else (chain.puts, chain.calls)
    assert report.stored == 1
    assert [side.bid.tolist() + side.last.tolist() for side in (left, right)] == [[3.0, 3.1], [1.0, 1.1]]
    assert [side.implied_volatility.tolist() for side in (left, right)] == [[0.22], [0.21]]
    assert [side.open_interest.tolist() for side in (left, right)] == [[55.0], [66.0]]


def test_a_board_of_which_nothing_tells_the_sides_is_asked_about(file):
    text = "Strike,Bid,Ask,Bid,Ask\n100,3.0,3.2,1.0,1.2\n"

    with pytest.raises(InvalidInput, match="without option_type"):
        plan_import(file(text), asset="XYZ", expiration=date(2024, 1, 19), **GIVEN)


async def test_what_a_vendors_table_has_under_another_name_is_not_dropped(file):
    text = (
        "underlying_symbol,underlying_price,option_type,expiration,quote_date,strike,bid,ask,iv,oi,ltp\n"
        "XYZ,101,call,2024-01-19,2024-01-02,100,3.0,3.2,22.5,55,3.1\n"
        "XYZ,101,put,2024-01-19,2024-01-02,100,1.0,1.2,21.5,66,1.1\n"
    )

    chain, _, said = await read(file(text))

    assert chain.calls.implied_volatility.tolist() == [0.225]
    assert (chain.puts.open_interest.tolist(), chain.puts.last.tolist()) == ([66.0], [1.1])
    assert "implied volatilities are written in percent" in said


@pytest.mark.parametrize(("form", "cell", "asked"), [("yfinance", 22.0, True), ("yfinance", 3.0, False)])
def test_volatilities_in_another_unit_than_the_vendors_are_asked_for(file, form, cell, asked):
    text = (
        "contractSymbol,strike,lastPrice,bid,ask,volume,openInterest,impliedVolatility\n"
        f"XYZ240119C00100000,100.0,3.1,3.0,3.2,10,5,{cell}\n"
    )
    options = {"asset": "XYZ", "form": form, **GIVEN}

    if asked:
        with pytest.raises(InvalidInput, match="volatility-unit"):
            plan_import(file(text), **options)
        options["volatility_unit"] = "percent"
    assert plan_import(file(text), **options).mapping.scale["implied_volatility"] == (0.01 if asked else 1.0)


@pytest.mark.parametrize("asset", ["BRK-B", "BRK.B", "BRKB"])
async def test_the_class_of_a_share_is_spelt_in_several_ways(file, asset):
    # OCC symbols have no point: options on BRK.B, which Yahoo calls BRK-B, are of the root BRKB.
    chain, _, _ = await read(file("symbol,bid,ask\nBRKB240119C00100000,3.0,3.2\n"), asset=asset, **GIVEN)

    assert chain.calls.bid.tolist() == [3.0]


@pytest.mark.parametrize(
    ("quoted", "expires"),
    [
        ("20240102.0", "20240119.0"),
        ("02 Jan 24", "19 Jan 24"),
        ('"January 2, 2024"', '"January 19, 2024"'),
        ('"Tue, Jan 02, 2024"', '"Fri, Jan 19, 2024"'),
        ("02-January-2024", "19-January-2024"),
    ],
)
async def test_dates_in_words_and_dates_that_were_floats_are_read(file, quoted, expires):
    text = f"date,spot,expiry,strike,type,bid,ask\n{quoted},101,{expires},100,C,3.0,3.2\n"

    chain, _, _ = await read(file(text))

    assert chain.expirations.astype(str).tolist() == ["2024-01-19"]


def test_a_table_without_a_header_that_is_said_to_be_a_chain_is_asked_for_its_columns(file):
    path = file("XYZ,2024-01-02,2024-01-19,100,C,3.0,3.2\nXYZ,2024-01-02,2024-01-19,100,P,1.0,1.2\n")

    with pytest.raises(InvalidInput, match=r"--column expiration=NAME.*column 1, column 2"):
        plan_import(path, asset="XYZ", underlying_price=101.0)


async def test_flex_options_are_of_another_root(file):
    # OCC: roots of FLEX options begin with a digit.
    text = "symbol,bid,ask\nXYZ240119C00100000,3.0,3.2\n2XYZ240119C00100000,4.0,4.2\n"

    chain, report, _ = await read(file(text), **GIVEN)

    assert (chain.calls.bid.tolist(), report.other_roots) == ([3.0], {"2XYZ": 1})


@pytest.mark.parametrize(
    ("quoted", "expires", "day"),
    [
        # 2026-01-05 is a Monday and 2026-05-01 a Friday; 2026-02-06 and 03-06 are Fridays, 06-02 and 06-03 are not.
        ("05/01/2026", ("06/02/2026", "06/03/2026"), "2026-01-05"),
        ("01/05/2026", ("02/06/2026", "03/06/2026"), "2026-01-05"),
        # 2026-02-01 is a Sunday.
        ("01/02/2026", ("02/04/2026", "04/06/2026"), "2026-01-02"),
    ],
)
async def test_days_and_months_of_chains_are_told_apart_by_the_weekdays_too(file, quoted, expires, day):
    rows = "".join(f"{quoted},101,{each},100,C,3.0,3.2\n" for each in expires)
    path = file(f"date,spot,expiry,strike,type,bid,ask\n{rows}")
    kept = Kept()

    await read(path, kept=kept)

    assert [str(each) for each in kept.chains] == [day]


ZERODHA = (
    "tradingsymbol,last_price,volume,oi,strike,expiry,instrument_type\n"
    "{0}24JAN100CE,3.1,10,55,100,2024-01-19,CE\n{1}24JAN100PE,1.1,20,66,100,2024-01-19,PE\n"
)


async def test_symbols_that_spell_no_day_name_contracts_whose_terms_have_columns(file):
    chain, report, _ = await read(file(ZERODHA.format("XYZ", "XYZ")), **GIVEN)

    assert (report.rejected, chain.calls.last.tolist(), chain.puts.last.tolist()) == (0, [3.1], [1.1])


def test_symbols_of_several_roots_are_several_assets_then(file):
    with pytest.raises(InvalidInput):
        plan_import(file(ZERODHA.format("XYZ", "ABC")), asset="XYZ", **GIVEN)


async def test_a_point_behind_an_abbreviation_is_none_of_records_in_records(file):
    # As nasdaq.com heads its table.
    header = "Exp. Date,Last,Bid,Ask,Open Int.,Strike,Last,Bid,Ask,Open Int."
    text = f"{header}\n2024-01-19,3.1,3.0,3.2,55,100,1.1,1.0,1.2,66\n"

    chain, _, _ = await read(file(text), **GIVEN)

    assert (chain.calls.bid.tolist(), chain.puts.open_interest.tolist()) == ([3.0], [66.0])


async def test_a_board_that_pandas_wrote_has_both_sides(file):
    text = BOARD.format("Calls", "Puts", "", "").splitlines()
    names = text[0].split(",")
    text[0] = ",".join(f"{name}.1" if name in names[:number] else name for number, name in enumerate(names))

    chain, _, _ = await read(file("\n".join(text)), expiration=date(2024, 1, 19), **GIVEN)

    assert "Bid.1" in text[0]
    assert (chain.calls.bid.tolist(), chain.puts.bid.tolist()) == ([3.0], [1.0])


# 2024-01-02 and 2024-01-19 as spreadsheets have them, =DATE(2024,1,2), and as R, as.numeric(as.Date("2024-01-02")).
@pytest.mark.parametrize(
    ("quoted", "expires"), [("45293", "45310"), ("45293.6667", "45310.0"), ("19724", "19741")]
)
async def test_dates_that_are_counts_of_days_are_read(file, quoted, expires):
    text = f"date,expiry,strike,type,bid,ask,spot\n{quoted},{expires},100,C,3.0,3.2,101\n"

    chain, report, _ = await read(file(text), timezone="America/New_York")

    assert (chain.expirations.astype(str).tolist(), report.rejected) == (["2024-01-19"], 0)


async def test_a_column_of_words_is_none_of_prices(file):
    text = "date,expiry,settlement,strike,type,bid,ask,spot\n2024-01-02,2024-01-19,PM,100,C,3.0,3.2,101\n"

    chain, report, _ = await read(file(text))

    assert (report.rejected, chain.calls.bid.tolist(), np.isnan(chain.calls.last).all()) == (0, [3.0], True)


@pytest.mark.parametrize(
    ("call", "put"), [("Call Option", "Put Option"), ("CALL_OPTION", "PUT_OPTION"), ("CA", "PA")]
)
async def test_a_type_is_said_in_several_ways(file, call, put):
    text = (
        "date,expiry,strike,type,bid,ask,spot\n"
        f"2024-01-02,2024-01-19,100,{call},3.0,3.2,101\n2024-01-02,2024-01-19,100,{put},1.0,1.2,101\n"
    )

    chain, _, _ = await read(file(text))

    assert (chain.calls.bid.tolist(), chain.puts.bid.tolist()) == ([3.0], [1.0])

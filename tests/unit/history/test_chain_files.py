"""Files of chains as vendors write them, with all their columns and whims, without a store."""
# ruff: noqa: E501  (rows of files are as long as they are)

from __future__ import annotations

import csv
import zipfile
from datetime import date

import numpy as np
import pytest

from adapters.history_files import import_file, plan_import
from optionchain.errors import InvalidInput
from tests.unit.history.kept import Kept

pytestmark = pytest.mark.anyio

DAY = date(2024, 1, 2)
OPTIONSDX_HEADER = (
    "[QUOTE_UNIXTIME], [QUOTE_READTIME], [QUOTE_DATE], [QUOTE_TIME_HOURS], [UNDERLYING_LAST], [EXPIRE_DATE], [EXPIRE_UNIX], [DTE],"
    " [C_DELTA], [C_GAMMA], [C_VEGA], [C_THETA], [C_RHO], [C_IV], [C_VOLUME], [C_LAST], [C_SIZE], [C_BID], [C_ASK], [STRIKE],"
    " [P_BID], [P_ASK], [P_SIZE], [P_LAST], [P_DELTA], [P_GAMMA], [P_VEGA], [P_THETA], [P_RHO], [P_IV], [P_VOLUME],"
    " [STRIKE_DISTANCE], [STRIKE_DISTANCE_PCT]\r\n"
)
OPTIONSDX_ROW = (
    "1704229200, 2024-01-02 16:00, 2024-01-02, 16.000000, 4742.830000, 2024-01-19, 1705698000, 17.000000,"
    " 0.515000, 0.004000, 4.100000, -1.200000, 0.900000, {iv}, {volume}, 61.000000, 30 x 30, 60.100000, 60.900000, {strike},"
    " 55.100000, 55.900000, 0 x 1225, 55.500000, -0.485000, 0.004000, 4.100000, -1.100000, -0.800000, 0.116000, ,"
    " 7.170000, 0.002000\r\n"
)
CBOE_HEADER = (
    "underlying_symbol,quote_date,root,expiration,strike,option_type,open,high,low,close,trade_volume,bid_size_1545,bid_1545,"
    "ask_size_1545,ask_1545,underlying_bid_1545,underlying_ask_1545,implied_underlying_price_1545,active_underlying_price_1545,"
    "implied_volatility_1545,delta_1545,gamma_1545,theta_1545,vega_1545,rho_1545,bid_size_eod,bid_eod,ask_size_eod,ask_eod,"
    "underlying_bid_eod,underlying_ask_eod,vwap,open_interest,delivery_code\n"
)
CBOE_ROW = (
    "{symbol},2024-01-02,{root},2024-01-19,{strike},{side},0.0000,0.0000,0.0000,61.0000,12,30,60.1000,25,60.9000,{underlying},"
    "4742.8300,{active},0.1180,0.5150,0.0040,-1.2000,4.1000,0.9000,30,59.9000,25,60.5000,4740.1000,4740.2000,60.5000,1500,\n"
)
LONG = "underlying_symbol,underlying_price,option_type,expiration,quote_date,strike,bid,ask,implied_volatility,delta\n"


@pytest.fixture
def read(tmp_path):
    async def read(content, name="chains.csv", **options):
        """The chains by day, the report, and the rejects by row."""
        path = tmp_path / name
        if content is not None:
            path.write_text(content, newline="")
        plan, kept = plan_import(path, **{"asset": "SPX"} | options), Kept()
        report = await import_file(plan, kept)
        rejects = {}
        if plan.rejects_path.exists():
            with plan.rejects_path.open() as stream:
                rejects = {int(number): reason for number, reason, *_ in csv.reader(stream)}
        return kept.chains, report, rejects

    return read


def cboe(
    symbol="^SPX",
    root="SPX",
    side="C",
    strike="4750.000",
    underlying="4742.8000,4742.8600",
    active="4742.8300",
):
    return CBOE_ROW.format(
        symbol=symbol, root=root, side=side, strike=strike, underlying=underlying, active=active
    )


async def test_optionsdx_text_files_are_read_with_their_blanks_and_missing_cells(read):
    rows = [
        OPTIONSDX_ROW.format(strike="4750.000000", iv="0.118000", volume="12.000000"),
        OPTIONSDX_ROW.format(strike="4755.000000", iv="", volume=""),
    ]

    chains, report, _ = await read(OPTIONSDX_HEADER + "".join(rows), "spx_eod_202401.txt")

    stored = chains[DAY]
    assert (report.stored, report.rejected) == (2, 0)
    assert (stored.underlying_price, stored.strikes.tolist()) == (4742.83, [4750.0, 4755.0])
    assert (stored.calls.bid[0], stored.calls.ask[0], stored.calls.last[0]) == (60.1, 60.9, 61.0)
    assert (stored.calls.delta[0], stored.calls.gamma[0], stored.calls.vega[0], stored.calls.theta[0]) == (
        0.515,
        0.004,
        4.1,
        -1.2,
    )
    assert (stored.puts.bid[0], stored.puts.delta[0], stored.puts.implied_volatility[0]) == (
        55.1,
        -0.485,
        0.116,
    )
    assert [stored.calls.implied_volatility[0], stored.calls.volume[0]] == [0.118, 12.0]
    assert np.isnan([stored.calls.implied_volatility[1], stored.calls.volume[1], stored.puts.volume[0]]).all()


async def test_cboe_archives_are_read_as_they_are_sold(read, tmp_path):
    text = CBOE_HEADER + cboe() + cboe(side="P") + cboe(strike="4755.000")
    with zipfile.ZipFile(tmp_path / "UnderlyingOptionsEODCalcs_2024-01-02.zip", "w") as archive:
        archive.writestr("UnderlyingOptionsEODCalcs_2024-01-02.csv", text)

    chains, report, _ = await read(None, "UnderlyingOptionsEODCalcs_2024-01-02.zip")

    stored = chains[DAY]
    assert (report.stored, report.rejected, stored.underlying_price) == (3, 0, 4742.83)
    assert (stored.calls.bid[0], stored.calls.ask[0], stored.calls.open_interest[0]) == (60.1, 60.9, 1500.0)
    assert (stored.calls.last[0], stored.calls.volume[0], stored.puts.delta[0]) == (61.0, 12.0, 0.515)
    assert np.isnan(stored.puts.bid[1])


async def test_without_an_active_price_the_middle_of_the_quotes_of_the_underlying_counts(read):
    chains, _, _ = await read(CBOE_HEADER + cboe(active="0.0000"))

    assert chains[DAY].underlying_price == pytest.approx(4742.83)


async def test_of_a_file_of_the_whole_market_the_asset_is_taken_and_the_rest_counted(read):
    text = CBOE_HEADER + cboe("A", "A") + cboe() + cboe("SPY", "SPY", strike="470.000")

    chains, report, rejects = await read(text)

    assert chains[DAY].strikes.tolist() == [4750.0]
    assert (report.stored, report.passed_over, rejects) == (1, 2, {})


async def test_a_file_of_others_is_refused_until_one_is_chosen(read):
    text = CBOE_HEADER + cboe("QQQ", "QQQ") + cboe("SPY", "SPY")

    with pytest.raises(InvalidInput, match="rows of QQQ, SPY: say which"):
        await read(text)


async def test_of_two_roots_with_one_contract_the_asset_has_its_own_or_the_user_chooses(read):
    text = CBOE_HEADER + cboe(root="SPX") + cboe(root="SPXW")

    for options in ({}, {"only": {"root": "SPX"}}, {"roots": ["SPX"]}):
        _, report, rejects = await read(text, **options)
        assert (report.stored, report.other_roots, rejects) == (1, {"SPXW": 1}, {})
    _, report, rejects = await read(text, roots=["SPXW", "SPX"])
    assert (report.passed_over, rejects) == (0, {1: "a later row has the same contract"})


async def test_european_numbers_american_dates_and_percents_are_understood_together(read):
    text = LONG.replace(",", ";") + "SPX;4.742,83;c;1/19/2024;1/2/2024;4.750,00;60,1;60,9;11,8%;0,515\n"

    chains, report, _ = await read(text)

    stored = chains[DAY]
    assert (report.rejected, stored.underlying_price, stored.strikes[0]) == (0, 4742.83, 4750.0)
    assert stored.expirations.astype(str).tolist() == ["2024-01-19"]
    assert (stored.calls.bid[0], stored.calls.delta[0]) == (60.1, 0.515)
    assert stored.calls.implied_volatility[0] == pytest.approx(0.118)


@pytest.mark.parametrize(
    ("quoted", "expires", "options", "day"),
    [
        ("1/2/2024", "1/9/2024", {}, date(2024, 1, 2)),
        ("2/1/2024", "19/1/2024", {}, date(2024, 1, 2)),
        ("1/2/2024", "1/9/2024", {"month_first": False}, date(2024, 2, 1)),
        ("2024-01-02 15:45:00", "2024-01-19 00:00:00", {}, date(2024, 1, 2)),
        ("20240102", "20240119", {}, date(2024, 1, 2)),
        ("1704240000", "1705622400", {}, date(2024, 1, 3)),
    ],
)
async def test_both_dates_of_a_contract_are_read_in_one_order(read, quoted, expires, options, day):
    chains, report, _ = await read(LONG + f"SPX,100,call,{expires},{quoted},100,1,2,0.2,0.5\n", **options)

    assert ([*chains], report.rejected) == ([day], 0)


@pytest.mark.parametrize(
    ("quoted", "zone"),
    [
        ("1704240001", "America/New_York"),  # 19:00:01 of the 2nd there
        ("2024-01-03T00:30:00Z", "America/New_York"),
        ("1704150000000", "Australia/Sydney"),  # 23:00 UTC of the 1st
        ("1704153600", "America/New_York"),  # a midnight of UTC is a day
        ("2024-01-02T00:00:00Z", "Asia/Tokyo"),
        ("2024-01-01T19:00:00-05:00", "America/New_York"),  # the same midnight
    ],
)
async def test_a_quote_is_of_the_day_of_the_timezone_or_of_the_day_that_is_written(read, quoted, zone):
    text = LONG + f"SPX,100,call,2024-01-19,{quoted},100,1,2,0.2,0.5\n"

    chains, _, _ = await read(text, timezone=zone)

    assert [*chains] == [DAY]


@pytest.mark.parametrize(
    "zone", ["UTC", "America/New_York", "Europe/Berlin", "Asia/Tokyo", "Australia/Sydney"]
)
@pytest.mark.parametrize(
    "expires",
    [
        "1705622400",  # 2024-01-19T00:00Z
        "1705622400000",
        "1705651200000000",  # 08:00Z, Deribit
        "1705698000",  # 21:00Z, the close in New York
        "2024-01-19T00:00:00Z",
        "2024-01-19 00:00:00+00:00",
        "2024-01-19T16:00:00-05:00",
        "2024-01-18T19:00:00-05:00",  # midnight of UTC, as written by who converts it
        "2024-01-19",
        "20240119",
        "19JAN24",
    ],
)
async def test_an_expiration_is_one_day_in_every_timezone(read, expires, zone):
    chains, report, _ = await read(
        LONG + f"SPX,100,call,{expires},2024-01-02,100,1,2,0.2,0.5\n", timezone=zone
    )

    assert report.rejected == 0
    assert chains[DAY].expirations.astype(str).tolist() == ["2024-01-19"]


@pytest.mark.parametrize(
    ("expires", "zone"),
    [
        ("1705618800", "Europe/Berlin"),  # the midnight of the 19th there
        ("1705590000", "Asia/Tokyo"),
        ("1705726799", "America/New_York"),  # the last second of the 19th there
    ],
)
async def test_an_expiration_at_the_beginning_or_end_of_a_day_of_the_timezone_is_that_day(
    read, expires, zone
):
    chains, _, _ = await read(LONG + f"SPX,100,call,{expires},2024-01-02,100,1,2,0.2,0.5\n", timezone=zone)

    assert chains[DAY].expirations.astype(str).tolist() == ["2024-01-19"]


async def test_quotes_that_are_no_numbers_are_rejected_and_never_taken_for_nothing(read):
    text = LONG + (
        'SPX,"4,742.83",call,2024-01-19,2024-01-02,"4,750",$60.1,60.9,n/a,--\n'
        "SPX,4742.83,put,2024-01-19,2024-01-02,4750,sixty,60.9,0.1,0.5\n"
        "SPX,4742.83,put,2024-01-19,2024-01-02,here,60,60.9,0.1,0.5\n"
        "SPX,4742.83,put,2024-01-19,2024-01-02,4750,60,60.9,0.1,half\n"
    )

    chains, _, rejects = await read(text)

    assert (chains[DAY].calls.bid[0], chains[DAY].strikes.tolist()) == (60.1, [4750.0])
    assert np.isnan(chains[DAY].calls.implied_volatility[0])
    assert rejects == {2: "bid is no number", 3: "strike is no number", 4: "delta is no number"}


async def test_frames_of_yfinance_are_read_with_the_index_that_they_are_written_with(read):
    text = (
        ",contractSymbol,lastTradeDate,strike,lastPrice,bid,ask,change,percentChange,volume,openInterest,impliedVolatility,inTheMoney,contractSize,currency\n"
        "0,SPXW240119C04750000,2024-01-02 20:59:31+00:00,4750.0,61.0,60.1,60.9,1.5,2.5,12.0,1500,0.118,False,REGULAR,USD\n"
        "1,SPXW240119P04750000,2024-01-02 20:59:31+00:00,4750.0,55.5,55.1,55.9,,,,0,1.0000000000000003e-05,True,REGULAR,USD\n"
    )

    chains, report, _ = await read(text, day=DAY, underlying_price=4742.83)

    stored = chains[DAY]
    assert (report.rejected, stored.strikes.tolist()) == (0, [4750.0])
    assert (stored.calls.bid[0], stored.puts.bid[0], stored.puts.open_interest[0]) == (60.1, 55.1, 0.0)
    assert np.isnan(stored.puts.implied_volatility[0])
    assert report.repaired == {"implied_volatility": 1}

"""The files of each vendor that has a preset: own rows in the vendor's columns and units, and what becomes of them."""
# ruff: noqa: E501  (rows of files are as long as they are)

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from adapters.history_files import import_file, plan_import
from adapters.history_files.chain_columns import ANY_TABLE
from adapters.history_files.chain_names import FIELDS
from adapters.history_files.exports import EXPORTS
from adapters.history_files.presets import KINDS, PRESETS, bare_names, detect_preset
from optionchain.errors import InvalidInput
from optionchain.time_frame import TimeFrame
from tests.unit.history.kept import Kept

pytestmark = pytest.mark.anyio

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "history.md"
# What each file says of one call and one put at one strike, in our words and units.
CALL = {"bid": 3.0, "ask": 3.2}
PUT = {"bid": 1.0, "ask": 1.2}
NSE_NAMES = "OI,CHNG IN OI,VOLUME,IV,LTP,CHNG,BID QTY,BID,ASK,ASK QTY,STRIKE,BID QTY,BID,ASK,ASK QTY,CHNG,LTP,IV,VOLUME,CHNG IN OI,OI"
UDIFF_NAMES = (
    "TradDt,BizDt,Sgmt,Src,FinInstrmTp,FinInstrmId,ISIN,TckrSymb,SctySrs,XpryDt,FininstrmActlXpryDt,StrkPric,OptnTp,FinInstrmNm,"
    "OpnPric,HghPric,LwPric,ClsPric,LastPric,PrvsClsgPric,UndrlygPric,SttlmPric,OpnIntrst,ChngInOpnIntrst,TtlTradgVol"
)
CHAINS = {
    "optionsdx": (
        "[QUOTE_DATE], [UNDERLYING_LAST], [EXPIRE_DATE], [C_DELTA], [C_IV], [C_VOLUME], [C_BID], [C_ASK], [STRIKE], [P_BID], [P_ASK], [P_IV]\n"
        "2024-01-02, 101.0, 2024-01-19, 0.61, 0.22, 10, 3.0, 3.2, 100.0, 1.0, 1.2, 0.21\n",
        {}, {"delta": 0.61, "implied_volatility": 0.22, "volume": 10.0}, {"implied_volatility": 0.21}),
    "cboe": (
        "underlying_symbol,quote_date,root,expiration,strike,option_type,close,trade_volume,bid_1545,ask_1545,underlying_bid_1545,underlying_ask_1545,implied_volatility_1545,active_underlying_price_1545,open_interest\n"
        "XYZ,2024-01-02,XYZ,2024-01-19,100.000,C,3.1,10,3.0,3.2,100.9,101.1,0.22,101.0,55\nXYZ,2024-01-02,XYZ,2024-01-19,100.000,P,1.1,20,1.0,1.2,100.9,101.1,0.21,101.0,66\n",
        {}, {"last": 3.1, "open_interest": 55.0}, {"last": 1.1, "volume": 20.0}),
    "cboe-delayed": (
        "Example Inc (XYZ),Last: 101\nDate: January 2 2024,Bid: 100.9\n"
        "Expiration Date,Calls,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest,Strike,Puts,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest\n"
        + "".join(f"Fri Jan 19 2024,XYZ240119C{k:05d}000,3.1,0,3.0,3.2,10,0.22,0.61,0.05,55,{k},XYZ240119P{k:05d}000,1.1,0,1.0,1.2,20,0.21,-0.39,0.05,66\n" for k in (100,)),
        {"day": date(2024, 1, 2), "underlying_price": 101.0}, {"delta": 0.61, "last": 3.1}, {"delta": -0.39, "open_interest": 66.0}),
    "optopsy": (
        "underlying_symbol,underlying_price,option_type,expiration,quote_date,strike,bid,ask,delta\nXYZ,101,call,2024-01-19,2024-01-02,100,3.0,3.2,0.61\nXYZ,101,put,2024-01-19,2024-01-02,100,1.0,1.2,-0.39\n",
        {}, {"delta": 0.61}, {"delta": -0.39}),
    "yfinance": (
        "contractSymbol,lastTradeDate,strike,lastPrice,bid,ask,volume,openInterest,impliedVolatility,inTheMoney,currency\n"
        "XYZ240119C00100000,2024-01-02 20:00:00+00:00,100.0,3.1,3.0,3.2,10,5,0.22,True,USD\nXYZ240119P00100000,2024-01-02 20:00:00+00:00,100.0,1.1,1.0,1.2,,5,1e-05,False,USD\n",
        {"day": date(2024, 1, 2), "underlying_price": 101.0}, {"implied_volatility": 0.22, "volume": 10.0}, {"implied_volatility": math.nan, "volume": math.nan}),
    "alphavantage": (
        "contractID,symbol,expiration,strike,type,last,mark,bid,bid_size,ask,ask_size,volume,open_interest,date,implied_volatility,delta,gamma,theta,vega,rho\r\n"
        "XYZ240119C00100000,XYZ,2024-01-19,100.00,call,3.10,3.10,3.00,16,3.20,22,17,4,2024-01-02,0.22000,0.61000,0.05000,-0.04448,0.08000,0.01027\r\n"
        "XYZ240119P00100000,XYZ,2024-01-19,100.00,put,1.10,1.10,1.00,16,1.20,22,18,5,2024-01-02,0.21000,-0.39000,0.05000,-0.04000,0.08000,-0.01000\r\n",
        {"underlying_price": 101.0}, {"theta": -0.04448, "volume": 17.0, "last": 3.1}, {"delta": -0.39, "open_interest": 5.0}),
    # Theta of a year and vega of a volatility of 1: -18.25 / 365 and 8 / 100.
    "historicaloptiondata": (
        "UnderlyingSymbol,UnderlyingPrice,Exchange,OptionSymbol,OptionExt,Type,Expiration,DataDate,Strike,Last,Bid,Ask,Volume,OpenInterest,IV,Delta,Gamma,Theta,Vega,AKA\n"
        "XYZ,101,*,XYZ240119C00100000,,call,01/19/2024,01/02/2024,100,3.1,3.0,3.2,10,55,0.22,0.61,0.05,-18.25,8.0,XYZ240119C00100000\n"
        "XYZ,101,*,XYZ240119P00100000,,put,01/19/2024,01/02/2024,100,1.1,1.0,1.2,20,66,0.21,-0.39,0.05,-14.6,8.0,XYZ240119P00100000\n",
        {}, {"theta": -0.05, "vega": 0.08, "delta": 0.61}, {"theta": -0.04, "implied_volatility": 0.21}),
    "orats": (
        "ticker,tradeDate,expirDate,dte,strike,stockPrice,callVolume,callOpenInterest,putVolume,putOpenInterest,callBidPrice,callAskPrice,putBidPrice,putAskPrice,callMidIv,putMidIv,delta,gamma,theta,vega,rho\n"
        "XYZ,2024-01-02,2024-01-19,17,100,101,10,55,20,66,3.0,3.2,1.0,1.2,0.22,0.21,0.61,0.05,-0.04,0.08,0.01\n",
        {}, {"delta": 0.61, "theta": -0.04, "vega": 0.08, "volume": 10.0},
        {"delta": -0.39, "gamma": 0.05, "vega": 0.08, "theta": math.nan, "open_interest": 66.0}),
    "thetadata": (
        'symbol,expiration,strike,right,timestamp,bid_size,bid,ask_size,ask,volume,delta,theta,vega,rho,gamma,implied_vol,underlying_price\n'
        '"XYZ","2024-01-19",100.000,"CALL","2024-01-02T15:59:00",1,2.0,1,2.2,1,0.5,-0.03,0.08,0.01,0.05,0.2,100.0\n'
        '"XYZ","2024-01-19",100.000,"CALL","2024-01-02T16:00:00",12,3.0,10,3.2,10,0.61,-0.03,0.08,0.01,0.05,0.22,101.0\n'
        '"XYZ","2024-01-19",100.000,"PUT","2024-01-02T16:00:00",15,1.0,18,1.2,20,-0.39,-0.03,0.08,0.01,0.05,0.21,101.0\n',
        {}, {"implied_volatility": 0.22, "delta": 0.61}, {"volume": 20.0}),
    "thetadata-v2": (
        "root,expiration,strike,right,ms_of_day,bid_size,bid,ask_size,ask,date,implied_vol,underlying_price\n"
        "XYZ,20240119,100000,C,57600000,12,3.0,10,3.2,20240102,0.22,101.0\nXYZ,20240119,100000,P,57600000,12,1.0,10,1.2,20240102,0.21,101.0\n",
        {}, {"implied_volatility": 0.22}, {"implied_volatility": 0.21}),
    # Quoted in coin: 0.03 of an underlying at 101 is 3.03; volatilities in percent.
    "deribit": (
        "instrument_name,bid_price,ask_price,mark_price,mark_iv,underlying_price,open_interest,volume,last,creation_timestamp\n"
        "XYZ-19JAN24-100-C,0.03,0.032,0.031,22.0,101,55,10,0.031,1704207600000\nXYZ-19JAN24-100-P,0.01,0.012,0.011,21.0,101,66,20,0.011,1704207600000\n"
        "XYZ_USDC-19JAN24-100-P,9,9,9,21.0,101,66,20,9,1704207600000\n",
        {}, {"bid": 3.03, "ask": 3.232, "implied_volatility": 0.22}, {"bid": 1.01, "ask": 1.212, "last": 1.111, "implied_volatility": 0.21}),
    "tardis": (
        "exchange,symbol,timestamp,local_timestamp,type,strike_price,expiration,open_interest,last_price,bid_price,bid_amount,bid_iv,ask_price,ask_amount,ask_iv,mark_price,mark_iv,underlying_index,underlying_price,delta,gamma,vega,theta,rho\n"
        "deribit,XYZ-19JAN24-100-C,1704207600000000,1704207600000100,call,100,1705651200000000,55,0.03,0.02,1,20,0.022,1,23,0.021,21.0,SYN.XYZ-19JAN24,100,0.6,0.05,8,-4,1\n"
        "deribit,XYZ-19JAN24-100-C,1704211200000000,1704211200000100,call,100,1705651200000000,55,0.03,0.03,1,21,0.032,1,24,0.031,22.0,SYN.XYZ-19JAN24,101,0.61,0.05,8,-4,1\n"
        "deribit,XYZ-19JAN24-100-P,1704211200000000,1704211200000100,put,100,1705651200000000,66,,0.01,1,21,0.012,1,24,0.011,21.0,SYN.XYZ-19JAN24,101,-0.39,0.05,8,-4,1\n",
        {}, {"bid": 3.03, "ask": 3.232, "implied_volatility": 0.22, "delta": 0.61}, {"bid": 1.01, "ask": 1.212, "last": math.nan}),
    # The strike is the symbol once more.
    "binance": (
        "date,hour,symbol,underlying,type,strike,open,high,low,close,volume_contracts,best_bid_price,best_ask_price,best_buy_iv,best_sell_iv,mark_price,mark_iv,delta,gamma,vega,theta,openinterest_contracts\n"
        "2024-01-02,0,XYZ-240119-100-C,XYZUSDT,C,XYZ-240119-100-C,2,2,2,2,9,2,2.2,0.2,0.2,2.1,0.20,0.5,0.05,0.08,-0.04,50\n"
        "2024-01-02,23,XYZ-240119-100-C,XYZUSDT,C,XYZ-240119-100-C,3,3,3,3.1,10,3.0,3.2,0.2,0.2,3.1,0.22,0.61,0.05,0.08,-0.04,55\n"
        "2024-01-02,23,XYZ-240119-100-P,XYZUSDT,P,XYZ-240119-100-P,1,1,1,1.1,20,1.0,1.2,0.2,0.2,1.1,0.21,-0.39,0.05,0.08,-0.04,66\n",
        {"underlying_price": 101.0}, {"delta": 0.61, "last": 3.1, "volume": 10.0}, {"implied_volatility": 0.21, "open_interest": 66.0}),
    "dolthub": (
        "date,act_symbol,expiration,strike,call_put,bid,ask,vol,delta,gamma,theta,vega,rho\n2024-01-02,XYZ,2024-01-19,100.0,Call,3.0,3.2,0.22,0.61,0.05,-0.04,0.08,0.01\n2024-01-02,XYZ,2024-01-19,100.0,Put,1.0,1.2,0.21,-0.39,0.05,-0.04,0.08,0.01\n",
        {"underlying_price": 101.0}, {"implied_volatility": 0.22, "volume": math.nan}, {"implied_volatility": 0.21, "delta": -0.39}),
    "optionmetrics": (
        "secid,date,exdate,cp_flag,strike_price,best_bid,best_offer,volume,open_interest,impl_volatility,delta,gamma,vega,theta,optionid,ticker\n"
        "1,2024-01-02,2024-01-19,C,100000,3.0,3.2,10,55,0.22,0.61,0.05,8.0,-18.25,7,XYZ\n1,2024-01-02,2024-01-19,P,100000,1.0,1.2,20,66,-99.99,-99.99,-99.99,-99.99,-99.99,8,XYZ\n",
        {"underlying_price": 101.0}, {"vega": 0.08, "theta": -0.05}, {"implied_volatility": math.nan, "delta": math.nan, "theta": math.nan, "volume": 20.0}),
    "nse": (
        f'CALLS,,PUTS\n,{NSE_NAMES},\n,"1,23,456",-,"4,51,000",22.0,3.1,-3.1,75,3.0,3.2,150,"100.00",75,1.0,1.2,300,4.5,1.1,21.0,"3,90,111","-1,200","98,700",\n',
        {"day": date(2024, 1, 2), "expiration": date(2024, 1, 19), "underlying_price": 101.0},
        {"implied_volatility": 0.22, "open_interest": 123456.0, "volume": 451000.0}, {"implied_volatility": 0.21, "open_interest": 98700.0, "last": 1.1}),
    "nse-bhavcopy": (
        f"{UDIFF_NAMES}\n2024-01-02,2024-01-02,FO,NSE,IDO,1,,XYZ,,2024-01-19,2024-01-19,100.00,CE,X,3,4,2,3.1,3.1,3,101.00,3.1,55,1,10\n"
        "2024-01-02,2024-01-02,FO,NSE,IDO,2,,XYZ,,2024-01-19,2024-01-19,100.00,PE,X,3,4,2,1.1,1.1,3,101.00,1.1,66,1,20\n",
        {}, {"bid": math.nan, "ask": math.nan, "last": 3.1, "open_interest": 55.0}, {"bid": math.nan, "ask": math.nan, "last": 1.1, "volume": 20.0}),
    "interactive-brokers": (
        "symbol,secType,lastTradeDateOrContractMonth,strike,right,tradingClass,time,bid,ask,last,volume,impliedVol,delta,gamma,vega,theta,undPrice\n"
        "XYZ,OPT,20240119,100.0,C,XYZ,2024-01-02 21:00:00+00:00,3.0,3.2,-1.0,-1,0.22,0.61,0.05,0.08,-0.04,101.0\n"
        "XYZ,OPT,20240119,100.0,P,XYZ,2024-01-02 21:00:00+00:00,1.0,1.2,nan,20,-1,-2,-2,-2,1.7976931348623157e308,101.0\n",
        {}, {"last": math.nan, "volume": math.nan, "delta": 0.61}, {"volume": 20.0, "implied_volatility": math.nan, "delta": math.nan, "theta": math.nan}),
    # Traded last in December, and never: when a contract was traded is not when it was quoted.
    "tradier": (
        "symbol,description,type,last,volume,bid,ask,underlying,strike,trade_date,bid_date,ask_date,open_interest,expiration_date,option_type,root_symbol,greeks.delta,greeks.mid_iv\n"
        "XYZ240119C00100000,XYZ Jan 19 2024 $100 Call,option,3.1,10,3.0,3.2,XYZ,100.0,1703865000000,1704229195000,1704229195000,55,2024-01-19,call,XYZ,0.61,0.22\n"
        "XYZ240119P00100000,XYZ Jan 19 2024 $100 Put,option,,0,1.0,1.2,XYZ,100.0,0,1704229195000,1704229195000,66,2024-01-19,put,XYZ,-0.39,0.21\n",
        {"underlying_price": 101.0}, {"delta": 0.61, "last": 3.1}, {"last": math.nan, "open_interest": 66.0, "implied_volatility": 0.21}),
    "polygon-options": (
        "ticker,volume,open,close,high,low,window_start,transactions\n"
        "O:XYZ240119C00100000,10,2.0,3.1,3.2,2.0,1704171600000000000,3\nO:XYZ240119P00100000,20,1.0,1.1,1.2,1.0,1704171600000000000,3\nO:ABC240119C00100000,1,9,9,9,9,1704171600000000000,3\n",
        {"form": "polygon-options", "underlying_price": 101.0, "timezone": "America/New_York"},
        {"bid": math.nan, "ask": math.nan, "last": 3.1, "volume": 10.0}, {"bid": math.nan, "ask": math.nan, "last": 1.1}),
}  # fmt: skip
PRICES = {
    "polygon": (
        "ticker,volume,open,close,high,low,window_start,transactions\nXYZ,5,1,2,3,1,1704171600000000000,9\nABC,9,9,9,9,9,1704171600000000000,9\nXYZ,6,2,3,4,2,1704171660000000000,9\n", 1704171600),
    "databento": (
        "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume\n1704171600000000000,33,1,7,1000000000,3000000000,1000000000,2000000000,5\n"
        "1704171660000000000,33,1,7,2000000000,4000000000,2000000000,3000000000,6\n1704171720000000000,33,1,7,9223372036854775807,9223372036854775807,9223372036854775807,9223372036854775807,0\n", 1704171600),
}  # fmt: skip


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "file.csv"
        path.write_text(text, newline="")
        return path

    return write


@pytest.mark.parametrize("name", CHAINS)
async def test_a_chain_is_read_in_the_columns_and_units_of(name, file):
    text, options, call, put = CHAINS[name]
    kept = Kept()

    plan = plan_import(file(text), asset="XYZ", **options)
    report = await import_file(plan, kept)

    [chain] = kept.chains.values()
    assert plan.describe()["format"] == name
    assert (report.rejected, chain.day, chain.underlying_price) == (
        0,
        date(2024, 1, 2),
        pytest.approx(101, abs=0.5),
    )
    assert (chain.expirations.astype(str).tolist(), chain.strikes.tolist()) == (["2024-01-19"], [100.0])
    for side, facts in ((chain.calls, CALL | call), (chain.puts, PUT | put)):
        read = {field: float(getattr(side, field)[0]) for field in facts}
        assert read == pytest.approx(facts, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", PRICES)
async def test_bars_are_read_in_the_columns_and_units_of(name, file):
    text, first = PRICES[name]
    kept = Kept()

    await import_file(plan_import(file(text), asset="XYZ", timeframe=TimeFrame.MINUTE), kept)

    [bars] = kept.parts
    assert bars.times.astype(int).tolist() == [first, first + 60]
    assert [bars.open.tolist(), bars.high.tolist()] == [[1.0, 2.0], [3.0, 4.0]]
    assert [bars.low.tolist(), bars.close.tolist(), bars.volume.tolist()] == [
        [1.0, 2.0],
        [2.0, 3.0],
        [5.0, 6.0],
    ]


def test_every_preset_is_tested():
    assert {*CHAINS, *PRICES} == {*PRESETS}


@pytest.mark.parametrize("name", [*PRESETS, *EXPORTS, ANY_TABLE.name])
def test_the_documentation_tells_of_every_form(name):
    assert f"`{name}`" in DOCUMENTATION.read_text()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_names_fields_and_units_that_there_are(name):
    preset = PRESETS[name]

    assert preset.about
    assert preset.kind in KINDS
    assert {*preset.needs, *preset.values, *preset.in_underlying} <= {*preset.columns}
    quotes = {field.removeprefix("call_").removeprefix("put_") for field in preset.columns}
    assert {*preset.scale, *preset.shift} <= {*preset.columns, *quotes}
    assert all(math.isfinite(number) for number in (*preset.scale.values(), *preset.shift.values()))
    known = [field for field in preset.columns if field in FIELDS]
    assert len(known) >= (1 if preset.kind == "prices" else 4)


@pytest.mark.parametrize("name", [name for name in CHAINS if PRESETS[name].is_detected])
def test_a_table_with_all_columns_of_a_preset_is_taken_for_it_and_for_no_other(name):
    preset = PRESETS[name]
    columns = [options[0].partition("#")[0] for options in preset.columns.values()]

    found = detect_preset(
        bare_names([c if c not in columns[:i] else f"{c} column {i}" for i, c in enumerate(columns)])
    )

    assert found is preset


async def test_contracts_that_settle_in_dollars_keep_their_prices(file):
    kept = Kept()

    report = await import_file(plan_import(file(CHAINS["deribit"][0]), asset="XYZ", roots=["XYZ_USDC"]), kept)

    assert kept.chains[date(2024, 1, 2)].puts.bid.tolist() == [9.0]
    assert report.other_roots == {"XYZ": 2}


def test_units_of_another_exchange_are_not_taken_for_those_of_the_preset(file):
    with pytest.raises(InvalidInput, match="exchange is deribit, and the file has binance"):
        plan_import(file(CHAINS["tardis"][0].replace("deribit,", "binance,")), asset="XYZ")


async def test_of_the_quotes_of_a_day_the_last_counts_and_the_others_are_counted(file):
    kept = Kept()

    report = await import_file(plan_import(file(CHAINS["tardis"][0]), asset="XYZ"), kept)

    assert (report.rows, report.stored, report.superseded, report.rejected) == (3, 2, 1, 0)


async def test_whole_thousandths_give_the_strike_to_the_last_digit(file):
    header, *rows = CHAINS["thetadata-v2"][0].splitlines(keepends=True)
    strikes = np.arange(10, 20_000, 10)
    kept = Kept()

    await import_file(
        plan_import(file(header + "".join(rows[0].replace("100000", str(k)) for k in strikes)), asset="XYZ"),
        kept,
    )

    assert kept.chains[date(2024, 1, 2)].strikes.tolist() == [k / 1000 for k in strikes.tolist()]

"""Files into history and out again, on real servers."""
# ruff: noqa: E501, W291  (rows of files are as long as they are)

from __future__ import annotations

import asyncio
import csv
import json
from datetime import date

import numpy as np
import polars as pl
import pytest

from adapters.history_files import export_chains, export_prices, import_file, plan_import
from adapters.history_files import tables as table_module
from optionchain.errors import InvalidInput, Unavailable
from optionchain.history.bars import joined
from optionchain.history.chains import DateRange
from optionchain.time_frame import TimeFrame
from tests.unit.history.samples import chain, prices

pytestmark = pytest.mark.anyio

EVER = DateRange(date(1950, 1, 1), date(2100, 1, 1))


async def stored_prices(history, timeframe=TimeFrame.DAY):
    return joined([part async for part in history.query_time_series("SPX", EVER, timeframe)])


@pytest.fixture
def file(tmp_path):
    def write(text, name="file.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    ("text", "options", "times"),
    [
        ("Date,Open,High,Low,Close,Volume\n2024-01-02,1,3,1,2,5\n2024-01-03,2,4,2,3,6\n", {}, "2024-01-02 2024-01-03"),
        ("02/01/2024;00:00;1;3;1;2;5\n13/01/2024;00:00;2;4;2;3;6\n", {}, "2024-01-02 2024-01-13"),
        ("02/01/2024\t1\t3\t1\t2\t5\n03/01/2024\t2\t4\t2\t3\t6\n", {}, "2024-01-02 2024-01-03"),
        ("02/01/2024\t1\t3\t1\t2\t5\n03/01/2024\t2\t4\t2\t3\t6\n", {"month_first": True}, "2024-02-01 2024-03-01"),
        ("20240102|1|3|1|2|5\n20240103|2|4|2|3|6\n", {}, "2024-01-02 2024-01-03"),
        ("2024-01-02 1 3 1 2 5\n2024-01-03 2 4 2 3 6\n", {}, "2024-01-02 2024-01-03"),
        ("2024-01-02 00:00, 1, 3, 1, 2\n2024-01-03 00:00, 2, 4, 2, 3\n", {}, "2024-01-02 2024-01-03"),
        ("Date, Open, High, Low, Close\n2024-01-02, 1, 3, 1, 2\n2024-01-03, 2, 4, 2, 3\n", {}, "2024-01-02 2024-01-03"),
        ("<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>\n2024.01.02,00:00:00,1,3,1,2,5\n2024.01.03,00:00:00,2,4,2,3,6\n",
         {}, "2024-01-02 2024-01-03"),
        ("timestamp,open,high,low,close,volume\n1704153600,1,3,1,2,5\n1704240000,2,4,2,3,6\n", {}, "2024-01-02 2024-01-03"),
        ("2024-01-02 09:30;1;3;1;2;5\n2024-07-02 09:30;2;4;2;3;6\n", {"timezone": "America/New_York", "timeframe": TimeFrame.MINUTE},
         "2024-01-02T14:30 2024-07-02T13:30"),
        ("2024-11-03 01:30;1;3;1;2;5\n2024-11-04 09:30;2;4;2;3;6\n", {"timezone": "America/New_York", "timeframe": TimeFrame.MINUTE},
         "2024-11-03T05:30 2024-11-04T14:30"),
        ("\ufeffDate;Close;Open;Low;High\n2024-01-03;3;2;2;4\n2024-01-02;2;1;1;3\n", {}, "2024-01-02 2024-01-03"),
    ],
)  # fmt: skip
async def test_prices_are_read_in_the_common_shapes(history, file, text, options, times):
    plan = plan_import(file(text), asset="SPX", **options)

    report = await import_file(plan, history)

    bars = await stored_prices(history, options.get("timeframe", TimeFrame.DAY))
    assert (report.stored, report.rejected) == (2, 0)
    assert bars.times.tolist() == np.array(times.split(), "datetime64[s]").tolist()
    assert [bars.open.tolist(), bars.high.tolist()] == [[1.0, 2.0], [3.0, 4.0]]
    assert [bars.low.tolist(), bars.close.tolist()] == [[1.0, 2.0], [2.0, 3.0]]
    assert not list(plan.table.path.parent.glob("*.rejects.csv"))


async def test_bad_rows_are_counted_and_written_with_the_reason_and_the_good_ones_stored(history, file):
    text = (
        "date,open,high,low,close,volume\n2024-01-02,1,3,1,2,5\nyesterday,1,3,1,2,5\n2024-01-03,x,3,1,2,5\n"
        "2024-01-04,1,0.5,1,2,5\n2024-01-05,1,3,0,2,5\n2024-01-06,1,3,1,2,-5\n2024-01-07,1,3,1\n2024-01-08,1,3,1,2,\n"
    )
    plan = plan_import(file(text), asset="SPX")

    report = await import_file(plan, history)

    assert (report.rows, report.stored, report.rejected) == (8, 2, 6)
    assert (await stored_prices(history)).times.tolist() == np.array(
        ["2024-01-02", "2024-01-08"], "M8[s]"
    ).tolist()
    with plan.rejects_path.open() as stream:
        reasons = {row[2]: row[1] for row in csv.reader(stream)}
    assert reasons["yesterday"].startswith("date")
    assert reasons["2024-01-07,1,3,1"] == "has 4 cells, not 6"
    words = [reasons[f"2024-01-0{day}"].split(":")[0] for day in (3, 4, 5, 6)]
    assert words == ["open", "high", "low", "volume"]


async def test_an_interrupted_import_goes_on_behind_the_last_batch(history, file, monkeypatch):
    monkeypatch.setattr(table_module, "BLOCK_BYTES", 2000)
    days = np.arange("2020-01-01", "2021-01-01", dtype="datetime64[D]")
    lines = [f"{day},1,2,1,{1 + n / 1000},{n}" for n, day in enumerate(days)]
    lines[10] = "bad,1,2,1,1,1"
    lines[11] = "short"
    path = file("\n".join(lines) + "\n")
    saves = 0

    class Breaks:
        async def save_time_series(self, series):
            nonlocal saves
            saves += 1
            if saves == 3:
                raise Unavailable("mongodb")
            await history.save_time_series(series)

    plan = plan_import(path, asset="SPX")
    with pytest.raises(Unavailable):
        await import_file(plan, Breaks())
    done = json.loads(plan.progress_path.read_text())["batches"]
    report = await import_file(plan, Breaks())

    assert done == 2
    assert (report.rows, report.rejected) == (366, 2)
    assert report.batches + 1 == saves
    assert len(await stored_prices(history)) == 364
    assert not plan.progress_path.exists()
    assert len(plan.rejects_path.read_text().splitlines()) == 2


async def test_what_was_interrupted_in_one_store_begins_anew_in_another(file, monkeypatch):
    monkeypatch.setattr(table_module, "BLOCK_BYTES", 40)
    plan = plan_import(file("".join(f"2024-01-0{day},1,3,1,2\n" for day in range(1, 7))), asset="SPX")

    class Store:
        def __init__(self, breaks_after):
            self.saved, self.breaks_after = 0, breaks_after

        async def save_time_series(self, series):
            if self.saved >= self.breaks_after:
                raise Unavailable("mongodb")
            self.saved += len(series)

    interrupted, resumed, other = Store(1), Store(99), Store(99)
    with pytest.raises(Unavailable):
        await import_file(plan, interrupted, destination="one")
    progress = plan.progress_path.read_text()
    await import_file(plan, other, destination="other")
    plan.progress_path.write_text(progress)
    await import_file(plan, resumed, destination="one")

    assert interrupted.saved > 0
    assert (interrupted.saved + resumed.saved, other.saved) == (6, 6)


async def test_an_import_that_breaks_in_a_batch_tells_of_it(history, file):
    told = []

    class Breaks:
        async def merge_historical_chain(self, chain):
            await history.merge_historical_chain(chain)
            raise Unavailable("mongodb")

    async def tell(rows, days):
        told.append((rows, days))

    with pytest.raises(Unavailable):
        await import_file(plan_import(file(OPTOPSY), asset="SPX"), Breaks(), tell)

    assert told == [(4, {date(2024, 1, 2)})]


OPTIONSDX = """[QUOTE_UNIXTIME], [QUOTE_DATE], [QUOTE_TIME_HOURS], [UNDERLYING_LAST], [EXPIRE_DATE], [DTE], [C_DELTA], [C_IV], \
[C_VOLUME], [C_LAST], [C_BID], [C_ASK], [STRIKE], [P_BID], [P_ASK], [P_LAST], [P_DELTA], [P_IV], [P_VOLUME]
1704229200, 2024-01-02, 16.0, 101.0, 2024-01-19, 17.0, 0.6, 0.2, 10, 3.1, 3.0, 3.2, 100.0, 1.0, 1.2, 1.1, -0.4, 0.21, 20
1704229200, 2024-01-02, 16.0, 101.0, 2024-01-19, 17.0, 0.5, 0.19, , 2.1, 2.0, 2.2, 105.0, 2.0, 2.2, 2.1, -0.5, 0.2, 
"""
LONG = """underlying_symbol,quote_date,{root}expiration,strike,option_type,{names}
SPX,2024-01-02,{value}2024-01-19,100,{call},3.0,3.2,0.2,{tail}
SPX,2024-01-02,{value}2024-01-19,100,{put},1.0,1.2,0.21,{tail}
SPX,2024-01-02,{value}2024-01-19,105,{call},2.0,2.2,0.19,{tail}
SPX,2024-01-02,{value}2024-01-19,105,{put},2.0,2.2,0.2,{tail}
"""
CBOE = LONG.format(root="root,", value="SPX,", call="C", put="P", tail="0,100.9,101.1",
                   names="bid_1545,ask_1545,implied_volatility_1545,active_underlying_price_1545,underlying_bid_1545,underlying_ask_1545")  # fmt: skip
OPTOPSY = LONG.format(
    root="",
    value="",
    call="call",
    put="put",
    tail="101.0",
    names="bid,ask,implied_volatility,underlying_price",
)
YFINANCE = """contractSymbol,lastTradeDate,strike,lastPrice,bid,ask,volume,openInterest,impliedVolatility,inTheMoney,currency
SPX240119C00100000,2024-01-02 20:00:00+00:00,100.0,3.1,3.0,3.2,10,5,0.2,True,USD
SPX240119P00100000,2024-01-02 20:00:00+00:00,100.0,1.1,1.0,1.2,10,5,0.21,False,USD
SPX240119C00105000,2024-01-02 20:00:00+00:00,105.0,2.1,2.0,2.2,10,5,0.19,False,USD
SPX240119P00105000,2024-01-02 20:00:00+00:00,105.0,2.1,2.0,2.2,10,5,0.2,True,USD
"""


@pytest.mark.parametrize(
    ("form", "text", "options"),
    [
        ("optionsdx", OPTIONSDX, {}),
        ("cboe", CBOE, {}),
        ("optopsy", OPTOPSY, {}),
        ("yfinance", YFINANCE, {"day": date(2024, 1, 2), "underlying_price": 101.0}),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
async def test_chains_are_read_in_the_shapes_of_the_vendors(history, file, form, text, options, kind):
    path = file(text)
    if kind == "parquet":
        frame = pl.read_csv(path, try_parse_dates=True)
        path = path.with_suffix(".parquet")
        frame.write_parquet(path)
    plan = plan_import(path, asset="SPX", **options)

    report = await import_file(plan, history)

    stored = await history.get_historical_chain("SPX", date(2024, 1, 2))
    assert plan.describe()["format"] == form
    assert report.rejected == 0
    assert stored.underlying_price == 101.0
    assert (stored.strikes.tolist(), stored.expirations.astype(str).tolist()) == (
        [100.0, 105.0],
        ["2024-01-19"] * 2,
    )
    assert [stored.calls.bid.tolist(), stored.puts.bid.tolist()] == [[3.0, 2.0], [1.0, 2.0]]
    assert [stored.calls.implied_volatility.tolist(), stored.puts.implied_volatility.tolist()] == [
        [0.2, 0.19],
        [0.21, 0.2],
    ]


@pytest.mark.parametrize("replaces", [False, True])
async def test_a_file_in_many_batches_adds_to_a_stored_day_or_replaces_it(
    history, file, monkeypatch, replaces
):
    await history.save_historical_chain(chain(expirations=("2024-06-21",)))
    monkeypatch.setattr(table_module, "BLOCK_BYTES", 150)

    report = await import_file(plan_import(file(OPTOPSY), asset="SPX", replaces=replaces), history)

    stored = await history.get_historical_chain("SPX", date(2024, 1, 2))
    assert report.batches > 1
    assert stored.expirations.astype(str).tolist() == ["2024-01-19"] * 2 + ["2024-06-21"] * 5 * (not replaces)
    assert [stored.calls.bid[:2].tolist(), stored.puts.bid[:2].tolist()] == [[3.0, 2.0], [1.0, 2.0]]
    assert (report.updated, report.dropped) == (0, 10 * replaces)


async def test_two_files_of_one_day_that_are_imported_at_once_are_both_stored(history, file):
    header, *rows = OPTOPSY.splitlines(keepends=True)
    paths = [file(header + "".join(rows[side::2]), f"{side}.csv") for side in range(2)]

    await asyncio.gather(*(import_file(plan_import(path, asset="SPX"), history) for path in paths))

    stored = await history.get_historical_chain("SPX", date(2024, 1, 2))
    assert [stored.calls.bid.tolist(), stored.puts.bid.tolist()] == [[3.0, 2.0], [1.0, 2.0]]


async def test_prices_below_zero_are_stored_and_have_no_logarithm(history, file):
    text = "Date,Open,High,Low,Close\n2020-04-16,20,20,18,19\n2020-04-17,19,20,17,18\n2020-04-20,17,18,-40,-37\n2020-04-21,-14,13,-16,10\n2020-04-22,11,16,10,13\n2020-04-23,13,16,13,16\n"

    report = await import_file(plan_import(file(text), asset="SPX"), history)

    assert (report.stored, report.rejected) == (6, 0)
    assert (await stored_prices(history)).close.tolist() == [19.0, 18.0, -37.0, 10.0, 13.0, 16.0]
    # The returns between closes above zero: from 19 to 18, from 10 to 13, from 13 to 16.
    expected = np.std(np.log([18 / 19, 13 / 10, 16 / 13]), ddof=1) * np.sqrt(252)
    answer = await history.query_realised_volatility("SPX", DateRange(date(2020, 1, 1), date(2020, 12, 31)))
    assert answer == pytest.approx(expected, rel=1e-12)


async def test_contracts_that_are_none_are_rejected(history, file):
    text = OPTOPSY + (
        "SPX,2024-01-02,2024-01-19,0,call,1,2,0.2,101\nSPX,2024-01-02,2023-01-19,100,call,1,2,0.2,101\n"
        "SPX,2024-01-02,2024-01-19,110,both,1,2,0.2,101\nSPX,2024-01-02,2024-01-19,110,call,-0.5,2,0.2,101\n"
        "SPX,never,2024-01-19,110,call,1,2,0.2,101\nSPX,2024-01-02,2024-01-19,105,put,9,9,0.2,101\n"
    )
    plan = plan_import(file(text), asset="SPX")

    report = await import_file(plan, history)

    assert (report.stored, report.rejected) == (4, 6)
    with plan.rejects_path.open() as stream:
        rows = {int(number): reason for number, reason, *_ in csv.reader(stream)}
    assert sorted(rows) == [4, 5, 6, 7, 8, 9]
    assert rows[4] == "a later row has the same contract"
    assert (await history.get_historical_chain("SPX", date(2024, 1, 2))).puts.bid[-1] == 9.0


@pytest.mark.parametrize(
    ("text", "options", "field"),
    [
        ("", {}, "file"),
        ("a,b\n1,2\n", {}, "file"),
        ("date,open,high,low,close\nsoon,1,1,1,1\n", {}, "file"),
        (YFINANCE, {}, "date"),
        (YFINANCE, {"day": date(2024, 1, 2)}, "underlying-price"),
        (OPTOPSY, {"form": "cboe"}, "file"),
        (OPTOPSY, {"form": "excel"}, "format"),
        (OPTOPSY, {"timezone": "Mars"}, "timezone"),
        (OPTOPSY, {"timezone": "a" * 8_000}, "timezone"),
        (OPTOPSY, {"asset": "$where"}, "asset"),
    ],
)
def test_a_file_or_option_that_makes_no_sense_is_refused_before_anything_is_stored(
    file, text, options, field
):
    with pytest.raises(InvalidInput) as refusal:
        plan_import(file(text), **{"asset": "SPX"} | options)

    assert refusal.value.field == field


async def test_what_is_exported_is_imported_as_it_was(history, tmp_path):
    bars, quotes = prices(np.linspace(1, 2, 3000), timeframe=TimeFrame.MINUTE), chain()
    await history.save_time_series(bars)
    await history.save_historical_chain(quotes)

    written = await export_prices(history, "SPX", EVER, TimeFrame.MINUTE, tmp_path / "prices.parquet")
    contracts = await export_chains(history, "SPX", EVER, tmp_path / "chains.parquet")
    for name in ("prices", "chains"):
        plan = plan_import(tmp_path / f"{name}.parquet", asset="COPY", timeframe=TimeFrame.MINUTE)
        assert (await import_file(plan, history)).rejected == 0

    assert (written, contracts) == (3000, 20)
    copy = joined([part async for part in history.query_time_series("COPY", EVER, TimeFrame.MINUTE)])
    assert copy.close.tolist() == bars.close.tolist()
    assert copy.times.tolist() == bars.times.tolist()
    again = await history.get_historical_chain("COPY", quotes.day)
    assert again.calls.bid.tolist() == quotes.calls.bid.tolist()
    assert np.array_equal(again.puts.delta, quotes.puts.delta, equal_nan=True)

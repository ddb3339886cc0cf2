"""Files of prices as vendors and programs write them: what becomes of every cell, without a store."""

# ruff: noqa: E501  (rows of files are as long as they are)

from __future__ import annotations

import bz2
import csv
import gzip
import zipfile
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from adapters.history_files import import_file, plan_import
from adapters.history_files.reports import report_lines
from optionchain.errors import InvalidInput
from optionchain.history.bars import joined
from optionchain.time_frame import TimeFrame
from tests.unit.history.kept import Kept

pytestmark = pytest.mark.anyio

MINUTE, HOUR, WEEK = TimeFrame.MINUTE, TimeFrame.HOUR, TimeFrame.WEEK
PLAIN = "date,open,high,low,close,volume\n2024-01-02,1,3,1,2,5\n2024-01-03,2,4,2,3,6\n"
NEW_YORK = {"timezone": "America/New_York", "timeframe": HOUR}


@pytest.fixture
def file(tmp_path):
    def write(content, name="file.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


async def read(path, **options):
    """The bars of a file, the report, and its rejects by row."""
    plan, kept = plan_import(path, asset="SPX", **options), Kept()
    report = await import_file(plan, kept)
    rejects = {}
    if plan.rejects_path.exists():
        with plan.rejects_path.open() as stream:
            rejects = {int(number): reason for number, reason, *_ in csv.reader(stream) if number}
    return joined(kept.parts) if kept.parts else None, report, rejects


def seconds(*texts):
    return np.array(texts, "datetime64[s]").tolist()


@pytest.mark.parametrize(
    ("content", "options"),
    [
        pytest.param("Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n2024-01-02 00:00:00-05:00,1,3,1,2,5,0.0,0.0\n"
                     "2024-01-03 00:00:00-05:00,2,4,2,3,6,0.0,0.0\n", {}, id="yfinance history"),
        pytest.param("Price,Close,High,Low,Open,Volume\nTicker,SPX,SPX,SPX,SPX,SPX\nDate,,,,,\n2024-01-02,2,3,1,1,5\n2024-01-03,3,4,2,2,6\n",
                     {}, id="yfinance download"),
        pytest.param('\ufeff"Date","Price","Open","High","Low","Vol.","Change %"\r\n"01/03/2024","3","2","4","2","6.00","0.1%"\r\n'
                     '"01/02/2024","2","1","3","1","5.00","-0.57%"\r\n', {}, id="Investing.com"),
        pytest.param("Date,Close/Last,Volume,Open,High,Low\n01/03/2024,$3.00,6,$2.00,$4.00,$2.00\n01/02/2024,$2.00,5,$1.00,$3.00,$1.00\n",
                     {}, id="Nasdaq"),
        pytest.param("Downloaded for a friend\n\nDate, Open, High, Low, Close, Volume\n01/03/24, 2, 4, 2, 3, 6\n01/02/24, 1, 3, 1, 2, 5\n",
                     {}, id="a line above the header, years of two digits"),
        pytest.param("1704153600000,1,3,1,2,5,1704239999999,9,9,9,9,0\n1704240000000,2,4,2,3,6,1704326399999,9,9,9,9,0\n", {}, id="Binance"),
        pytest.param("time,open,high,low,close,Volume\n2024-01-02T00:00:00Z,1,3,1,2,5\n2024-01-03T00:00:00Z,2,4,2,3,6\n", {}, id="TradingView"),
        pytest.param("Gmt time,Open,High,Low,Close,Volume\n02.01.2024 00:00:00.000,1,3,1,2,5\n03.01.2024 00:00:00.000,2,4,2,3,6\n",
                     {}, id="Dukascopy"),
        pytest.param("<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n^SPX,D,20240102,000000,1,3,1,2,5,0\n"
                     "^SPX,D,20240103,000000,2,4,2,3,6,0\n", {}, id="Stooq"),
        pytest.param("Date;Open;High;Low;Close;Volume\n02.01.2024;1,00;3,00;1,00;2,00;5\n03.01.2024;2,00;4,00;2,00;3,00;6\n", {},
                     id="decimal commas"),
        pytest.param("Datum;Erster;Hoch;Tief;Schlusskurs;Stuecke\n2024-01-02;1;3;1;2;5\n2024-01-03;2;4;2;3;6\n",
                     {"columns": {"date": "Datum", "open": "Erster", "high": "Hoch", "low": "Tief", "close": "Schlusskurs",
                                  "volume": "Stuecke"}}, id="columns that the user names"),
        pytest.param('"Date ","series ","OPEN ","HIGH ","LOW ","PREV. CLOSE ","ltp ","close ","vwap ","52W H","52W L ","VOLUME "\n'
                     '03-Jan-2024,EQ,2,4,2,2,3,3,3,9,1,6\n02-Jan-2024,EQ,1,3,1,2,2,2,2,9,1,5\n', {}, id="NSE"),
        pytest.param("Date,Open,High,Low,Last,Change,Settle,Volume\n2024-01-02,1,3,1,1.5,1,2,5\n2024-01-03,2,4,2,2.5,1,3,6\n", {},
                     id="futures, which close at the settlement"),
        pytest.param("v,vw,o,c,h,l,t,n\n5,2,1,2,3,1,1704153600000,9\n6,3,2,3,4,2,1704240000000,9\n", {}, id="aggregates of Polygon"),
        # =DATE(2024,1,2) is 45293.
        pytest.param("Date;Open;High;Low;Close;Volume\n45293;1,0;3,0;1,0;2,0;5\n45294;2,0;4,0;2,0;3,0;6\n", {}, id="days of a spreadsheet"),
        pytest.param('Date,Open,High,Low,Close,Volume\n"Jan 02, 2024",1,3,1,2,5\n"Jan 03, 2024",2,4,2,3,6\n', {}, id="months by name"),
        pytest.param("date,open,high,low,close,volume,note\n2024-01-02,1,3,1,2,5,gr\xfcn\n2024-01-03,2,4,2,3,6,\n".encode("cp1252"), {},
                     id="not UTF-8"),
        pytest.param(PLAIN.replace(",", "\t").encode("utf-16"), {}, id="Unicode text of a spreadsheet"),
        pytest.param("symbol,date,open,high,low,close,volume\nSPY,2024-01-02,9,9,9,9,9\nSPX,2024-01-02,1,3,1,2,5\nSPX,2024-01-03,2,4,2,3,6\n",
                     {}, id="rows of another asset"),
    ],
)  # fmt: skip
async def test_two_days_are_read_from(file, content, options):
    bars, report, rejects = await read(file(content), **options)

    assert (report.stored, rejects) == (2, {})
    assert bars.times.tolist() == seconds("2024-01-02", "2024-01-03")
    assert [bars.open.tolist(), bars.high.tolist()] == [[1.0, 2.0], [3.0, 4.0]]
    assert [bars.low.tolist(), bars.close.tolist()] == [[1.0, 2.0], [2.0, 3.0]]
    assert bars.volume.tolist() == [5.0, 6.0]


@pytest.mark.parametrize("suffix", ["gz", "bz2", "zip"])
async def test_compressed_files_are_read_as_they_are(file, tmp_path, suffix):
    path = tmp_path / f"file.csv.{suffix}"
    if suffix == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("file.csv", PLAIN)
            archive.writestr("__MACOSX/._file.csv", b"\0")
    else:
        path.write_bytes({"gz": gzip, "bz2": bz2}[suffix].compress(PLAIN.encode()))

    bars, report, _ = await read(path)

    assert (report.stored, bars.close.tolist()) == (2, [2.0, 3.0])


async def test_what_is_packed_is_told_by_its_bytes_and_not_by_its_name(file, tmp_path):
    packed = gzip.compress(PLAIN.encode())
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("file.csv.gz", packed)

    for path in (file(packed, "FILE.CSV.GZ"), file(packed, "file.csv"), tmp_path / "one.zip"):
        bars, report, _ = await read(path)
        assert (report.stored, bars.close.tolist()) == (2, [2.0, 3.0])


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (gzip.compress(PLAIN.encode() * 1000)[:-20], "cut.csv.gz"),
        (b"\x1f\x8bno", "no.csv.gz"),
        (b"PK\x03\x04no", "no.zip"),
        (b"PAR1no", "no.parquet"),
    ],
)
async def test_a_damaged_file_is_refused_as_such(file, content, name):
    with pytest.raises(InvalidInput, match="cannot be read"):
        await read(file(content, name))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"data": [{"date": "2024-01-02", "open": 1}]}', "JSON"),
        (b'[{"date": "2024-01-02", "open": 1}]', "JSON"),
        (b"[[1704153600000, 1, 3, 1, 2, 5]]", "JSON"),
        (b"PK\x03\x04\x14\x00\x06\x00", "a spreadsheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "a spreadsheet"),
        (b"<!DOCTYPE html><html></html>", "HTML"),
    ],
)
def test_what_is_no_table_of_text_is_refused_as_what_it_is(file, content, kind):
    with pytest.raises(InvalidInput, match=f"is .*{kind}.*CSV or Parquet"):
        plan_import(file(content), asset="SPX")


def test_an_archive_of_several_files_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        for name in "ab":
            archive.writestr(name, PLAIN)

    with pytest.raises(InvalidInput, match="has 2 files"):
        plan_import(tmp_path / "two.zip", asset="SPX")


@pytest.mark.parametrize(
    ("cell", "options", "number"),
    [
        ('"1,234.5"', {}, 1234.5),
        ('"1,234"', {}, 1234.0),
        ("1.2M", {}, 1.2e6),
        ("900.5K", {}, 900_500.0),
        ("$12.50", {}, 12.5),
        ("1'234.5", {}, 1234.5),
        ("1e3", {}, 1000.0),
        ('"1.234,5"', {"decimal": ","}, 1234.5),
        ('"1.234"', {"decimal": ","}, 1234.0),
        ('"1,234"', {"decimal": ","}, 1.234),
        ("1 234", {}, 1234.0),
        ('"1,23,45,678"', {}, 12_345_678.0),
        ('"98,76,543"', {}, 9_876_543.0),
        ('"1,23,456.75"', {}, 123_456.75),
        ("₹1234", {}, 1234.0),
        ("12.5L", {}, 1_250_000.0),
        ("1.25 Lakhs", {}, 125_000.0),
        ("2 Cr", {}, 20_000_000.0),
    ],
)
async def test_a_number_is_read_in_whatever_way_it_is_written(file, cell, options, number):
    bars, report, _ = await read(
        file(f"date,open,high,low,close,volume\n2024-01-02,1,3,1,2,{cell}\n"), **options
    )

    assert (report.rejected, bars.volume.tolist()) == (0, [number])


@pytest.mark.parametrize("cell", ["", " ", "-", "--", "n/a", "N/A", "NaN", "null", "None", "#N/A"])
async def test_a_cell_that_says_nothing_is_an_unknown_volume_and_no_price(file, cell):
    text = f"date,open,high,low,close,volume\n2024-01-02,1,3,1,2,{cell}\n2024-01-03,1,3,1,{cell},5\n"

    bars, _, rejects = await read(file(text))

    assert np.isnan(bars.volume).tolist() == [True]
    assert [*rejects] == [2]
    assert rejects[2].startswith("close: must be a number")


@pytest.mark.parametrize("cell", ["lots", "1.2.3", '"12,34,5"', "1..2", "12x", "%", "$"])
async def test_a_cell_that_is_no_number_is_rejected_and_never_taken_for_nothing(file, cell):
    bars, _, rejects = await read(file(f"date,open,high,low,close,volume\n2024-01-02,1,3,1,2,{cell}\n"))

    assert (bars, rejects) == (None, {1: "volume: is no number"})


async def test_decimal_commas_and_thousands_are_told_apart_by_the_whole_sample(file):
    text = "date;open;high;low;close;volume\n2024-01-02;4.742,83;4.745,20;4.700,00;4.742,90;1.000\n"

    bars, _, _ = await read(file(text))

    assert (bars.open[0], bars.low[0], bars.volume[0]) == (4742.83, 4700.0, 1000.0)


def test_a_file_that_writes_fractions_both_ways_is_refused(file):
    text = "date;open;high;low;close\n2024-01-02;1.5;3,5;1,5;2,5\n"

    with pytest.raises(InvalidInput) as refusal:
        plan_import(file(text), asset="SPX")

    assert refusal.value.field == "decimal"


@pytest.mark.parametrize(
    ("text", "seconds_since_1970"),
    [
        ("1704187800", 1704187800),
        ("1704187800.0", 1704187800),
        ("1704187800000", 1704187800),
        ("1704187800000000", 1704187800),
        ("1704187800000000000", 1704187800),
        ("2024-01-02T09:30:00Z", 1704187800),
        ("2024-01-02 09:30:00+00:00", 1704187800),
        ("2024-01-02T04:30:00.000-0500", 1704187800),
        ("2024-01-02 04:30:00 -05:00", 1704187800),
        ("2024-01-02 09:30:00 UTC", 1704187800),
        ("20240102 09:30:00", 1704187800),
        ("20240102 093000", 1704187800),
        ("01/19/2024 09:30 AM", 1705656600),
        ("1/19/2024 9:30", 1705656600),
        ("19/1/2024 9:30", 1705656600),
        ("19-Jan-2024 09:30:00", 1705656600),
    ],
)
async def test_an_instant_is_read_in_whatever_way_it_is_written(file, text, seconds_since_1970):
    bars, _, _ = await read(file(f"date,open,high,low,close\n{text},1,3,1,2\n"), timeframe=MINUTE)

    assert bars.times.tolist() == [datetime.fromtimestamp(seconds_since_1970, UTC).replace(tzinfo=None)]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize(
    "text", ["2024-01-02", "2024-01-02 00:00", "2024-01-02 16:00:00", "2024-01-02T00:00:00+09:00"]
)
async def test_a_daily_bar_keeps_its_date_in_every_timezone(file, zone, text):
    bars, _, _ = await read(file(f"date,open,high,low,close\n{text},1,3,1,2\n"), timezone=zone)

    assert bars.times.tolist() == seconds("2024-01-02")


async def test_a_daily_bar_since_1970_has_the_date_of_the_timezone(file):
    # 23:00 UTC on the 1st is the opening of the 2nd in Sydney.
    bars, _, _ = await read(
        file("date,open,high,low,close\n1704150000,1,3,1,2\n"), timezone="Australia/Sydney"
    )

    assert bars.times.tolist() == seconds("2024-01-02")


@pytest.mark.parametrize("is_descending", [False, True])
async def test_an_hour_that_the_clocks_repeat_is_read_twice(file, is_descending):
    clocks = ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"]
    lines = [f"2024-11-03 {clock},{n},{n},{n},{n}\n" for n, clock in enumerate(clocks, 1)]
    text = "date,open,high,low,close\n" + "".join(reversed(lines) if is_descending else lines)

    bars, report, _ = await read(file(text), timezone="America/New_York", timeframe=MINUTE)

    assert (report.stored, bars.close.tolist()) == (6, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert bars.times.tolist() == seconds(
        *(f"2024-11-03T{time}" for time in ("04:30", "05:00", "05:30", "06:00", "06:30", "07:00"))
    )


async def test_an_hour_that_the_clocks_skip_is_rejected_with_that_reason(file):
    text = "date,open,high,low,close\n2024-03-10 01:30,1,3,1,2\n2024-03-10 02:30,1,3,1,2\n2024-03-10 03:30,1,3,1,2\n"

    bars, _, rejects = await read(file(text), **NEW_YORK)

    assert bars.times.tolist() == seconds("2024-03-10T06:30", "2024-03-10T07:30")
    assert rejects == {2: "date: is not %Y-%m-%d %H:%M, or the clocks of America/New_York skip it"}


async def test_rows_in_any_order_are_sorted_and_of_doubled_ones_the_last_counts_and_the_others_are_told(file):
    text = "date,open,high,low,close\n2024-01-03,1,3,1,2\n2024-01-02,1,3,1,2\n2024-01-03,2,4,2,3\n"

    bars, report, rejects = await read(file(text))

    assert (report.stored, bars.times.tolist()) == (2, seconds("2024-01-02", "2024-01-03"))
    assert (bars.close.tolist(), rejects) == ([2.0, 3.0], {1: "date: a later row has the same"})


@pytest.mark.parametrize(
    ("dates", "options", "first"),
    [
        (["01/02/2024", "01/03/2024", "01/04/2024"], {}, "2024-01-02"),  # as dates of one week
        (["02/01/2024", "03/01/2024", "04/01/2024"], {}, "2024-01-02"),
        (["01/02/2024", "01/13/2024"], {}, "2024-01-02"),
        (["01/02/2024", "13/02/2024"], {}, "2024-02-01"),
        (["01/02/2024"], {}, "2024-02-01"),
        (["01/02/2024"], {"month_first": True}, "2024-01-02"),
        (["01/02/2024", "01/03/2024"], {"month_first": False}, "2024-02-01"),
    ],
)
async def test_days_and_months_are_told_apart_by_all_the_dates(file, dates, options, first):
    text = "date,open,high,low,close\n" + "".join(f"{day},1,3,1,2\n" for day in dates)

    bars, _, rejects = await read(file(text), **options)

    assert (str(bars.times[0].astype("datetime64[D]")), rejects) == (first, {})


@pytest.mark.parametrize(
    ("minutes", "timeframe", "instead"),
    [(1, "Day", "Minute"), (60, "Day", "Hour"), (5, "Hour", "Minute"), (1440, "Month", "Day")],
)
def test_bars_that_span_less_than_is_said_are_refused(file, minutes, timeframe, instead):
    times = np.datetime64("2024-01-02T09:30") + np.arange(20) * np.timedelta64(minutes, "m")
    text = "date,open,high,low,close\n" + "".join(
        f"{str(time).replace('T', ' ')},1,3,1,2\n" for time in times
    )

    with pytest.raises(InvalidInput, match=f"less than a {timeframe}: give {instead}"):
        plan_import(file(text), asset="SPX", timeframe=TimeFrame(timeframe))


@pytest.mark.parametrize(
    ("timeframe", "unit"), [("Day", "D"), ("Week", "W"), ("Month", "M"), ("Year", "Y"), ("Minute", "D")]
)
def test_bars_that_span_as_much_or_more_are_not(file, timeframe, unit):
    times = (np.datetime64("2020", unit) + np.arange(20)).astype("datetime64[D]")
    text = "date,open,high,low,close\n" + "".join(f"{time},1,3,1,2\n" for time in times)

    assert (
        plan_import(file(text), asset="SPX", timeframe=TimeFrame(timeframe)).mapping.timeframe.name
        == timeframe
    )


async def test_a_high_that_misses_the_close_by_a_rounding_is_at_it(file):
    text = "date,open,high,low,close\n2024-01-02,1,2.0000000000000001,1.0000000000000002,2.0000000000000004\n"

    bars, report, _ = await read(file(text))

    assert (report.rejected, bars.high.tolist(), bars.low.tolist()) == (0, bars.close.tolist(), [1.0])


@pytest.mark.parametrize("time", ["1700-01-01", "9999-12-31", "99999999999999999"])
async def test_an_instant_out_of_this_world_is_a_rejected_row(file, time):
    text = f"date,open,high,low,close\n2024-01-02,1,3,1,2\n2024-01-03,1,3,1,2\n{time},1,3,1,2\n"

    _, report, rejects = await read(file(text))

    assert (report.stored, [*rejects]) == (2, [3])


def test_a_file_of_several_assets_is_refused_until_one_is_chosen(file):
    text = "ticker,date,open,high,low,close\nSPY,2024-01-02,1,3,1,2\nQQQ,2024-01-02,1,3,1,2\n"

    with pytest.raises(InvalidInput, match="rows of SPY, QQQ: say which, as in --only ticker=SPY"):
        plan_import(file(text), asset="SPX")


async def test_rows_of_others_are_passed_over_and_counted(file):
    text = "ticker,date,open,high,low,close\nSPY,2024-01-02,1,3,1,2\nQQQ,2024-01-02,9,9,9,9\nQQQ,2024-01-03,9,9,9,9\n"

    bars, report, rejects = await read(file(text), only={"ticker": "SPY"})

    assert (report.rows, report.stored, report.passed_over, rejects) == (3, 1, 2, {})
    assert bars.close.tolist() == [2.0]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"only": {"no": "SPX"}}, "only"),
        ({"columns": {"no": "date"}}, "column"),
        ({"columns": {"open": "no"}}, "column"),
        ({"decimal": "'"}, "decimal"),
    ],
)
def test_an_option_that_does_not_fit_the_file_is_refused_by_its_name(file, options, field):
    with pytest.raises(InvalidInput) as refusal:
        plan_import(file(PLAIN), asset="SPX", **options)

    assert refusal.value.field == field


def test_a_chain_of_an_unknown_vendor_is_not_taken_for_prices(file):
    text = "date,strike,expiration,open,high,low,close\n2024-01-02,100,2024-01-19,1,3,1,2\n"

    with pytest.raises(InvalidInput, match="is of no shape that is known"):
        plan_import(file(text), asset="SPX")


@pytest.mark.parametrize("zone", [None, "America/New_York"])
async def test_the_instants_of_a_parquet_file_have_their_own_type(tmp_path, zone):
    times = pl.Series("Datetime", [datetime(2024, 1, 2, 14, 30), datetime(2024, 1, 2, 14, 31)])
    if zone:
        times = times.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    pl.DataFrame(
        {"Datetime": times, "Open": [1, 2], "High": [3, 4], "Low": [1, 2], "Close": [2, 3]}
    ).write_parquet(tmp_path / "bars.parquet")

    bars, _, _ = await read(tmp_path / "bars.parquet", timeframe=MINUTE)

    assert bars.times.tolist() == seconds("2024-01-02T14:30", "2024-01-02T14:31")


def test_the_number_of_rows_is_known_about_before_they_are_read(file):
    table = plan_import(file(PLAIN + "2024-01-03,2,4,2,3,6\n" * 5000), asset="SPX").table

    assert 4500 < table.about_rows() < 5500


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Europe/Berlin", "Asia/Tokyo"])
@pytest.mark.parametrize(
    "text",
    [
        "1704153600",
        "1704153600000",
        "2024-01-02T00:00:00Z",
        "2024-01-02 00:00:00+00:00",
        "2024-01-01T19:00:00-05:00",
        "2024-01-02T09:30:00-05:00",
    ],
)
async def test_a_midnight_of_utc_or_a_clock_with_its_offset_is_a_day_in_every_timezone(file, zone, text):
    bars, _, _ = await read(file(f"date,open,high,low,close\n{text},1,3,1,2\n"), timezone=zone)

    assert bars.times.tolist() == seconds("2024-01-02")


@pytest.mark.parametrize(
    ("zone", "texts"),
    [
        ("Europe/Berlin", ["2024-03-29T23:00:00Z", "2024-04-01T22:00:00Z"]),
        ("Europe/London", ["2024-03-30 00:00:00+00:00", "2024-04-01 23:00:00+00:00"]),
        ("Asia/Tokyo", ["2024-03-29 15:00:00 UTC", "2024-04-01 15:00:00 UTC"]),
        ("America/New_York", ["1711771200000", "1712030400000"]),  # 04:00 UTC
        ("Australia/Sydney", ["1711717200", "1711976400"]),  # 13:00 UTC
    ],
)
async def test_daily_bars_at_the_midnights_of_an_exchange_are_on_its_days(file, zone, texts):
    rows = "".join(f"{text},1,3,1,2\n" for text in texts)

    bars, _, _ = await read(file("date,open,high,low,close\n" + rows), timezone=zone)

    assert bars.times.tolist() == seconds("2024-03-30", "2024-04-02")


CANDLES = ["1704153600,{}\n", "1704240000,{}\n"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("1,3,1,2,5", "2,4,2,3,6", id="six columns"),
        pytest.param("1,3,1,2,5,31022", "2,4,2,3,6,60231", id="Kraken: trades"),
        pytest.param("1,3,1,2,2.5,5,9", "2,4,2,3,2.5,6,9", id="mean price, volume and trades"),
        pytest.param("1,2,3,1,5", "2,3,4,2,6", id="Bitfinex: open, close, high, low"),
    ],
)
async def test_candles_since_1970_without_a_header_are_read(file, first, second):
    bars, report, rejects = await read(file(CANDLES[0].format(first) + CANDLES[1].format(second)))

    assert (report.stored, rejects) == (2, {})
    assert bars.times.tolist() == seconds("2024-01-02", "2024-01-03")
    assert [bars.open.tolist(), bars.high.tolist()] == [[1.0, 2.0], [3.0, 4.0]]
    assert [bars.low.tolist(), bars.close.tolist()] == [[1.0, 2.0], [2.0, 3.0]]
    assert bars.volume.tolist() == [5.0, 6.0]


async def test_candles_of_coinbase_have_the_low_first(file):
    bars, _, _ = await read(file("1704153600,1,4,2,3,5\n1704240000,2,5,3,4,6\n"))

    assert [bars.low.tolist(), bars.high.tolist()] == [[1.0, 2.0], [4.0, 5.0]]
    assert [bars.open.tolist(), bars.close.tolist()] == [[2.0, 3.0], [3.0, 4.0]]


async def test_the_columns_of_a_file_without_a_header_are_named_by_their_numbers(file):
    fields = ("volume", "close", "low", "high", "open", "date", "time")
    columns = {field: f"column {number}" for number, field in enumerate(fields, 1)}

    bars, _, _ = await read(file("5,2,1,3,1,2024-01-02,00:00\n6,3,2,4,2,2024-01-03,00:00\n"), columns=columns)

    assert (bars.close.tolist(), bars.volume.tolist()) == ([2.0, 3.0], [5.0, 6.0])


@pytest.mark.parametrize(
    ("names", "asset", "columns", "volume"),
    [
        ("Volume BTC,Volume USD", "BTC", {}, 5.0),
        ("Volume USDT,Volume BTC", "BTCUSDT", {}, 6.0),
        ("Volume_(BTC),Volume_(Currency)", "XBT", {}, 5.0),
        ("volumefrom,volumeto", "ETH", {}, 5.0),
        ("Vol USDT,Vol ETH", "ETH-USDT", {}, 6.0),
        ("Volume,Volume USD", "BTC", {}, 5.0),
        ("Volume BTC,Volume ETH", "ETHBTC", {}, 6.0),
        ("Volume USD,Volume EUR", "SPX", {"volume": "Volume EUR"}, 6.0),
        ("Volume USD,Volume EUR", "SPX", {"volume": ""}, None),
    ],
)
async def test_of_volumes_named_by_currency_the_one_in_units_of_the_asset_counts(
    file, names, asset, columns, volume
):
    text = (
        f"https://www.example.com\nunix,date,open,high,low,close,{names}\n1704153600,2024-01-02,1,3,1,2,5,6\n"
    )
    plan, kept = plan_import(file(text), asset=asset, columns=columns), Kept()

    await import_file(plan, kept)

    [bars] = kept.parts
    assert np.array_equal(bars.volume, [np.nan if volume is None else volume], equal_nan=True)


@pytest.mark.parametrize("names", ["Volume USD,Volume EUR", "Volume USD", "Volume BTC,Volume ETH"])
def test_a_volume_of_which_nothing_tells_the_unit_is_asked_for(file, names):
    cells = ",".join("5" for _ in names.split(","))

    with pytest.raises(InvalidInput, match=r"in units of the asset\? Give --column volume=NAME"):
        plan_import(file(f"date,open,high,low,close,{names}\n2024-01-02,1,3,1,2,{cells}\n"), asset="SPX")


async def test_the_base_of_a_pair_in_the_file_tells_the_unit_of_the_volume(file):
    text = "date,symbol,open,high,low,close,Volume USDT,Volume DOGE\n2024-01-02,DOGE/USDT,1,3,1,2,5,6\n"

    bars, _, _ = await read(file(text))

    assert bars.volume.tolist() == [6.0]


@pytest.mark.parametrize(
    "contract",
    [
        "O:SPX240119C04750000",
        "SPX240119C04750000",
        "SPX   240119P04750000",
        "BTC-27DEC24-100000-C",
        "NIFTY26APR23100CE",
        "SPX_011924C4750",
        ".SPX240119C4750",
        "SPX 240119C4750000",
        "SPX 19JAN24 4750 C",
        "SPX Jan19'24 4750 PUT",
    ],
)
@pytest.mark.parametrize("column", ["ticker", "symbol", "contractSymbol", "instrument_name"])
def test_bars_of_a_contract_are_not_those_of_its_underlying(file, contract, column):
    text = f"{column},date,open,high,low,close\n{contract},2024-01-02,1,3,1,2\n"

    with pytest.raises(InvalidInput, match="has the prices of the option contract"):
        plan_import(file(text), asset="SPX")


def test_bars_of_many_contracts_are_not_those_of_their_underlying(file):
    text = "ticker,date,open,high,low,close\n" + "".join(
        f"O:SPX240119C0{k}000,2024-01-02,1,3,1,2\n" for k in (4750, 4760)
    )

    with pytest.raises(InvalidInput, match="has the prices of the option contract"):
        plan_import(file(text), asset="SPX")


def test_a_file_named_by_a_contract_has_its_bars(file):
    with pytest.raises(InvalidInput, match="has the prices of the option contract SPY240119C00470000"):
        plan_import(file(PLAIN, "SPY240119C00470000.csv"), asset="SPY")


async def test_bars_of_a_contract_are_stored_as_its_own(file):
    text = "ticker,date,open,high,low,close\nO:SPX240119C04750000,2024-01-02,1,3,1,2\n"
    kept = Kept()

    await import_file(plan_import(file(text), asset="SPX240119C04750000"), kept)

    assert kept.parts[0].close.tolist() == [2.0]


def test_a_file_in_which_every_instant_has_several_rows_is_refused(file):
    days = ("2024-01-02", "2024-01-03")
    text = "date,open,high,low,close\n" + "".join(
        f"{day},{n},{n},{n},{n}\n" for n in (1, 400) for day in days
    )

    with pytest.raises(InvalidInput, match="2 of 2 instants have several prices"):
        plan_import(file(text), asset="SPX")


def test_a_file_in_which_many_instants_have_several_prices_is_refused(file):
    long, short = (
        np.arange("2024-01-01", "2024-02-01", dtype="M8[D]"),
        np.arange("2024-01-20", "2024-02-01", dtype="M8[D]"),
    )
    text = (
        "date,open,high,low,close\n"
        + "".join(f"{day},1,1,1,1\n" for day in long)
        + "".join(f"{day},9,9,9,9\n" for day in short)
    )

    with pytest.raises(InvalidInput, match="12 of 31 instants have several prices"):
        plan_import(file(text), asset="SPX")


async def test_a_file_that_has_every_row_twice_is_of_one_asset(file):
    bars, report, _ = await read(file(PLAIN + PLAIN.partition("\n")[2]))

    assert (len(bars), report.rejected) == (2, 2)


async def test_the_rows_of_another_name_are_stored_and_it_is_said(file):
    text = "symbol,date,open,high,low,close\nESH4,2024-01-02,1,3,1,2\n"
    plan, kept = plan_import(file(text), asset="ES"), Kept()

    report = await import_file(plan, kept)

    assert kept.parts[0].asset == "ES"
    assert "stored as ES are the rows of symbol ESH4" in [*report_lines(plan, report)]


def test_instruments_that_only_a_number_tells_apart_are_several_assets(file):
    text = "ts_event,rtype,instrument_id,open,high,low,close,volume\n1704153600000000000,35,1,1.5,3,1,2,5\n1704153600000000000,35,2,9.5,9.5,9,9,5\n"

    with pytest.raises(InvalidInput, match="rows of 1, 2: say which, as in --only instrument_id=1"):
        plan_import(file(text), asset="SPX")


@pytest.mark.parametrize("header", ["ts_event,open,high,low,close", "date,open,high,low,close"])
async def test_prices_that_may_be_fixed_point_are_asked_for(file, header):
    path = file(f"{header}\n1704153600000000000,1500000000,3000000000,1000000000,2000000000\n")

    with pytest.raises(InvalidInput, match="may be whole numbers of 1e-9") as refusal:
        await read(path)
    fixed, _, _ = await read(path, price_scale=1e-9)
    plain, _, _ = await read(path, price_scale=1.0)

    assert refusal.value.field == "price-scale"
    assert (fixed.open.tolist(), plain.open.tolist()) == ([1.5], [1.5e9])


async def test_prices_below_zero_are_kept_and_a_zero_that_stands_for_nothing_is_not(file):
    text = "Date,Open,High,Low,Close,Volume\n04/17/2020,19,20,17,18,5\n04/20/2020,17,18,-40,-37,-1\n04/21/2020,0,0,0,0,5\n04/22/2020,0,14,-17,10,5\n"

    bars, report, rejects = await read(file(text))

    assert (bars.close.tolist(), bars.low.tolist()) == ([18.0, -37.0, 10.0], [17.0, -40.0, -17.0])
    assert [*rejects] == [3]
    assert "and 0 only in a bar that goes below" in rejects[3]
    assert (report.repaired, np.isnan(bars.volume).tolist()) == ({"volume": 1}, [False, True, False])


@pytest.mark.parametrize("cell", ["-37.63", "(37.63)", "\N{MINUS SIGN}37.63", "-$37.63", '"-37,63"'])
async def test_a_price_below_zero_is_read_in_whatever_way_it_is_written(file, cell):
    options = {"decimal": ","} if "," in cell else {}

    bars, _, rejects = await read(file(f"date,open,high,low,close\n2020-04-20,17,18,-40,{cell}\n"), **options)

    assert (bars.close.tolist(), rejects) == ([-37.63], {})


async def test_instants_since_1970_that_are_floats_are_read(tmp_path):
    rows = {"time": [1704153600.0, None, 1704240000.0], "open": [1.0, 9.0, 2.0], "high": [3.0, 9.0, 4.0]}
    pl.DataFrame(rows | {"low": [1.0, 9.0, 2.0], "close": [2.0, 9.0, 3.0]}).write_parquet(
        tmp_path / "bars.parquet"
    )

    bars, _, rejects = await read(tmp_path / "bars.parquet")

    assert (bars.times.tolist(), [*rejects]) == (seconds("2024-01-02", "2024-01-03"), [2])


@pytest.mark.parametrize(("kind", "close"), [(pl.Float64, 4505.0), (pl.Int64, 4505e-9)])
async def test_only_whole_numbers_of_databento_are_fixed_point(tmp_path, kind, close):
    prices = {name: pl.Series([4505], dtype=kind) for name in ("open", "high", "low", "close")}
    pl.DataFrame({"ts_event": [1704153600000000000], "rtype": [35], **prices}).write_parquet(
        tmp_path / "bars.parquet"
    )

    bars, _, _ = await read(tmp_path / "bars.parquet")

    assert bars.close.tolist() == [close]


@pytest.mark.parametrize("second", ["{}", "{}.1"])
def test_a_file_that_has_every_price_twice_is_of_two_assets(file, second):
    names = ["Open", "High", "Low", "Close"]
    header = ",".join(["Date", *names, *(second.format(name) for name in names)])
    path = file(f"{header}\n2024-01-02,1,3,1,2,8,9,7,8\n2024-01-03,2,4,2,3,8,9,7,8\n")

    with pytest.raises(InvalidInput, match="every price twice, as of two assets"):
        plan_import(path, asset="SPX")


async def test_of_two_assets_side_by_side_the_one_is_taken_whose_columns_are_said(file):
    path = file("Date,Open,High,Low,Close,Open.1,High.1,Low.1,Close.1\n2024-01-02,1,3,1,2,8,9,7,8.5\n")

    bars, _, _ = await read(
        path, columns={name: f"{name.title()}.1" for name in ("open", "high", "low", "close")}
    )

    assert (bars.high.tolist(), bars.close.tolist()) == ([9.0], [8.5])

"""Chains as other programs read them: read back by the package itself where there is one, else by its own rules."""

from __future__ import annotations

import csv
import sys
import zipfile
from datetime import date, datetime

import numpy as np
import optopsy
import pytest

from adapters.history_files import export_chains, import_file, plan_import
from optionchain.errors import InvalidInput
from optionchain.history.chains import DateRange, Quotes
from optionchain.history.results import AssetSummary
from tests.unit.history.kept import Kept
from tests.unit.history.samples import chain, same_chain

pytestmark = pytest.mark.anyio

DAYS = [date(2024, 1, 2), date(2024, 1, 3)]
EVER = DateRange(date(2024, 1, 1), date(2024, 12, 31))


class Stored(Kept):
    """Chains of days, as a repository has them."""

    async def get_asset(self, asset):
        days = DateRange(min(self.chains), max(self.chains))
        return AssetSummary(asset=asset, chains=days, chain_days=len(self.chains), prices={})


@pytest.fixture
def stored():
    """Two days of ten strikes, with a put of which nothing is known."""
    kept = Stored()
    for day in DAYS:
        kept.chains[day] = chain(day=day)
    known = kept.chains[DAYS[1]].puts
    bids = known.bid.copy()
    bids[0] = np.nan
    silent = {
        name: np.where(np.arange(10) == 1, np.nan, getattr(known, name))
        for name in ("ask", "implied_volatility", "volume")
    }
    bids[1] = np.nan
    kept.chains[DAYS[1]] = chain(day=DAYS[1], puts=Quotes.of(10, bid=bids, **silent))
    return kept


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
async def test_the_table_of_optopsy_is_imported_as_it_was(stored, tmp_path, suffix):
    rows = await export_chains(stored, "SPX", EVER, tmp_path / f"chains.{suffix}")

    again = Kept()
    plan = plan_import(tmp_path / f"chains.{suffix}", asset="SPX")
    await import_file(plan, again)

    assert rows == 40
    for day in DAYS:
        # A file has no time of day: its quotes are of 16:00 in the timezone.
        expected = stored.chains[day]
        assert same_chain(again.chains[day], chain(day=day, calls=expected.calls, puts=expected.puts,
                                                   quote_time=again.chains[day].quote_time))  # fmt: skip


async def test_optopsy_reads_its_table_without_being_told_where_the_columns_are(stored, tmp_path):
    path = tmp_path / "chains.csv"
    await export_chains(stored, "SPX", EVER, path)

    read = optopsy.csv_data(str(path))
    calls = optopsy.long_calls(read, raw=True, max_entry_dte=60, exit_dte=0, max_otm_pct=1.0)

    assert [*read.columns] == [
        "underlying_symbol", "underlying_price", "option_type", "expiration", "quote_date", "strike", "bid", "ask",
    ]  # fmt: skip
    assert len(read) == 40
    assert read["expiration"].dt.date.unique().tolist() == [date(2024, 1, 19), date(2024, 2, 16)]
    assert read.query("option_type == 'call' and strike == 100")["bid"].tolist() == [1.0] * 4
    assert calls is not None


async def test_the_table_of_dolthub_is_in_its_columns_and_imported_by_its_preset(stored, tmp_path):
    rows = await export_chains(stored, "SPX", EVER, tmp_path / "option_chain.csv", form="dolthub")

    header, first, *_ = (tmp_path / "option_chain.csv").read_text().splitlines()
    again = Kept()
    plan = plan_import(tmp_path / "option_chain.csv", asset="SPX", underlying_price=101.0)
    await import_file(plan, again)

    assert header == "date,act_symbol,expiration,strike,call_put,bid,ask,vol,delta,gamma,theta,vega,rho"
    assert first.startswith("2024-01-02,SPX,2024-01-19,90,Call,0.9,1,0.22,")
    assert (rows, plan.describe()["format"]) == (39, "dolthub")
    assert (
        again.chains[DAYS[0]].calls.implied_volatility.tolist()
        == stored.chains[DAYS[0]].calls.implied_volatility.tolist()
    )


async def test_a_data_folder_of_lean_has_archives_of_contracts_and_a_universe_a_day(stored, tmp_path):
    """By the files that LEAN ships: aapl_2014_quote_american.zip, and spy/20240102.csv."""
    rows = await export_chains(stored, "SPX", EVER, tmp_path / "data", form="lean")

    options = tmp_path / "data" / "option" / "usa"
    with zipfile.ZipFile(options / "daily" / "spx_2024_quote_american.zip") as archive:
        names = archive.namelist()
        call = archive.read("spx_quote_american_call_1000000_20240119.csv").decode().splitlines()
        put = archive.read("spx_quote_american_put_900000_20240119.csv").decode().splitlines()
    with (options / "universes" / "spx" / "20240103.csv").open() as stream:
        header, underlying, *contracts = csv.reader(stream)
    assert rows == 39
    assert len(names) == 20
    # Deci-cents: 1.00 bid, 1.11 asked; a side without a price is empty.
    assert call == [
        f"202401{day} 00:00,10000,10000,10000,10000,0,11111,11111,11111,11111,0" for day in ("02", "03")
    ]
    assert put[1] == "20240103 00:00,,,,,,10000,10000,10000,10000,0"
    assert (
        ",".join(header)
        == "#expiry,strike,right,open,high,low,close,volume,open_interest,implied_volatility,delta,gamma,vega,theta,rho"
    )
    assert underlying == ["", "", "", "101", "101", "101", "101", "0", *[""] * 7]
    assert contracts[0][:3] == ["20240119", "90", "C"]
    assert [float(cell) for cell in contracts[2][3:7]] == pytest.approx([(1 + 100 / 90) / 2] * 4, abs=1e-6)
    assert (contracts[2][7], float(contracts[2][9])) == ("100", 0.2)
    assert not any("e" in cell for row in contracts for cell in row[1:])


async def test_open_interest_is_in_archives_of_its_own(tmp_path):
    kept = Stored()
    kept.chains[DAYS[0]] = chain(
        calls=Quotes.of(10, bid=np.full(10, 0.00001), open_interest=np.full(10, 42.0)), puts=Quotes.of(10)
    )

    await export_chains(kept, "SPX", EVER, tmp_path, form="lean")

    with zipfile.ZipFile(tmp_path / "option/usa/daily/spx_2024_openinterest_american.zip") as archive:
        assert archive.read("spx_openinterest_american_call_1000000_20240119.csv") == b"20240102 00:00,42\n"
    assert "e-05" not in (tmp_path / "option/usa/universes/spx/20240102.csv").read_text()


async def test_a_second_export_goes_beside_the_first_into_the_same_folder(stored, tmp_path):
    await export_chains(stored, "SPX", EVER, tmp_path, form="lean")
    await export_chains(stored, "NDX", EVER, tmp_path, form="lean")

    assert {path.name for path in (tmp_path / "option/usa/universes").iterdir()} == {"spx"}


async def test_nautilus_trader_reads_its_catalogue(stored, tmp_path):
    catalogs = pytest.importorskip(
        "nautilus_trader.persistence.catalog", reason="nautilus_trader is not installed"
    )

    rows = await export_chains(stored, "SPX", EVER, tmp_path / "catalog", form="nautilus")

    catalog = catalogs.ParquetDataCatalog(str(tmp_path / "catalog"))
    instruments = {str(one.id): one for one in catalog.instruments()}
    quotes = catalog.quote_ticks(instrument_ids=["SPX240119C00100000.OPRA"])
    one = instruments["SPX240119C00100000.OPRA"]
    assert rows == 38
    assert len(instruments) == 20
    assert (float(one.strike_price), one.option_kind.name, one.underlying) == (100.0, "CALL", "SPX")
    assert datetime.fromtimestamp(one.expiration_ns / 1e9, tz=None).date() in (
        date(2024, 1, 19),
        date(2024, 1, 20),
    )
    assert [float(quote.bid_price) for quote in quotes] == [1.0, 1.0]
    assert [quote.ts_event for quote in quotes] == [
        int(stored.chains[day].quote_time.timestamp() * 1e9) for day in DAYS
    ]


async def test_without_its_package_the_catalogue_is_refused(stored, tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "adapters.history_files.exports.nautilus", raising=False)
    monkeypatch.setitem(sys.modules, "nautilus_trader.model.data", None)

    with pytest.raises(InvalidInput, match="needs the package nautilus_trader"):
        await export_chains(stored, "SPX", EVER, tmp_path / "catalog", form="nautilus")

    assert [*tmp_path.iterdir()] == []


async def test_an_unknown_form_is_refused_by_its_name(stored, tmp_path):
    with pytest.raises(InvalidInput, match="must be one of optopsy, dolthub, lean, nautilus") as refusal:
        await export_chains(stored, "SPX", EVER, tmp_path / "x", form="excel")

    assert refusal.value.field == "format"


@pytest.mark.parametrize("form", ["optopsy", "dolthub", "lean"])
async def test_an_export_that_fails_leaves_what_was_there(stored, tmp_path, form):
    path = tmp_path / "out"
    if form == "lean":
        (path / "option/usa/daily").mkdir(parents=True)
        (path / "option/usa/daily/spx_2024_quote_american.zip").write_bytes(b"mine")
    else:
        path.write_bytes(b"mine")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}

    read = stored.get_historical_chain

    async def broken(asset, day):
        if day == DAYS[1]:
            raise RuntimeError
        return await read(asset, day)

    stored.get_historical_chain = broken
    with pytest.raises(RuntimeError):
        await export_chains(stored, "SPX", EVER, path, form=form)

    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before
    assert not list(tmp_path.glob("*.part"))

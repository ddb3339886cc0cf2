"""The command line of history: ``optionchain history import | export | shard``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from adapters.history_files import (
    ImportPlan,
    ImportReport,
    export_chains,
    export_prices,
    plan_import,
)
from adapters.history_files.exports import EXPORTS
from adapters.history_files.plans import FORMATS
from adapters.history_files.reports import report_lines
from adapters.mongo.connection import open_mongo
from adapters.mongo.history import MongoHistoricalRepository
from adapters.mongo.sharding import shard, shard_commands
from adapters.redis.cache import RedisCacheService
from adapters.settings import MongoSettings
from cluster.history_imports import imported
from cluster.history_stores import HistoryStores, history_stores
from cluster.instance.instance import Instance
from cluster.settings import load_settings
from optionchain.declared.checks import positive
from optionchain.errors import InvalidInput, OptionChainError
from optionchain.history.chains import DateRange
from optionchain.history.wire import day_from_wire
from optionchain.time_frame import TimeFrame

app = typer.Typer(
    name="history", help="Prices and chains of the past: files in and out.", no_args_is_help=True
)
console = Console()

Asset = Annotated[str, typer.Option("--asset", "-a", help="Whose prices or chains: SPX.")]
Data = Annotated[Path | None, typer.Option("--data", help="The folder of the instance.")]
Frame = Annotated[
    str, typer.Option("--timeframe", "-t", help="What a bar spans: Second, Minute, Hour, Day, ...")
]


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="CSV or Parquet files.", exists=True, dir_okay=False)],
    asset: Asset,
    form: Annotated[str, typer.Option("--format", "-f", help=f"One of {', '.join(FORMATS)}.")] = "auto",
    timeframe: Frame = "Day",
    timezone: Annotated[str, typer.Option(help="Of the times in the file: America/New_York.")] = "UTC",
    month_first: Annotated[
        bool | None,
        typer.Option(
            "--month-first/--day-first", help="03/04/2024 is in March, or in April.", show_default="detected"
        ),
    ] = None,
    decimal: Annotated[
        str | None, typer.Option(help="The mark before a fraction: `.` or `,`.", show_default="detected")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=NAME",
            help="What a column is, where its name does not say it: close=Schluss, call_bid=CB. Without a name: none.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Take the rows with this value in a column: root=SPXW."),
    ] = None,
    root: Annotated[
        list[str] | None,
        typer.Option(help="Take the contracts of these roots.", show_default="the asset's own"),
    ] = None,
    day: Annotated[str | None, typer.Option("--date", help="Of a chain whose file does not say it.")] = None,
    expiration: Annotated[str | None, typer.Option(help="The same.")] = None,
    underlying_price: Annotated[
        str | None, typer.Option(help="The same; `closes`: the daily closes that are stored.")
    ] = None,
    volatility_unit: Annotated[
        str | None,
        typer.Option(help="Of implied volatilities: percent or fraction.", show_default="detected"),
    ] = None,
    price_unit: Annotated[
        str | None,
        typer.Option(help="Of the prices of options: currency or coin.", show_default="detected"),
    ] = None,
    strike_scale: Annotated[float | None, typer.Option(help="The factor of strikes.")] = None,
    price_scale: Annotated[
        float | None, typer.Option(help="The factor of prices.", show_default="detected")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Drop what is stored of the days of the file's chains.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what was detected; store nothing.")
    ] = False,
    data: Data = None,
) -> None:
    """Store prices (OHLCV) or end-of-day chains.

    Rows that cannot be stored are written to FILE.rejects.csv with the reason. An import that was interrupted goes
    on where it was when it is begun again. What is stored of the same instants or contracts is replaced; other
    contracts of the same days stay, but with --replace.
    """
    options: dict[str, Any] = {
        "asset": asset,
        "form": form,
        "timezone": timezone,
        "month_first": month_first,
        "decimal": decimal,
        "volatility_unit": volatility_unit,
        "price_unit": price_unit,
        "strike_scale": strike_scale,
        "price_scale": price_scale,
        "roots": root or (),
        "replaces": replace,
    }
    with _friendly():
        options["timeframe"] = TimeFrame.from_wire(timeframe, "timeframe")
        options["day"] = day_from_wire("date", day) if day else None
        options["expiration"] = day_from_wire("expiration", expiration) if expiration else None
        options |= _underlying(underlying_price)
        options["columns"] = _pairs("column", column)
        options["only"] = _pairs("only", only)
        plans = [plan_import(file, **options) for file in files]
    if dry_run:
        for plan in plans:
            _show_plan(plan)
        return
    stores, is_complete, replaced = _stores(data), True, set[date]()
    for plan in plans:
        with _friendly():
            report = stores.run(partial(_import, plan, stores.name, replaced))
        is_complete &= report.rejected == 0 and report.stored > 0
        _show_report(plan, report)
    if not is_complete:
        raise typer.Exit(1)


@app.command()
def export(
    path: Annotated[Path, typer.Argument(help="The file to write, Parquet or .csv; or the folder.")],
    asset: Asset,
    what: Annotated[str, typer.Option(help="`prices` or `chains`.")] = "prices",
    form: Annotated[
        str | None,
        typer.Option("--format", "-f", help=f"Of chains: {', '.join(EXPORTS)}.", show_default="optopsy"),
    ] = None,
    first: Annotated[str, typer.Option("--from", help="First day.")] = "1900-01-01",
    last: Annotated[str, typer.Option("--to", help="Last day.")] = "2261-12-31",
    timeframe: Frame = "Day",
    data: Data = None,
) -> None:
    """Write prices or chains: to a table, which `import` reads again, or as another program expects them."""

    def written(repository: MongoHistoricalRepository, _: RedisCacheService) -> Awaitable[int]:
        period = DateRange(day_from_wire("from", first), day_from_wire("to", last))
        if what == "chains":
            return export_chains(repository, asset, period, path, form=form or "optopsy")
        if form is not None:
            raise InvalidInput("format", "is of chains: give --what chains")
        if what == "prices":
            return export_prices(repository, asset, period, TimeFrame.from_wire(timeframe, "timeframe"), path)
        raise InvalidInput("what", "must be prices or chains")

    stores = _stores(data)
    with _friendly():
        console.print(f"{stores.run(written)} rows in {path}")


@app.command("shard")
def shard_(
    apply: Annotated[bool, typer.Option("--apply", help="Tell it to the mongos of OCS_MONGO_URI.")] = False,
) -> None:
    """Show the commands, a line each, by which a mongos spreads history over shards: by asset and period."""
    mongo = load_settings().mongo
    for command in shard_commands(mongo.database):
        print(json.dumps(command))
    if apply:
        with _friendly():
            if mongo.uri is None:
                raise InvalidInput("OCS_MONGO_URI", "must lead to the mongos")
            asyncio.run(_shard(mongo))


async def _shard(mongo: MongoSettings) -> None:
    client = open_mongo(mongo)
    try:
        await shard(client, mongo.database)
    finally:
        await client.close()


async def _import(
    plan: ImportPlan,
    destination: str,
    replaced: set[date],
    repository: MongoHistoricalRepository,
    cache: RedisCacheService,
) -> ImportReport:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.completed:,} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(plan.table.path.name, total=plan.table.about_rows())
        return await imported(
            plan,
            repository,
            cache,
            destination=destination,
            replaced=replaced,
            told=partial(progress.advance, task),
        )


def _pairs(option: str, texts: list[str] | None) -> dict[str, str]:
    """``["root=SPXW"]`` by the name before the sign."""
    pairs: dict[str, str] = {}
    for text in texts or []:
        name, _, value = text.partition("=") if option == "column" else text.rpartition("=")
        if not name or "=" not in text:
            raise InvalidInput(option, "must be two names with a sign between them, as in root=SPXW")
        if name in pairs:
            raise InvalidInput(option, f"{name} is given twice, as {pairs[name]} and as {value}")
        pairs[name] = value
    return pairs


def _underlying(text: str | None) -> dict[str, Any]:
    """Where the price of the underlying comes from, where a file does not say it."""
    if text == "closes":
        return {"takes_closes": True}
    try:
        return {"underlying_price": positive("underlying-price", float(text)) if text else None}
    except ValueError as error:
        reason = "must be a number above 0, or closes for the daily closes that are stored"
        raise InvalidInput("underlying-price", reason) from error


def _stores(data: Path | None) -> HistoryStores:
    """The servers of the environment, or else those of the running instance."""
    settings = load_settings()
    if data is not None:
        settings = settings.with_changes({"data": {"folder": data}})
    stores = history_stores(settings, Instance(settings).state())
    if stores is None:
        console.print(
            "Nothing is running: `optionchain up` starts it, or set OCS_MONGO_URI and OCS_REDIS_URL.",
            style="red",
        )
        raise typer.Exit(1)
    return stores


@contextmanager
def _friendly() -> Iterator[None]:
    """An error of ours, or of a file, becomes a message and exit code 1."""
    try:
        yield
    except (OptionChainError, OSError) as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error


def _show_plan(plan: ImportPlan) -> None:
    table = Table(show_header=False, box=None)
    for name, value in plan.describe().items():
        table.add_row(name, value)
    console.print(table)


def _show_report(plan: ImportPlan, report: ImportReport) -> None:
    for line in report_lines(plan, report):
        console.print(line, highlight=False, markup=False)
    if report.rejected:
        console.print(f"{report.rejected:,} rows rejected; why is in {plan.rejects_path}", style="yellow")

"""The command line of history: ``optionchain history import | export``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from actors.history_actor import ASSETS, chain_key, range_key
from adapters.history_files import (
    ImportPlan,
    ImportReport,
    export_chains,
    export_prices,
    import_file,
    plan_import,
)
from adapters.history_files.importing import FORMATS
from adapters.mongo_connection import MongoSettings, open_mongo
from adapters.mongo_history import MongoHistoricalRepository
from adapters.redis_cache import RedisCacheService
from adapters.redis_connection import RedisSettings, open_redis
from cluster.instance import Instance
from cluster.settings import load_settings
from optionchain.errors import InvalidInput, OptionChainError
from optionchain.history import DateRange
from optionchain.history_wire import day_from_wire
from optionchain.time_frame import TimeFrame

app = typer.Typer(
    name="history", help="Prices and chains of the past: files in and out.", no_args_is_help=True
)
console = Console()
T = TypeVar("T")
# A saved batch takes longer than a request.
PATIENCE_SECONDS = 30.0

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
    month_first: Annotated[bool, typer.Option(help="03/04/2024 is the 4th of March.")] = False,
    day: Annotated[str | None, typer.Option("--date", help="Of a chain whose file does not say it.")] = None,
    underlying_price: Annotated[float | None, typer.Option(help="The same.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what was detected; store nothing.")
    ] = False,
    data: Data = None,
) -> None:
    """Store prices (OHLCV) or end-of-day chains.

    Rows that cannot be stored are written to FILE.rejects.csv with the reason. An import that was interrupted goes
    on where it was when it is begun again. What is stored of the same instants or days is replaced.
    """
    options: dict[str, Any] = {
        "asset": asset,
        "form": form,
        "timezone": timezone,
        "month_first": month_first,
        "underlying_price": underlying_price,
    }
    with _friendly():
        options["timeframe"] = TimeFrame.from_wire(timeframe, "timeframe")
        options["day"] = day_from_wire("date", day) if day else None
        plans = [plan_import(file, **options) for file in files]
    if dry_run:
        for plan in plans:
            _show_plan(plan)
        return
    rejected = 0
    for plan in plans:
        report = _run(_stores(data), partial(_import, plan))
        rejected += report.rejected
        _show_report(plan, report)
    if rejected:
        raise typer.Exit(1)


@app.command()
def export(
    path: Annotated[Path, typer.Argument(help="The Parquet file to write.")],
    asset: Asset,
    what: Annotated[str, typer.Option(help="`prices` or `chains`.")] = "prices",
    first: Annotated[str, typer.Option("--from", help="First day.")] = "1900-01-01",
    last: Annotated[str, typer.Option("--to", help="Last day.")] = "2261-12-31",
    timeframe: Frame = "Day",
    data: Data = None,
) -> None:
    """Write prices or chains to a Parquet file, which `import` reads again."""

    def written(repository: MongoHistoricalRepository, _: RedisCacheService) -> Awaitable[int]:
        period = DateRange(day_from_wire("from", first), day_from_wire("to", last))
        if what == "chains":
            return export_chains(repository, asset, period, path)
        if what == "prices":
            return export_prices(repository, asset, period, TimeFrame.from_wire(timeframe, "timeframe"), path)
        raise InvalidInput("what", "must be prices or chains")

    console.print(f"{_run(_stores(data), written)} rows in {path}")


async def _import(
    plan: ImportPlan, repository: MongoHistoricalRepository, cache: RedisCacheService
) -> ImportReport:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(plan.table.path.name, total=None)
        report = await import_file(plan, repository, lambda rows: progress.advance(task, rows))
    # The service that runs must not go on with what it read before.
    for key in (ASSETS, range_key(plan.asset), *(chain_key(plan.asset, day) for day in sorted(report.days))):
        await cache.delete(key)
    return report


def _run(
    stores: tuple[MongoSettings, RedisSettings],
    work: Callable[[MongoHistoricalRepository, RedisCacheService], Awaitable[T]],
) -> T:
    mongo, redis = stores

    async def run() -> T:
        repository = MongoHistoricalRepository(open_mongo(mongo), mongo.database)
        cache = RedisCacheService(open_redis(redis), prefix=redis.prefix)
        try:
            return await work(repository, cache)
        finally:
            await repository.close()
            await cache.close()

    with _friendly():
        return asyncio.run(run())


def _stores(data: Path | None) -> tuple[MongoSettings, RedisSettings]:
    """The servers of the environment, or else those of the running instance."""
    settings = load_settings()
    mongo, redis = settings.mongo, settings.redis
    mongo = mongo.model_copy(update={"timeout_seconds": PATIENCE_SECONDS})
    if mongo.uri is not None and redis.url is not None:
        return mongo, redis
    if data is not None:
        settings = settings.model_copy(update={"data": settings.data.model_copy(update={"folder": data})})
    state = Instance(settings).state()
    if state is None:
        console.print(
            "Nothing is running: `optionchain up` starts it, or set OCS_MONGO_URI and OCS_REDIS_URL.",
            style="red",
        )
        raise typer.Exit(1)
    return (
        mongo.model_copy(update={"uri": mongo.uri or SecretStr(state.mongo_uri)}),
        redis.model_copy(update={"url": redis.url or SecretStr(state.redis_url)}),
    )


@contextmanager
def _friendly() -> Iterator[None]:
    """An error of ours becomes a message and exit code 1."""
    try:
        yield
    except OptionChainError as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error


def _show_plan(plan: ImportPlan) -> None:
    table = Table(show_header=False, box=None)
    for name, value in plan.describe().items():
        table.add_row(name, value)
    console.print(table)


def _show_report(plan: ImportPlan, report: ImportReport) -> None:
    console.print(f"{plan.table.path}: {report.stored:,} of {report.rows:,} rows stored", highlight=False)
    if report.rejected:
        console.print(f"{report.rejected:,} rows rejected; why is in {plan.rejects_path}", style="yellow")

"""The kind `history_import`: files of a folder into history, each once, and again when it has changed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Set
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import Field

from adapters.files.source_files import SourceFile, SourceFiles
from adapters.history_files import ImportReport, import_file, plan_import
from adapters.history_files.plans import FORMATS
from adapters.mongo.connection import open_mongo
from adapters.mongo.history import MongoHistoricalRepository
from adapters.mongo.imported_files import ImportedFile, MongoImportedFiles
from adapters.redis.cache import RedisCacheService
from adapters.redis.connection import open_redis
from cluster.history_stores import forget_chains
from cluster.quotas.keeping import spending
from cluster.quotas.opening import open_amounts
from cluster.settings import Settings
from cluster.tasks.history_store import with_history
from cluster.tasks.kind import TaskParameters, kind
from cluster.tasks.places import allowed_url
from cluster.tasks.work import Work
from optionchain.access.quotas import Quota
from optionchain.access.roles import Permission
from optionchain.errors import InvalidInput
from optionchain.history.chains import asset_name
from optionchain.time_frame import TimeFrame


class ImportParameters(TaskParameters):
    """Which files, and of what."""

    url: str = Field(description="Folder: a path of the machine or a URL")
    pattern: str = Field(
        "*", pattern=r"^[^/]{1,200}$", description="Of the names of its files: `SPX_*.parquet`"
    )
    asset: str
    form: str = Field("auto", description=f"One of {', '.join(FORMATS)}")
    timeframe: str = Field("Day", description="Of prices")
    timezone: str = Field("UTC", description="Of the times in the files")
    replace: bool = Field(False, description="Drop what is stored of the days of the files' chains")

    def check(self, settings: Settings) -> None:
        """As `TaskParameters.check`."""
        allowed_url("url", self.url, settings)
        asset_name(self.asset)
        TimeFrame.from_wire(self.timeframe, "timeframe")
        if self.form not in FORMATS:
            raise InvalidInput("form", f"must be one of {', '.join(FORMATS)}")


def run(work: Work, parameters: ImportParameters) -> Mapping[str, Any]:
    """Import what has not been imported as it is now."""
    source = SourceFiles(allowed_url("url", parameters.url, work.settings))
    return with_history(work.settings, lambda history: _imported(work, parameters, source, history))


async def _imported(
    work: Work, parameters: ImportParameters, source: SourceFiles, history: MongoHistoricalRepository
) -> Mapping[str, Any]:
    client = open_mongo(work.settings.mongo)
    known = MongoImportedFiles(client, work.settings.mongo.database)
    rows, rejected, days, files = 0, 0, set[date](), 0
    try:
        async with open_amounts(work.settings) as quotas:
            for file in source.files(parameters.pattern):
                work.check()
                record = ImportedFile(file.url, file.size, file.version, parameters.model_dump_json())
                if await known.has(record):
                    continue
                async with spending(quotas, work.owner, Quota.STORAGE, file.size):
                    report = await _import_one(work, parameters, source, file, history)
                await known.remember(record, work.scheduled_for)
                files, rows, rejected = files + 1, rows + report.stored, rejected + report.rejected
                days |= report.days
                work.say(f"{file.name}: {report.stored} rows stored, {report.rejected} rejected")
    finally:
        await client.close()
    return {"files": files, "rows": rows, "rejected": rejected, "days": len(days)}


async def _import_one(
    work: Work,
    parameters: ImportParameters,
    source: SourceFiles,
    file: SourceFile,
    history: MongoHistoricalRepository,
) -> ImportReport:
    cache = RedisCacheService(open_redis(work.settings.cache_server), prefix=work.settings.redis.prefix)

    async def told(_: int, days: Set[date]) -> None:
        await forget_chains(history, cache, parameters.asset, days)
        work.check()

    # A copy: beside a file that is imported there are notes on how far it is, and what was rejected.
    with tempfile.TemporaryDirectory() as apart:
        path = Path(apart) / file.name
        with source.open(file) as stream, path.open("wb") as copy:
            shutil.copyfileobj(stream, copy)
        plan = plan_import(
            path,
            asset=parameters.asset,
            form=parameters.form,
            timeframe=TimeFrame.from_wire(parameters.timeframe, "timeframe"),
            timezone=parameters.timezone,
            replaces=parameters.replace,
        )
        try:
            return await import_file(plan, history, told)
        finally:
            await cache.close()


HISTORY_IMPORT = kind(
    "history_import",
    "Import the files of a folder that are new or have changed",
    ImportParameters,
    run,
    permission=Permission.ADMINISTER,
)

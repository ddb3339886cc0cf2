"""Makes the backup that every later release must be able to restore, by today's code:
``python -m tests.integration.backup.make_format`` after `FORMAT` was raised, and never again for the same one.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path

from pydantic import SecretStr

from adapters.encryption import Keyring
from adapters.settings import MongoSettings
from cluster.backup.beginning import Saving
from cluster.backup.parts import FORMAT
from cluster.backup.place import Place
from cluster.backup.saving import save
from cluster.settings import Settings
from tests.integration.backup.changing import change
from tests.integration.backup.filled import filled
from tests.integration.backup.opened import opened, settings_on
from tests.integration.history import mongo_servers
from tests.servers import redis_server

FORMATS = Path(__file__).parent / "formats"
KEY = "b25lLWtleS1vZi1vbmUta2V5LW9mLW9uZS1rZXktMDE="


def make() -> None:
    """Save something of everything, and what has changed since, sealed by a key that everybody knows."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as servers:
        redis = servers.enter_context(redis_server(Path(folder, "redis")))
        uri = servers.enter_context(mongo_servers.secantus(Path(folder, "mongo")))
        mongo = MongoSettings(uri=SecretStr(uri), database="saved", timeout_seconds=20)
        asyncio.run(_save(settings_on(redis, mongo, Path(folder))))


async def _save(settings: Settings) -> None:
    await filled(settings)
    async with opened(settings) as stores:
        place = Place(str(FORMATS / str(FORMAT)), "to")
        how = Saving(Keyring(KEY), part_bytes=4_000, increments=1)
        await save(stores, place, how)
        await change(settings)
        await save(stores, place, how)


if __name__ == "__main__":
    make()

"""What is stored changes between two backups."""

from __future__ import annotations

from datetime import date

from adapters.mongo.connection import open_mongo
from adapters.mongo.history import MongoHistoricalRepository
from cluster.backup.beginning import Saving
from cluster.backup.index import CONTENT
from cluster.backup.manifest import Manifest
from cluster.settings import Settings
from optionchain.ports import Checkpoint
from optionchain.session import Advance
from tests.integration.backup.filled import found_session, save_sessions, session_store, stepped
from tests.integration.sessions.session_examples import after
from tests.unit.history.samples import chain

CHAIN = Saving(part_bytes=4_000, increments=3)


def held(manifest: Manifest) -> dict[str, int]:
    """How many items of each kind are in the parts of a backup itself."""
    parts = {kind: sum(part.items for part in parts) for kind, parts in manifest.parts.items()}
    return {kind: items for kind, items in parts.items() if items and kind != CONTENT}


async def step(settings: Settings, session_id: str, key: str) -> None:
    """Step a session once."""
    before = await found_session(settings, session_id)
    later = after(before, Advance(key))
    await save_sessions(settings, [Checkpoint(later, before=before)])


async def change(settings: Settings) -> None:
    """A session steps, one is made and one deleted; a chain is stored anew, one more, and one deleted."""
    await step(settings, "session-01", "later")
    await save_sessions(settings, stepped(77)[:1])
    store = session_store(settings)
    await store.delete([await found_session(settings, "session-02")])
    await store.close()
    client = open_mongo(settings.mongo)
    history = MongoHistoricalRepository(client, settings.mongo.database)
    await history.save_historical_chain(chain(level=0.5))
    await history.save_historical_chain(chain(day=date(2024, 1, 9)))
    heads = client[settings.mongo.database]["historical_chains_heads"]
    assert (await heads.delete_one({"asset": "NDX"})).deleted_count == 1
    await client.close()

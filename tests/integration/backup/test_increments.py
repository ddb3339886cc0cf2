"""An increment holds what has changed, and with the backups before it everything comes back, and nothing else."""

from __future__ import annotations

import pytest

from cluster.backup.contents import Stores
from cluster.backup.place import Place
from cluster.backup.restoring import Restoring, restore
from cluster.backup.saving import save
from cluster.backup.verifying import verify
from cluster.settings import Settings
from tests.integration.backup.changing import CHAIN, change, held, step
from tests.integration.backup.filled import COUNTS, everything

pytestmark = pytest.mark.anyio


async def test_a_chain_brings_everything_back_and_nothing_that_was_deleted(
    place: Place, stores: Stores, other: Stores, settings: Settings
) -> None:
    whole = await save(stores, place, CHAIN)
    unchanged = await save(stores, place, CHAIN)
    await change(settings)
    changed = await save(stores, place, CHAIN)
    await step(settings, "session-03", "last")
    before = await everything(stores)

    latest = await save(stores, place, CHAIN)
    restored = await restore(other, place, latest, Restoring())

    assert (whole.base, whole.depth, held(whole)) == (None, 0, {k: n for k, n in COUNTS.items() if n})
    assert (unchanged.base, unchanged.depth, held(unchanged)) == (whole.id, 1, {})
    assert (changed.base, held(changed)) == (unchanged.id, {"sessions": 2, "historical_chains": 2})
    assert held(latest) == {"sessions": 1}
    # One more of each, and one less.
    assert unchanged.counts == changed.counts == latest.counts == COUNTS
    assert await everything(other) == before
    assert +restored.total == {"restored": sum(COUNTS.values())}
    assert (await verify(place, latest.id, None)).items == sum(COUNTS.values())


async def test_sessions_that_have_not_changed_are_replayed_too(
    place: Place, stores: Stores, settings: Settings
) -> None:
    whole = await save(stores, place, CHAIN)
    await step(settings, "session-03", "last")
    latest = await save(stores, place, CHAIN)

    assert held(latest) == {"sessions": 1}
    assert (await verify(place, latest.id, None)).replayed == len(whole.samples) > 1

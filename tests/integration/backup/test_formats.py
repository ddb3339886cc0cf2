"""Backups of every format there ever was come back: these files stay in the repository for ever."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.encryption import Keyring
from adapters.settings import MongoSettings
from cluster.backup.contents import Stores
from cluster.backup.parts import FORMAT
from cluster.backup.place import Place
from cluster.backup.restoring import Restoring, restore
from cluster.backup.samples import sample_of
from optionchain.numerics import IDENTITY
from tests.integration.backup.filled import SESSIONS
from tests.integration.backup.make_format import FORMATS, KEY

pytestmark = pytest.mark.anyio
KEYRING = Keyring(KEY)


@pytest.fixture
def mongo(secantus_uri: str) -> MongoSettings:
    return MongoSettings(
        uri=SecretStr(secantus_uri), database=f"t{uuid.uuid4().hex[:12]}", timeout_seconds=20
    )


def test_every_format_is_kept() -> None:
    assert sorted(int(folder.name) for folder in FORMATS.iterdir()) == list(range(1, FORMAT + 1))


@pytest.mark.parametrize("folder", sorted(FORMATS.iterdir()), ids=lambda folder: f"format {folder.name}")
async def test_a_backup_of_an_earlier_release_comes_back(folder: Path, other: Stores) -> None:
    place = Place(str(folder), "from")
    manifest = place.manifest(place.complete()[-1], KEYRING)

    restored = await restore(other, place, manifest, Restoring(keyring=KEYRING, overwrites=True))

    assert restored.total["restored"] == sum(manifest.counts.values())
    assert manifest.counts["sessions"] == SESSIONS
    if manifest.numerics == IDENTITY:
        sessions = await other.contents["sessions"].stored([{"_id": s.session} for s in manifest.samples])
        assert [sample_of(item) for item in sessions if item] == list(manifest.samples)

"""What has become of a backup is found before anything is touched, and named."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.encryption import Keyring, new_key
from adapters.settings import MongoSettings
from cluster.backup.beginning import Saving
from cluster.backup.contents import Stores
from cluster.backup.place import Place
from cluster.backup.restoring import Restoring, restore
from cluster.backup.saving import save
from cluster.backup.verifying import verify
from optionchain.errors import CannotOpen, Damaged, InvalidInput, OptionChainError

pytestmark = pytest.mark.anyio
KEYRING = Keyring(new_key())


@pytest.fixture
def mongo(secantus_uri: str) -> MongoSettings:
    """One server is enough: what is looked at is files."""
    return MongoSettings(
        uri=SecretStr(secantus_uri), database=f"t{uuid.uuid4().hex[:12]}", timeout_seconds=20
    )


@pytest.fixture
async def folder(place: Place, stores: Stores, tmp_path: Path) -> Path:
    """Of a sealed backup."""
    manifest = await save(stores, place, Saving(KEYRING, part_bytes=4_000))
    return tmp_path / "backups" / manifest.id


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def first_part(folder: Path) -> Path:
    return min(folder.glob("sessions/*.part"))


def last_part(folder: Path) -> Path:
    return max(folder.glob("work_records/*.part"))


def flip_manifest(folder: Path) -> None:
    file = folder / "manifest.json"
    file.write_text(file.read_text().replace('"numerics":"formulas-v1"', '"numerics":"formulas-v2"'))


def cut_manifest(folder: Path) -> None:
    file = folder / "manifest.json"
    file.write_bytes(file.read_bytes()[:-100])


def hide_a_kind(folder: Path) -> None:
    manifest = folder / "manifest.json"
    told = json.loads(manifest.read_text())
    told["manifest"]["parts"]["sessions"] = []
    manifest.write_text(json.dumps(told))


def of_tomorrow(folder: Path) -> None:
    file = folder / "manifest.json"
    file.write_text(file.read_text().replace('"format":2', '"format":3', 1))


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (lambda folder: flip(first_part(folder)), Damaged, "part sessions/000000.* is damaged: its bytes"),
        (lambda folder: first_part(folder).unlink(), Damaged, "its part sessions/000000.* is missing"),
        (cut_manifest, Damaged, "the manifest of backup .* is damaged: it is cut off"),
        (flip_manifest, Damaged, "the manifest of backup .* is damaged: it is not what was written"),
        (hide_a_kind, Damaged, "the manifest of backup .* is damaged: it is not what was written"),
        (of_tomorrow, InvalidInput, "made by a newer release: its format is 3, this release reads up to 2"),
    ],
    ids=[
        "flipped bit",
        "missing part",
        "truncated manifest",
        "changed manifest",
        "hidden kind",
        "newer format",
    ],
)
async def test_damage_is_found_and_named(
    folder: Path,
    place: Place,
    damage: Callable[[Path], None],
    error: type[OptionChainError],
    message: str,
) -> None:
    damage(folder)

    with pytest.raises(error, match=message):
        await verify(place, folder.name, KEYRING)

    assert place.verified_at(folder.name) is None


@pytest.mark.parametrize("keyring", [Keyring(new_key()), Keyring("")], ids=["another key", "no key"])
async def test_a_wrong_key_is_named(folder: Path, place: Place, keyring: Keyring) -> None:
    with pytest.raises(CannotOpen, match=f"its key {KEYRING.sealing_id} is none of OCS_ENCRYPTION_KEY"):
        await verify(place, folder.name, keyring)


async def test_whoever_has_another_key_sees_what_there_is_and_why_not_more(
    folder: Path, place: Place
) -> None:
    (known,) = place.known(Keyring(new_key()))

    assert known.manifest is not None
    assert known.manifest.sealed_by == KEYRING.sealing_id
    assert "is none of OCS_ENCRYPTION_KEY" in known.problem


async def test_nothing_is_touched_where_any_part_is_damaged(
    folder: Path, place: Place, other: Stores
) -> None:
    manifest = place.manifest(folder.name, KEYRING)
    flip(last_part(folder))  # that would be restored

    with pytest.raises(Damaged):
        await restore(other, place, manifest, Restoring(keyring=KEYRING))

    assert await other.holding() == []


async def test_other_arithmetic_is_refused_unless_told(place: Place, stores: Stores, other: Stores) -> None:
    manifest = replace(await save(stores, place, Saving()), numerics="formulas-v0")

    with pytest.raises(
        InvalidInput, match="made with the arithmetic formulas-v0, this release has formulas-v1"
    ):
        await restore(other, place, manifest, Restoring())

    assert await other.holding() == []
    assert (await restore(other, place, manifest, Restoring(overwrites=True))).total["restored"] > 0


async def test_a_session_that_would_show_something_else_is_named(folder: Path, place: Place) -> None:
    manifest = place.manifest(folder.name, KEYRING)
    first, *others = manifest.samples
    wrong = replace(manifest, samples=[replace(first, digest="0" * 64), *others])
    place.finish(wrong, KEYRING)

    with pytest.raises(
        Damaged, match=f"session {first.session}.*its snapshot {first.step} is not what it would"
    ):
        await verify(place, folder.name, KEYRING)

    assert place.verified_at(folder.name) is None


async def test_what_comes_back_is_counted(place: Place, stores: Stores) -> None:
    manifest = await save(stores, place, Saving(part_bytes=4_000, increments=3))
    more = replace(manifest, held={**manifest.held, "sessions": manifest.counts["sessions"] + 1})
    place.finish(more, None)

    with pytest.raises(Damaged, match="of 41 sessions it saved, 40 came back"):
        await verify(place, manifest.id, None)

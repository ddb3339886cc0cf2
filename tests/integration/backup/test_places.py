"""Places where backups go: folders and buckets, and what is said of those that cannot be used."""

from __future__ import annotations

import asyncio
import importlib
import os
import shutil
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from adapters.mongo.backups import MongoBackups
from adapters.settings import MongoSettings
from cluster.backup.beginning import Saving
from cluster.backup.contents import Stores
from cluster.backup.jobs import create_all
from cluster.backup.manifest import Manifest
from cluster.backup.place import Place
from cluster.backup.reached import Reached
from cluster.backup.restoring import Restoring, restore
from cluster.backup.saving import save
from cluster.settings import Settings
from cluster.tasks.backups import ConfiguredPlaces, back_up, prove
from cluster.tasks.registry import known_kind
from cluster.tasks.work import Work
from optionchain.errors import InvalidInput
from tests.buckets import azure_bucket, google_bucket, s3_bucket

pytestmark = pytest.mark.anyio


@pytest.fixture
def mongo(secantus_uri: str) -> MongoSettings:
    return MongoSettings(
        uri=SecretStr(secantus_uri), database=f"t{uuid.uuid4().hex[:12]}", timeout_seconds=20
    )


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with s3_bucket("backups") as url:
        yield url


@pytest.fixture(
    scope="module",
    params=["s3", "gs", pytest.param("az", marks=[pytest.mark.long, pytest.mark.timeout(400)])],
)
def any_bucket(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A bucket of each cloud, on a real server of its protocol."""
    if request.param == "s3":
        yield request.getfixturevalue("bucket")
    elif request.param == "gs":
        with google_bucket("backups") as url:
            yield url
    else:
        with azure_bucket("backups", tmp_path_factory.mktemp("azurite")) as url:
            yield url


async def test_a_bucket_keeps_backups_as_a_folder_does(
    any_bucket: str, stores: Stores, other: Stores
) -> None:
    place = Place(f"{any_bucket}/of/ours", "to")

    manifest = await save(stores, place, Saving(part_bytes=4_000))

    assert Place(f"{any_bucket}/of/ours", "from").complete() == [manifest.id]
    restored = await restore(other, place, place.manifest(manifest.id, None), Restoring())
    assert restored.total["restored"] == sum(manifest.counts.values())
    place.remove(manifest.id)
    assert (place.complete(), place.unfinished()) == ([], [])


def test_a_bucket_that_is_not_there_is_not_made(any_bucket: str) -> None:
    scheme, _, _ = any_bucket.partition(":")
    with pytest.raises(
        InvalidInput, match=rf"to: {scheme}://nobodys/x cannot be used: there is no bucket nobodys"
    ):
        Place(f"{scheme}://nobodys/x", "to")


def test_a_server_that_does_not_answer_is_named(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    s3fs = pytest.importorskip("s3fs")
    s3fs.S3FileSystem.clear_instance_cache()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    with pytest.raises(InvalidInput, match=r"to: s3://backups/x cannot be used: .*[Cc]onnect"):
        Place("s3://backups/x", "to")
    s3fs.S3FileSystem.clear_instance_cache()


def test_what_is_no_place_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"to: gopher://x/y cannot be used: .*Protocol not known"):
        Place("gopher://x/y", "to")


@pytest.mark.parametrize(("url", "package"), [("gs://ours/x", "gcsfs"), ("az://ours/x", "adlfs")])
def test_a_store_whose_package_is_not_installed_is_told_which_one(
    url: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    loaded = importlib.import_module("fsspec.registry")._registry
    monkeypatch.delitem(loaded, url.partition(":")[0], raising=False)
    with pytest.raises(InvalidInput, match=rf"to: {url} cannot be used: .*{package}"):
        Place(url, "to")


def test_a_file_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(InvalidInput, match=r"to: .*/file cannot be used: .*File exists"):
        Place(str(tmp_path / "file"), "to")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_is_read_only_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(InvalidInput, match=r"to: .* cannot be used: PermissionError"):
        Place(str(tmp_path), "to").check_writable()


def test_a_folder_that_takes_no_files_is_named() -> None:
    with pytest.raises(InvalidInput, match="to: /proc cannot be written to: FileNotFoundError"):
        Place("/proc", "to").check_writable()


def test_a_place_without_room_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster.backup.place.LEAST_ROOM", 1 << 60)

    with pytest.raises(InvalidInput, match=r"to: .* has no room: [0-9,]+ bytes are free there"):
        Place(str(tmp_path), "to").check_writable()


async def test_a_task_saves_prunes_and_proves(stores: Stores, settings: Settings, tmp_path: Path) -> None:
    place = str(tmp_path / "backups")
    work: Any = Work(run=None, settings=settings.with_changes({"backup": {"to": place}}), open_history=None)  # type: ignore[arg-type]

    saved = await asyncio.to_thread(back_up, work, ConfiguredPlaces())
    proven = await asyncio.to_thread(prove, work, ConfiguredPlaces())

    (backup,) = Place(place, "from").complete()
    assert saved == {"saved": {place: backup}}
    assert proven["verified"][place]["replayed"] == 8
    record = {each["_id"]: each for each in await MongoBackups(stores.mongo, stores.database).listed()}
    assert record[place]["verified_at"] is not None


def test_backups_cannot_be_scheduled_where_no_place_is_set() -> None:
    for kind in ("backup", "backup_verify"):
        with pytest.raises(InvalidInput, match="OCS_BACKUP_TO does not say where"):
            known_kind(kind).read({}, Settings())


async def test_a_place_that_fails_does_not_keep_the_others(
    stores: Stores, settings: Settings, tmp_path: Path
) -> None:
    good, bad = str(tmp_path / "good"), "/proc"

    made = await create_all(Reached(settings, "tested"), (bad, good), None)

    assert isinstance(made[bad], InvalidInput)
    assert Place(good, "from").complete()


async def test_each_place_has_a_state_of_its_own(stores: Stores, settings: Settings, tmp_path: Path) -> None:
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    first = await create_all(Reached(settings, "tested"), (one, other), None)
    lost = first[other]
    assert isinstance(lost, Manifest)
    shutil.rmtree(tmp_path / "other" / lost.id)

    second = await create_all(Reached(settings, "tested"), (one, other), None)

    assert {url: made.depth for url, made in second.items() if isinstance(made, Manifest)} == {
        one: 1,
        other: 0,
    }
    record = {each["_id"]: each for each in await MongoBackups(stores.mongo, stores.database).listed()}
    assert record.keys() == {one, other}

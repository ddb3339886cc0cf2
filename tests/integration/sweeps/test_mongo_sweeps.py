"""The index of sweeps in MongoDB, on the embedded server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import MongoClient

from adapters.mongo.sweeps import MongoSweepIndex
from adapters.settings import MongoSettings
from cluster.instance.embedded_servers import embedded_mongo, running
from cluster.instance.ports import free_ports
from optionchain.errors import Unavailable
from tests.servers import START_TIMEOUT_SECONDS
from tests.unit.sweeps.sweep_examples import run, sweep


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoSettings]:
    folder: Path = tmp_path_factory.mktemp("mongo")
    (port,) = free_ports(1)
    server = embedded_mongo(folder, port)
    with running(server, folder, patience_seconds=START_TIMEOUT_SECONDS):
        yield MongoSettings(uri=SecretStr(server.url), timeout_seconds=10.0)


@pytest.fixture
def index(settings: MongoSettings) -> Iterator[MongoSweepIndex]:
    index = MongoSweepIndex(settings)
    yield index
    index.close()


def documents(settings: MongoSettings, **condition: Any) -> list[dict[str, Any]]:
    assert settings.uri is not None
    with MongoClient(settings.uri.get_secret_value(), tz_aware=True) as client:
        return list(client[settings.database]["sweeps"].find(condition, {"_id": 0}))


def test_a_sweep_has_one_document_that_changes(settings: MongoSettings, index: MongoSweepIndex) -> None:
    before = datetime.now(UTC)
    index.record("a", "/folder", {"state": "running", "blocks": 1, "owner": None})
    (first,) = documents(settings, sweep="a")

    index.record("a", "/folder", {"state": "completed", "blocks": 9})

    (last,) = documents(settings, sweep="a")
    assert last == first | {"state": "completed", "blocks": 9}
    assert (last["started_at"] - before).total_seconds() < 10.0


def test_the_same_sweep_elsewhere_is_another_document(
    settings: MongoSettings, index: MongoSweepIndex
) -> None:
    for folder in ("/one", "/other", None):
        index.record("b", folder, {"state": "running"})

    assert {each["folder"] for each in documents(settings, sweep="b")} == {"/one", "/other", None}


def test_the_records_below_a_folder_are_forgotten(settings: MongoSettings, index: MongoSweepIndex) -> None:
    for folder in ("/out/1.5/a", "/out/1.5/b", "/out/125/a", "/out/1.5"):
        index.record("e", folder, {"state": "completed"})

    index.forget("/out/1.5")

    assert {each["folder"] for each in documents(settings, sweep="e")} == {"/out/125/a", "/out/1.5"}


def test_two_drivers_of_one_sweep_write_one_document(settings: MongoSettings) -> None:
    indexes = [MongoSweepIndex(settings) for _ in range(4)]
    threads = [
        threading.Thread(target=each.record, args=("c", "/folder", {"state": "running"})) for each in indexes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in indexes:
        each.close()

    assert len(documents(settings, sweep="c")) == 1


def test_a_sweep_from_python_is_found_with_its_folder(
    settings: MongoSettings, index: MongoSweepIndex, tmp_path: Path
) -> None:
    result = run(sweep(), index=index, output=str(tmp_path))

    (record,) = documents(settings, folder=result.folder)
    assert record["sweep"] == result.sweep.id
    assert (record["state"], record["scenarios"], record["failures"]) == ("completed", 6, 0)
    assert record["blocks"] == record["total_blocks"] == 6


def test_a_sweep_is_completed_where_mongodb_is_not() -> None:
    (port,) = free_ports(1)
    nowhere = MongoSettings(uri=SecretStr(f"mongodb://127.0.0.1:{port}"), timeout_seconds=0.2)
    index = MongoSweepIndex(nowhere)

    with pytest.raises(Unavailable):
        index.record("d", None, {"state": "running"})
    result = run(sweep(), index=index)
    index.close()

    assert result.state == "completed"

"""Configurations over HTTP, down to real servers; only Ray is left out."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from actors.live_configuration import LiveConfiguration

pytestmark = pytest.mark.anyio


async def test_a_configuration_has_versions_that_a_lost_race_does_not_overwrite(world):
    first = await world.put("/api/v1/config/simulator", {"defaults": {"chain_size": 5}})
    second = await world.put("/api/v1/config/simulator", {}, **{"if-match": '"1"'})
    lost = await world.put("/api/v1/config/simulator", {}, **{"if-match": "1"})

    assert [first.status_code, second.status_code, lost.status_code] == [200, 200, 409]
    latest = (await world.http.get("/api/v1/config/simulator")).json()
    assert (latest["version"], latest["saved_by"], latest["values"]) == (2, "anna", {})
    old = (await world.http.get("/api/v1/config/simulator", params={"version": 1})).json()
    assert old["values"] == {"defaults": {"chain_size": 5}}
    versions = (await world.http.get("/api/v1/config/simulator/history")).json()["data"]
    assert versions == [latest, old]
    listed = (await world.http.get("/api/v1/config")).json()["data"]
    assert [(one["name"], one["version"]) for one in listed] == [("simulator", 2)]


async def test_a_simulator_configuration_that_makes_no_sense_is_refused(world):
    answer = await world.put("/api/v1/config/simulator", {"limits": {"max_steps": 0}})

    assert (answer.status_code, answer.json()["field"]) == (400, "values.limits.max_steps")


async def test_a_refused_write_and_a_name_that_nobody_stored_leave_no_trace(world):
    await world.put("/api/v1/config/simulator", {"limits": {"max_steps": 0}})
    unknown = await world.http.get("/api/v1/config/unknown")

    assert unknown.status_code == 404
    assert (await world.http.get("/api/v1/config")).json() == {"data": []}
    assert world.config._known == set()


@pytest.mark.parametrize("mongo", ["mongod", "secantus", "standalone"], indirect=True)
async def test_a_change_reaches_every_replica_within_a_second_whoever_makes_it(world):
    replicas = [
        LiveConfiguration(lambda: world.config.get("simulator"), max_age_seconds=0.5) for _ in range(3)
    ]
    assert [(await replica.current()).version for replica in replicas] == [0, 0, 0]

    for version, chain_size in enumerate((6, 7)):
        await world.configurations.save_config(
            "simulator",
            {"defaults": {"chain_size": chain_size}},
            expected_version=version,
            saved_by="another cluster",
            saved_at=datetime.now(UTC),
        )
        await asyncio.sleep(0.9)
        seen = [await replica.current() for replica in replicas]
        assert [one.defaults.chain_size for one in seen] == [chain_size] * 3

    await world.put("/api/v1/config/simulator", {"defaults": {"chain_size": 8}}, **{"if-match": "2"})
    await asyncio.sleep(0.9)
    seen = [await replica.current() for replica in replicas]
    assert [one.defaults.chain_size for one in seen] == [8, 8, 8]

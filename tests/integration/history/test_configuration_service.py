"""Configurations over HTTP, down to real servers; only Ray is left out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from actors.configuration.live import LiveConfiguration
from optionchain.configuration.simulator import built_in_values
from tests.waiting import until

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


async def test_before_anybody_wrote_one_the_simulator_has_what_is_built_in_as_version_0(world):
    path = "/api/v1/config/simulator"
    before = (await world.http.get(path)).json()
    kept = await world.cache.get("config:simulator")
    spread = (await world.http.get(f"{path}/parameters/spread")).json()
    await world.put(path, {"defaults": {"spread": 0.05}}, **{"if-match": "0"})

    assert (before["version"], before["saved_by"], before["values"]) == (0, None, built_in_values())
    assert kept.version == 0
    assert (spread["value"], spread["source"], spread["version"]) == (0.01, "default", 0)
    assert (await world.http.get(path, params={"version": 0})).json() == before
    assert (await world.http.get(path)).json()["version"] == 1
    configured = (await world.http.get(f"{path}/parameters/spread")).json()
    assert configured == {
        "configuration": "simulator",
        "key": "defaults.spread",
        "value": 0.05,
        "version": 1,
        "source": "configuration",
        "overridden_by": "request",
    }
    unknown = await world.http.get(f"{path}/parameters/colour")
    assert (unknown.status_code, "colour" in unknown.json()["error"]) == (404, True)


async def test_a_simulator_configuration_that_makes_no_sense_is_refused(world):
    answer = await world.put("/api/v1/config/simulator", {"limits": {"max_steps": 0}})

    assert (answer.status_code, answer.json()["field"]) == (400, "values.limits.max_steps")


@pytest.mark.parametrize(
    "body",
    [
        b'{"$where": "sleep(10000)"}',
        b'{"a": {"$gt": ""}}',
        b'{"a": [{"b": {"$set": {"c": 1}}}]}',
        b'{"a.b": 1}',
        b'{"a": {"b.c": 1}}',
        b'{"a\\u0000b": 1}',
        b'{"": 1}',
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": 9223372036854775808}',
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": "\xff"}',
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b"",
        b'{"a":' * 20 + b"1" + b"}" * 20,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[" * 100_000,
        b'{"a": "' + b"x" * (300 << 10) + b'"}',
        b"{" + b",".join(b'"k%d":1' % n for n in range(40_000)) + b"}",
    ],
    ids=lambda body: body[:24].decode(errors="replace") + f" ({len(body)})",
)
async def test_a_body_that_is_an_operator_or_no_plain_values_is_refused(world, body):
    headers = {"content-type": "application/json", "x-api-key": "anna:admin"}

    answer = await world.http.put("/api/v1/config/anything", content=body, headers=headers)

    assert answer.status_code == 400, answer.text[:200]
    assert (await world.http.get("/api/v1/config")).json() == {"data": []}


@pytest.mark.parametrize(
    "name",
    ["%24where", "a.b", "a%00", "a%2Fb%2Fc", "%7B%22%24ne%22%3A1%7D", "x" * 65, "%F0%9F%98%80", "a%0A"],
)
async def test_a_name_with_anything_but_letters_and_digits_is_refused_everywhere(world, name):
    for path in (f"/api/v1/config/{name}", f"/api/v1/config/{name}/history"):
        assert (await world.http.get(path)).status_code in (400, 404), path
    assert (await world.put(f"/api/v1/config/{name}", {})).status_code in (400, 404)
    assert (await world.http.get("/api/v1/config")).json() == {"data": []}


@pytest.mark.parametrize(
    "version", ['{"$gt":0}', "-1", "1.0", "\u00b2", "9" * 11, "*", 'W/"1"', "2147483648"]
)
async def test_a_precondition_that_is_no_version_is_refused(world, version):
    answer = await world.put("/api/v1/config/anything", {}, **{"if-match": version.encode()})

    assert answer.status_code == 400, answer.text


async def test_values_that_only_look_like_operators_are_kept_as_they_are(world):
    values = {
        "a$b": "$where",
        "b": "{$ne: null}",
        "c": "a.b",
        "d": "\0",
        "e": ["$set", 2**63 - 1, -(2**63)],
        "é": "😀",
    }

    saved = await world.put("/api/v1/config/anything", values)

    assert saved.status_code == 200, saved.text
    assert (await world.http.get("/api/v1/config/anything")).json()["values"] == values


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

    async def all_have(chain_size):
        seen = [await replica.current() for replica in replicas]
        return [one.defaults["chain_size"] for one in seen] == [chain_size] * 3

    for version, chain_size in enumerate((6, 7)):
        await world.configurations.save_config(
            "simulator",
            {"defaults": {"chain_size": chain_size}},
            expected_version=version,
            saved_by="another cluster",
            saved_at=datetime.now(UTC),
        )
        await until(lambda size=chain_size: all_have(size), "every replica has it", patience_seconds=0.9)

    await world.put("/api/v1/config/simulator", {"defaults": {"chain_size": 8}}, **{"if-match": "2"})
    await until(lambda: all_have(8), "every replica has it", patience_seconds=0.9)

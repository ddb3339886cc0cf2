"""What every store of the audit log must do, on a real mongod and on the embedded server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from pymongo.uri_parser import parse_uri

from adapters.mongo.audit import MongoAudit
from adapters.mongo.connection import open_mongo
from adapters.settings import MongoSettings
from cluster.audit.settings import AuditSettings
from cluster.audit.trail import Trail
from cluster.audit.verifying import verified
from optionchain.access.audit import AuditEntry, Chain, anchor_of
from optionchain.ports import AuditQuery
from tests.lines import line_to
from tests.recording import Recording
from tests.waiting import until

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 5, 14, 30, 0, 678_000, tzinfo=UTC)
HOUR = timedelta(hours=1)
ENTRY = AuditEntry(
    at=NOW,
    action="DELETE /api/v1/keys/{id}",
    target="/api/v1/keys/7",
    tenant="owner",
    subject="owner",
    address="192.0.2.7",
    status=200,
    request_id="mine",
)
KEY = "only-the-writer-has-it"


@pytest.fixture
async def audit(mongo: MongoSettings) -> AsyncIterator[MongoAudit]:
    client = open_mongo(mongo)
    yield MongoAudit(client, mongo.database)
    await client.close()


@pytest.fixture
def observer() -> Recording:
    return Recording()


@pytest.fixture
async def trail(audit: MongoAudit, observer: Recording) -> AsyncIterator[Trail]:
    settings = AuditSettings(key=KEY, write_seconds=0.02, anchor_seconds=0.02, gather_seconds=0.2)
    trail = Trail(audit, settings, observer=observer)
    yield trail
    await trail.close()


async def total(audit: MongoAudit) -> int:
    return (await audit.listed(AuditQuery(), offset=0, limit=100))[0]


async def test_links_and_anchors_are_kept_as_they_are_and_once(audit: MongoAudit) -> None:
    chain = Chain("anna")
    links = [chain.add(replace(ENTRY, at=NOW + number * HOUR)) for number in range(3)]
    anchors = [anchor_of(links[2], NOW, b"key")]

    for _ in range(2):  # the answer to the first was lost
        await audit.append(links, anchors)

    assert await audit.chain("anna") == (links, anchors)
    assert await audit.writers() == ["anna"]
    assert await total(audit) == 3


async def test_what_is_on_record_stays_as_it_is(audit: MongoAudit) -> None:
    link = Chain("anna").add(ENTRY)
    await audit.append([link], [])

    await audit.append([replace(link, entry=replace(ENTRY, tenant="mallory"))], [])

    assert await audit.chain("anna") == ([link], [])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (AuditQuery(), [2, 1, 0]),
        (AuditQuery(since=NOW + HOUR), [2, 1]),
        (AuditQuery(until=NOW + HOUR), [0]),
        (AuditQuery(tenant="desk"), [1]),
        (AuditQuery(tenant='{"$ne": ""}'), []),
        (AuditQuery(tenant=""), []),
        (AuditQuery(status=403), [1]),
        (AuditQuery(since=NOW + HOUR, tenant="owner"), [2]),
    ],
)
async def test_entries_are_found_by_what_is_asked_for(
    query: AuditQuery, found: list[int], audit: MongoAudit
) -> None:
    entries = [replace(ENTRY, at=NOW + number * HOUR, target=str(number)) for number in range(3)]
    entries[1] = replace(entries[1], tenant="desk", status=403)
    chain = Chain("anna")
    await audit.append([chain.add(each) for each in entries], [])

    assert await audit.listed(query, offset=0, limit=10) == (
        len(found),
        [entries[number] for number in found],
    )
    assert (await audit.listed(query, offset=0, limit=1))[1] == [entries[number] for number in found[:1]]


async def test_old_entries_are_forgotten_and_the_rest_is_verified(audit: MongoAudit) -> None:
    chain = Chain("anna")
    links = [chain.add(replace(ENTRY, at=NOW + number * HOUR)) for number in range(3)]
    await audit.append(links, [anchor_of(links[0], NOW, b"key"), anchor_of(links[2], NOW + HOUR, b"key")])

    assert await audit.forget(NOW + HOUR) == 1

    assert (await verified(audit, "key")).problems == []
    assert await total(audit) == 2


async def test_a_trail_is_written_signed_and_verified(audit: MongoAudit, trail: Trail) -> None:
    for _ in range(3):
        trail.act(ENTRY)

    async def is_anchored() -> bool:
        for writer in await audit.writers():
            links, anchors = await audit.chain(writer)
            return len(links) == 3 and any(anchor.number == 3 for anchor in anchors)
        return False

    await until(is_anchored, "it is written and anchored")
    found = await verified(audit, KEY)
    assert (found.entries, found.chains, found.problems) == (3, 1, [])
    assert (await verified(audit, "another")).problems != []


async def test_refusals_of_one_caller_are_one_entry_and_a_burst_of_them_unusual(
    audit: MongoAudit, trail: Trail, observer: Recording
) -> None:
    refused = replace(ENTRY, tenant="", subject="", status=401)
    for number in range(1_500):
        trail.refusal(replace(refused, request_id=str(number)))
    trail.refusal(replace(refused, address="192.0.2.8"))

    async def both() -> bool:
        return await total(audit) == 2

    await until(both, "they are written")
    _, entries = await audit.listed(AuditQuery(), offset=0, limit=10)
    assert sorted((each.address, each.times) for each in entries) == [("192.0.2.7", 1_500), ("192.0.2.8", 1)]
    [unusual] = [each for each in observer.notes if each.name == "access.unusual"]
    assert (unusual.facts["address"], unusual.facts["times"]) == ("192.0.2.7", 1_500)
    assert ("access.unusual", {"status": "401"}) in observer.labels


async def test_refusals_of_very_many_callers_are_bounded(audit: MongoAudit, trail: Trail) -> None:
    for number in range(1_200):
        trail.refusal(replace(ENTRY, status=401, address=f"10.0.{number // 256}.{number % 256}"))

    async def all_of_them() -> bool:
        return await total(audit) == 1_001

    await until(all_of_them, "they are written")
    _, [others] = await audit.listed(AuditQuery(tenant=""), offset=0, limit=10)
    assert (others.action, others.times) == ("other refusals", 200)


async def test_what_happens_while_the_store_is_silent_is_written_later_as_far_as_there_is_room(
    mongo: MongoSettings, audit: MongoAudit
) -> None:
    assert mongo.uri is not None
    [(_, port)] = parse_uri(mongo.uri.get_secret_value())["nodelist"]
    observer = Recording()
    async with line_to(port) as line:
        uri = SecretStr(f"mongodb://127.0.0.1:{line.port}/?directConnection=true")
        client = open_mongo(MongoSettings(uri=uri, database=mongo.database, timeout_seconds=1))
        settings = AuditSettings(write_seconds=0.02, max_waiting=10)
        trail = Trail(MongoAudit(client, mongo.database), settings, observer=observer)
        line.cut()
        for _ in range(15):
            trail.act(ENTRY)
        await until(lambda: observer.failures, "it cannot be written")
        line.mend()

        async def told() -> bool:
            return await total(audit) == 11

        await until(told, "what waited is written, and how many were lost")
        _, entries = await audit.listed(AuditQuery(), offset=0, limit=100)
        await trail.close()
        await client.close()

    [lost] = [each for each in entries if each.action == "lost entries"]
    assert (lost.times, lost.tenant, lost.subject, lost.at) == (5, "", "", ENTRY.at)
    assert observer.counts["audit.lost"] == 5
    assert len(observer.notes) == 15, "the log has each at once"
    assert (await verified(audit, "")).problems == []

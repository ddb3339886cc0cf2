"""The primary of a replica set is killed while many write to it: what was acknowledged survives."""

from __future__ import annotations

import asyncio
import contextlib
import signal

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import AutoReconnect

from proving.groups.replica_set import await_answer, member_uri, primary_index
from tests.integration.history import mongo_servers as servers
from tests.integration.history.writers import (
    LOST,
    WRITES,
    check_nothing_is_lost,
    committed,
    eventually,
    has_alone,
    has_committed,
    started_writers,
)

pytestmark = pytest.mark.anyio

# Longer than an election takes, on a busy machine too.
UPGRADE_TIMEOUT_SECONDS = 8


@pytest.fixture
def three_nodes(tmp_path):
    with servers.replica_set(tmp_path, 3) as started:
        yield started


async def test_nothing_acknowledged_is_lost_when_the_primary_is_killed(three_nodes):
    uri = three_nodes.uri
    client, writers, writing, check = started_writers(uri)
    await eventually(lambda: writers.has_acknowledged(WRITES), check)

    # The others die first, so that the primary has what no majority has when it dies too.
    killed = primary_index(uri)
    others = [index for index in range(3) if index != killed]
    for index in others:
        three_nodes.kill(index)
    async with AsyncMongoClient(member_uri(uri, killed)) as primary:
        await eventually(lambda: has_alone(primary, LOST), check)
    three_nodes.kill(killed)
    for index in others:
        three_nodes.start_again(index)
    enough = writers.acknowledged + WRITES
    await eventually(lambda: writers.has_acknowledged(enough), check)
    writers.is_over = True
    await writing

    await client.close()
    await check_nothing_is_lost(writers, uri, "primary")
    # The killed one comes back, gives up what no majority had, and catches up.
    three_nodes.start_again(killed)
    member = member_uri(uri, killed)
    three_nodes.await_member(killed)
    async with AsyncMongoClient(uri) as every:
        newest = await committed(every)
    async with AsyncMongoClient(member) as one:
        await eventually(lambda: has_committed(one, newest), lambda: None)
    await check_nothing_is_lost(writers, member, "nearest")


@contextlib.contextmanager
def stepped_down(nodes):
    with MongoClient(nodes.uri) as client:
        client.admin.command({"replSetStepDown": 20, "force": True})
    yield


@contextlib.contextmanager
def frozen(nodes):
    """It does nothing until another is primary, then goes on, and still takes itself for one."""
    process = nodes.members[primary_index(nodes.uri)]
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@pytest.mark.long
@pytest.mark.parametrize("lose", [stepped_down, frozen], ids=["steps down", "is frozen"])
async def test_nothing_acknowledged_is_lost_when_another_is_elected(three_nodes, lose):
    uri = three_nodes.uri
    client, writers, writing, check = started_writers(uri)
    for _ in range(2):
        before = writers.acknowledged
        await eventually(lambda before=before: writers.has_acknowledged(before + WRITES), check)
        loser = await asyncio.to_thread(primary_index, uri)
        with lose(three_nodes):
            enough = writers.acknowledged + WRITES
            await eventually(lambda enough=enough: writers.has_acknowledged(enough), check)
            assert await asyncio.to_thread(primary_index, uri) != loser
    writers.is_over = True
    await writing

    await client.close()
    await check_nothing_is_lost(writers, uri, "primary")


@pytest.mark.long
async def test_members_are_upgraded_one_after_the_other_without_an_error_to_a_writer(three_nodes):
    """As docs/recovery.md says it: each is ended and started again, the primary last and once it has stepped down."""
    uri = three_nodes.uri
    client, writers, writing, check = started_writers(uri, UPGRADE_TIMEOUT_SECONDS)
    await eventually(lambda: writers.has_acknowledged(WRITES), check)
    last = await asyncio.to_thread(primary_index, uri)

    for index in [*(index for index in range(3) if index != last), last]:
        member = member_uri(uri, index)
        if index == last:
            await asyncio.to_thread(ask, member, {"replSetStepDown": 60, "secondaryCatchUpPeriodSecs": 10})
        await asyncio.to_thread(ask, member, {"shutdown": 1, "timeoutSecs": 1})
        await asyncio.to_thread(three_nodes.members[index].wait, 30)
        three_nodes.start_again(index)
        await asyncio.to_thread(await_answer, member, "hello", lambda answer: answer["secondary"])
        enough = writers.acknowledged + WRITES
        await eventually(lambda enough=enough: writers.has_acknowledged(enough), check)
    writers.is_over = True
    await writing
    await client.close()

    assert writers.failures == []
    await check_nothing_is_lost(writers, uri, "primary")


def ask(uri, command):
    """A command after which a server may close the connection."""
    with MongoClient(uri) as client, contextlib.suppress(AutoReconnect):
        client.admin.command(command)

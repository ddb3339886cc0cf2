"""The primary of a replica set is killed while many write to it: what was acknowledged survives."""

from __future__ import annotations

import asyncio
import contextlib
import signal

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import AutoReconnect

from tests.integration.history import mongo_servers as servers
from tests.integration.history.writers import (
    LOST,
    WRITES,
    check_nothing_is_lost,
    committed,
    eventually,
    has_alone,
    has_committed,
    primary_index,
    started_writers,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def three_nodes(tmp_path):
    with servers.replica_set(tmp_path, 3) as started:
        yield started


@pytest.fixture
def again(three_nodes, tmp_path):
    """Starts a node that was killed."""
    uri, _ = three_nodes
    with contextlib.ExitStack() as stack:

        def start(index):
            port = servers.hosts_of(uri)[index].rpartition(":")[2]
            command = servers.member_command(tmp_path, int(port))
            stack.enter_context(servers.process(command, tmp_path / f"{port}-again.log"))

        yield start


def end(process):
    process.kill()
    process.wait(10)  # until then its folder and port are taken


async def test_nothing_acknowledged_is_lost_when_the_primary_is_killed(three_nodes, again):
    uri, processes = three_nodes
    client, writers, writing, check = started_writers(uri)
    await eventually(lambda: writers.has_acknowledged(WRITES), check)

    # The others die first, so that the primary has what no majority has when it dies too.
    killed = primary_index(uri)
    others = [index for index in range(3) if index != killed]
    for index in others:
        end(processes[index])
    async with AsyncMongoClient(servers.member_uri(uri, killed)) as primary:
        await eventually(lambda: has_alone(primary, LOST), check)
    end(processes[killed])
    for index in others:
        again(index)
    enough = writers.acknowledged + WRITES
    await eventually(lambda: writers.has_acknowledged(enough), check)
    writers.is_over = True
    await writing

    await client.close()
    await check_nothing_is_lost(writers, uri, "primary")
    # The killed one comes back, gives up what no majority had, and catches up.
    again(killed)
    member = servers.member_uri(uri, killed)
    servers.await_answer(member, "hello", lambda answer: answer["isWritablePrimary"] or answer["secondary"])
    async with AsyncMongoClient(uri) as every:
        newest = await committed(every)
    async with AsyncMongoClient(member) as one:
        await eventually(lambda: has_committed(one, newest), lambda: None)
    await check_nothing_is_lost(writers, member, "nearest")


@contextlib.contextmanager
def stepped_down(uri, processes):
    with MongoClient(uri) as client:
        client.admin.command({"replSetStepDown": 20, "force": True})
    yield


@contextlib.contextmanager
def frozen(uri, processes):
    """It does nothing until another is primary, then goes on, and still takes itself for one."""
    process = processes[primary_index(uri)]
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@pytest.mark.long
@pytest.mark.parametrize("lose", [stepped_down, frozen], ids=["steps down", "is frozen"])
async def test_nothing_acknowledged_is_lost_when_another_is_elected(three_nodes, lose):
    uri, processes = three_nodes
    client, writers, writing, check = started_writers(uri)
    for _ in range(2):
        before = writers.acknowledged
        await eventually(lambda before=before: writers.has_acknowledged(before + WRITES), check)
        loser = await asyncio.to_thread(primary_index, uri)
        with lose(uri, processes):
            enough = writers.acknowledged + WRITES
            await eventually(lambda enough=enough: writers.has_acknowledged(enough), check)
            assert await asyncio.to_thread(primary_index, uri) != loser
    writers.is_over = True
    await writing

    await client.close()
    await check_nothing_is_lost(writers, uri, "primary")


@pytest.mark.long
async def test_members_are_upgraded_one_after_the_other_without_an_error_to_a_writer(three_nodes, again):
    """As docs/recovery.md says it: each is ended and started again, the primary last and once it has stepped down."""
    uri, processes = three_nodes
    client, writers, writing, check = started_writers(uri)
    await eventually(lambda: writers.has_acknowledged(WRITES), check)
    last = await asyncio.to_thread(primary_index, uri)

    for index in [*(index for index in range(3) if index != last), last]:
        member = servers.member_uri(uri, index)
        if index == last:
            await asyncio.to_thread(ask, member, {"replSetStepDown": 60, "secondaryCatchUpPeriodSecs": 10})
        await asyncio.to_thread(ask, member, {"shutdown": 1, "timeoutSecs": 1})
        await asyncio.to_thread(processes[index].wait, 30)
        again(index)
        await asyncio.to_thread(servers.await_answer, member, "hello", lambda answer: answer["secondary"])
        enough = writers.acknowledged + WRITES
        await eventually(lambda enough=enough: writers.has_acknowledged(enough), check)
    writers.is_over = True
    await writing
    await client.close()

    assert writers.failures == 0
    await check_nothing_is_lost(writers, uri, "primary")


def ask(uri, command):
    """A command after which a server may close the connection."""
    with MongoClient(uri) as client, contextlib.suppress(AutoReconnect):
        client.admin.command(command)

"""The first answers to keyed requests, on a real server."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from adapters.redis.idempotency import RedisAnswers, Room
from optionchain.errors import Unavailable
from optionchain.ports import KeyReused
from tests.servers import RedisServer, redis_server

pytestmark = pytest.mark.anyio
REQUEST, OTHER_REQUEST = b"r" * 32, b"o" * 32


@pytest.fixture
async def answers(server: RedisServer) -> AsyncIterator[RedisAnswers]:
    answers = RedisAnswers(server.open(), prefix=secrets.token_hex(4), ttl_seconds=60.0, max_bytes=1000)
    yield answers
    await answers.close()


async def test_a_new_key_has_no_answer(answers: RedisAnswers) -> None:
    assert await answers.begin("owner", "key", REQUEST) is None


async def test_the_first_answer_is_kept(answers: RedisAnswers) -> None:
    await answers.begin("owner", "key", REQUEST)

    await answers.finish("owner", "key", REQUEST, b"first")
    await answers.finish("owner", "key", REQUEST, b"second")

    assert await answers.begin("owner", "key", REQUEST) == b"first"


async def test_a_key_serves_one_request_only_even_before_it_is_answered(answers: RedisAnswers) -> None:
    await answers.begin("owner", "key", REQUEST)

    with pytest.raises(KeyReused):
        await answers.begin("owner", "key", OTHER_REQUEST)
    with pytest.raises(KeyReused):
        await answers.finish("owner", "key", OTHER_REQUEST, b"other")

    assert await answers.begin("owner", "key", REQUEST) is None


async def test_the_keys_of_two_owners_have_nothing_in_common(answers: RedisAnswers) -> None:
    await answers.begin("owner", "key", REQUEST)
    await answers.finish("owner", "key", REQUEST, b"first")

    assert await answers.begin("other", "key", OTHER_REQUEST) is None


async def test_of_a_long_answer_only_its_being_is_kept(answers: RedisAnswers) -> None:
    await answers.finish("owner", "key", REQUEST, secrets.token_bytes(2000))

    assert await answers.begin("owner", "key", REQUEST) == b""


async def test_of_an_answer_too_many_only_its_being_is_kept(server: RedisServer) -> None:
    answers = RedisAnswers(
        server.open(), prefix=secrets.token_hex(4), ttl_seconds=60.0, max_bytes=1000, total_bytes=1500
    )
    for key in ("first", "second", "third"):
        await answers.finish("owner", key, REQUEST, secrets.token_bytes(400))

    kept = [await answers.begin("owner", key, REQUEST) for key in ("first", "second", "third")]

    assert [len(answer or b"") for answer in kept] == [400, 400, 0]
    await answers.close()


def test_room_is_given_back_when_what_took_it_has_ended() -> None:
    instants = iter((1000.0, 1012.0, 1020.0, 1026.0, 1030.0))
    room = Room(100, lifetime_seconds=24.0, clock=lambda: next(instants))

    taken = [room.take(50) for _ in range(5)]

    # The first has ended by then, the second not yet.
    assert taken == [True, True, False, True, False]


async def test_an_answer_is_kept_for_its_time_and_no_longer(server: RedisServer) -> None:
    answers = RedisAnswers(server.open(), prefix=secrets.token_hex(4), ttl_seconds=0.05, max_bytes=1000)
    await answers.finish("owner", "key", REQUEST, b"first")

    with anyio.fail_after(10.0):
        while await answers.begin("owner", "key", REQUEST) is not None:
            continue
    await answers.close()


async def test_a_server_out_of_reach_is_our_error(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        answers = RedisAnswers(server.open(), max_bytes=1000)

    with pytest.raises(Unavailable):
        await answers.begin("owner", "key", REQUEST)
    await answers.close()

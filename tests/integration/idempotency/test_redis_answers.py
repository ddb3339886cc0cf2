"""The first answers to keyed requests, on a real server."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import pytest
from servers import RedisServer, redis_server

from adapters.redis_idempotency import RedisAnswers
from optionchain.errors import KeyReused, Unavailable

pytestmark = pytest.mark.anyio
REQUEST, OTHER_REQUEST = b"r" * 32, b"o" * 32


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(Path(tmp_path_factory.mktemp("redis"))) as server:
        yield server


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

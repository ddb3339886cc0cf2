"""What is wrong with one call or one record is its own misfortune."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from actors.sessions.messages import Answer, Call
from optionchain.errors import Defect, Unavailable
from optionchain.session import Advance
from tests.callers import on_behalf_of
from tests.integration.sessions.session_examples import (
    NOW,
    StoreFactory,
    advance,
    ask,
    created,
    new_host,
    new_session,
)
from tests.recording import Recording
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio


def cursor(answer: Answer) -> int:
    assert isinstance(answer, bytes), answer
    return int(orjson.loads(answer)["session_info"]["current_step"])


async def test_a_record_that_nobody_can_read_fails_its_own_session_alone(
    open_store: StoreFactory, server: RedisServer, prefix: str
) -> None:
    host = new_host(open_store())
    broken, sound = [await created(host, new_session()) for _ in range(2)]
    redis = server.open()
    await redis.hset(f"{prefix}:session:{{{broken.id}}}", "parameters", b'{"from": "the future"}')
    await redis.aclose()
    observer = Recording()
    restarted = new_host(open_store(), observer=observer)

    (failed,), (served,) = await asyncio.gather(
        ask(restarted, broken, advance()), ask(restarted, sound, advance())
    )

    assert isinstance(failed, Defect)
    assert observer.failure("session.serve")[0].facts == {"session_id": broken.id}
    assert cursor(served) == 1
    assert cursor((await ask(restarted, sound, advance()))[0]) == 2


async def test_a_call_whose_caller_gave_up_is_not_begun(open_store: StoreFactory) -> None:
    host = new_host(open_store())
    session = await created(host, new_session())
    now = NOW.timestamp()
    calls = [
        Call(session.id, on_behalf_of(session.owner, expires_at), session.kind, Advance(name))
        for name, expires_at in {"late": now - 0.001, "in time": now + 5.0}.items()
    ]

    late, in_time = await host.execute(calls)

    assert isinstance(late, Unavailable)
    assert cursor(in_time) == 1

"""One contract for both ways to the session actors: over sockets of their own, and over Ray."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
import ray

from actors.named import existing
from actors.sessions.gateway import SessionGateway
from actors.sessions.messages import Call
from actors.sessions.socket_transport import SocketSessionTransport
from cluster.bootstrap import open_gateway, open_session_transport
from cluster.settings import Settings
from optionchain.context import Context
from optionchain.errors import InvalidInput, NotFound, Overloaded, PreconditionFailed, Unavailable
from optionchain.session import Advance, Command, Create, Inspect, Peek, Reinitialize, Session
from tests.callers import on_behalf_of
from tests.integration.sessions.session_examples import PARAMETERS, advance, new_session
from tests.servers import RedisServer

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("ray_address")]

PATIENCE_SECONDS = 60.0


@dataclass
class Way:
    """A way to the actors, and what a test does with them."""

    settings: Settings
    gateways: list[SessionGateway]

    @property
    def gateway(self) -> SessionGateway:
        return self.gateways[0]

    async def call(self, session: Session, command: Command, context: Context | None = None) -> Any:
        context = context or on_behalf_of(session.owner)
        return orjson.loads(await self.gateway.call(Call(session.id, context, session.kind, command)))

    def gateway_with(self, **changes: Any) -> SessionGateway:
        self.gateways.append(open_gateway(self.settings.with_changes({"session": changes})))
        return self.gateways[-1]

    async def pids(self) -> list[int]:
        actors = existing(self.settings.ray.namespace)
        statuses: Any = await asyncio.gather(*(actor.status.remote() for actor in actors))
        return [status["pid"] for status in statuses]


@pytest.fixture(params=["socket", "ray"])
async def way(request: pytest.FixtureRequest, server: RedisServer, tmp_path: Path) -> AsyncIterator[Way]:
    session = {
        "transport": request.param,
        "placement": "shards:2",
        "socket_folder": tmp_path,  # for its owner alone, as pytest makes it
        "delivery_timeout_seconds": PATIENCE_SECONDS,
        "timeout_seconds": PATIENCE_SECONDS,
    }
    namespace = f"transports-{uuid.uuid4().hex[:8]}"
    redis = {"url": server.url, "prefix": namespace}
    settings = Settings(redis=redis, ray={"namespace": namespace}, session=session)
    way = Way(settings, [open_gateway(settings)])
    try:
        yield way
    finally:
        for gateway in way.gateways:
            gateway.close()
        for actor in existing(namespace):
            ray.kill(actor)


async def test_commands_have_their_effect_once_and_answers_come_back(way: Way) -> None:
    session = new_session()

    created = await way.call(session, Create(session))
    step = Advance("the same command")
    first, again = await way.call(session, step), await way.call(session, step)
    peeked = await way.call(session, Peek("all"))
    changed = await way.call(session, Reinitialize("c", {"volatility": 0.3, "method": PARAMETERS.method}))

    assert (created["id"], created["current_step"]) == (session.id, 0)
    assert first == again
    assert peeked["session_info"]["current_step"] == 1
    assert (changed["current_step"], changed["parameters"]["volatility"]) == (0, 0.2)


async def test_errors_are_those_of_the_actor(way: Way) -> None:
    session = new_session()
    await way.call(session, Create(session))

    with pytest.raises(PreconditionFailed) as refusal:
        await way.call(session, Advance("a", expected_step=3))
    with pytest.raises(NotFound):
        await way.call(session, Peek(), on_behalf_of("somebody else"))
    with pytest.raises(InvalidInput, match="steps"):
        await way.call(session, Reinitialize("r", {"steps": 0}))
    assert refusal.value.current_step == 0


async def test_who_gave_up_before_the_actor_gets_to_it_is_not_served(way: Way) -> None:
    session = new_session()
    await way.call(session, Create(session))

    with pytest.raises(Unavailable):
        await way.call(session, advance(), on_behalf_of(session.owner, expires_at=1.0))

    assert (await way.call(session, Inspect()))["current_step"] == 0


async def test_many_sessions_are_served_side_by_side(way: Way) -> None:
    sessions = [new_session() for _ in range(60)]
    await asyncio.gather(*(way.call(session, Create(session)) for session in sessions))

    stepped = await asyncio.gather(*(way.call(session, advance()) for session in sessions for _ in range(3)))

    cursors = [(one["session_info"]["id"], one["session_info"]["current_step"]) for one in stepped]
    assert sorted(cursors) == sorted((session.id, cursor) for session in sessions for cursor in (1, 2, 3))


async def test_a_queue_that_is_full_refuses_at_once(way: Way) -> None:
    session = new_session()
    await way.call(session, Create(session))
    narrow = way.gateway_with(max_waiting=2)

    def step() -> Any:
        return narrow.call(Call(session.id, on_behalf_of(session.owner), session.kind, advance()))

    outcomes = await asyncio.gather(*(step() for _ in range(3)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [bytes, bytes, Overloaded]


async def test_an_actor_that_is_killed_is_found_again_and_nothing_is_served_twice(way: Way) -> None:
    sessions = [new_session() for _ in range(6)]
    await asyncio.gather(*(way.call(session, Create(session)) for session in sessions))
    pids = await way.pids()

    steps = [asyncio.create_task(way.call(session, advance())) for session in sessions for _ in range(2)]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    served = await asyncio.gather(*steps)
    after = await asyncio.gather(*(way.call(session, Inspect()) for session in sessions))

    cursors = [(one["session_info"]["id"], one["session_info"]["current_step"]) for one in served]
    assert sorted(cursors) == sorted((session.id, cursor) for session in sessions for cursor in (1, 2))
    assert [one["current_step"] for one in after] == [2] * len(sessions)
    assert set(pids).isdisjoint(await way.pids())


@pytest.mark.parametrize("way", ["socket"], indirect=True)
async def test_a_line_that_breaks_is_opened_again(way: Way) -> None:
    session = new_session()
    transport = open_session_transport(way.settings)
    assert isinstance(transport, SocketSessionTransport)
    name = "sessions-0"
    call = Call(session.id, on_behalf_of(session.owner), session.kind, Create(session))
    assert isinstance(await transport.send(name, call), bytes)

    transport.close()

    assert isinstance(await transport.send(name, call), bytes)
    transport.close()


@pytest.mark.parametrize("way", ["socket"], indirect=True)
async def test_an_actor_of_another_release_is_called_over_ray(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = new_session()
    monkeypatch.setattr("actors.sessions.socket_transport.VERSION", 99)

    assert (await way.call(session, Create(session)))["id"] == session.id

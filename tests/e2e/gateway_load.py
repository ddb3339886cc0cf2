"""Sessions stepped through gateways, as HTTP replicas step them, with the history that the checker examines."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Sequence

import orjson

from actors.sessions.gateway import SessionGateway
from actors.sessions.messages import Call
from optionchain.errors import Defect, NotFound, OptionChainError, PreconditionFailed
from optionchain.session import Advance, Command, Create, Session, SessionKind
from proving.chaos.checker import Verdict, check
from proving.chaos.history import Attempt, Gone, Outcome, Refused, Served, Unanswered, digest
from proving.chaos.sessions import START, ChaosSession
from tests.callers import on_behalf_of

NO_STEP = 2**31


class GatewayLoad:
    """Clients with a session each, who ask one gateway after the other."""

    def __init__(self, clients: int) -> None:
        self.sessions = {str(uuid.uuid4()): ChaosSession(number) for number in range(clients)}
        self.attempts: list[Attempt] = []
        self._cursors = dict.fromkeys(self.sessions, 0)

    async def create(self, gateway: SessionGateway) -> None:
        await asyncio.gather(
            *(
                self._call(gateway, id_, Create(_session(id_, client)))
                for id_, client in self.sessions.items()
            )
        )

    async def step(self, gateways: Sequence[SessionGateway], steps: int, *, expecting: bool = True) -> None:
        """Have every client step so often, at once; each asks the gateways in turn.

        Without `expecting`, they ask for whatever comes next: then nothing but fencing keeps an actor that was
        overtaken from serving an index again.
        """
        await asyncio.gather(
            *(self._client(gateways, session_id, steps, expecting) for session_id in self.sessions)
        )

    async def attempt(self, gateway: SessionGateway, session_id: str, expected: int | None) -> Outcome:
        """Ask for one step, and write down what came of it."""
        began = time.monotonic()
        outcome = await self._outcome(gateway, session_id, expected)
        self.attempts.append(Attempt(session_id, expected, began, time.monotonic(), outcome))
        return outcome

    async def verdict(self, gateway: SessionGateway) -> Verdict:
        """What the history shows, with a last look at every cursor."""
        ends = [await self.attempt(gateway, session_id, NO_STEP) for session_id in self.sessions]
        assert all(isinstance(end, Refused) for end in ends), ends
        return check(self.attempts, lambda id_, served: self.sessions[id_].replayed(id_, served.index))

    async def _client(
        self, gateways: Sequence[SessionGateway], session_id: str, steps: int, expecting: bool
    ) -> None:
        for turn in range(steps):
            expected = self._cursors[session_id] if expecting else None
            outcome = await self.attempt(gateways[turn % len(gateways)], session_id, expected)
            match outcome:
                case Served(index):
                    self._cursors[session_id] = index + 1
                case Refused(cursor):
                    self._cursors[session_id] = cursor

    async def _outcome(self, gateway: SessionGateway, session_id: str, expected: int | None) -> Outcome:
        try:
            body = await self._call(gateway, session_id, Advance(uuid.uuid4().hex, expected))
        except PreconditionFailed as refusal:
            return Refused(refusal.current_step)
        except NotFound:
            return Gone()
        except OptionChainError as error:
            return Unanswered(is_defect=isinstance(error, Defect))
        return Served(orjson.loads(body)["session_info"]["current_step"] - 1, digest(body))

    async def _call(self, gateway: SessionGateway, session_id: str, command: Command) -> bytes:
        return await gateway.call(Call(session_id, on_behalf_of("owner"), SessionKind.CHAIN, command))


def _session(session_id: str, client: ChaosSession) -> Session:
    return Session(
        id=session_id,
        owner="owner",
        kind=SessionKind.CHAIN,
        parameters=client.parameters,
        created_at=START,
        updated_at=START,
        version=1,
    )

"""Clients that step their sessions with `expected_step`, whatever happens, and write down what they saw."""

from __future__ import annotations

import asyncio
import random
import time

import httpx

from cluster.chaos.history import Attempt, Gone, Outcome, Refused, Served, Unanswered, digest
from cluster.chaos.sessions import ChaosSession

REQUEST_PATIENCE_SECONDS = 15.0
RECOVERY_PATIENCE_SECONDS = 60.0
PAUSE_SECONDS, PAUSE_AFTER_FAILURE_SECONDS = 0.02, 0.1
NO_STEP = 2**31
DEFECT = b'{"error":"Internal server error"'


class BadLoad(Exception):
    """The service refuses the sessions, or does not come back: nothing can be measured."""


class Load:
    """So many clients at once, one session each.

    Args:
        api: Reaches the service; its limits must allow a connection a client.
        clients: How many.
        rng: Decides the pauses.
    """

    def __init__(self, api: httpx.AsyncClient, clients: int, rng: random.Random) -> None:
        self._api = api
        self._rng = rng
        self._clients = [ChaosSession(number) for number in range(clients)]
        self._sessions: dict[str, ChaosSession] = {}
        self._is_over = False
        self.attempts: list[Attempt] = []

    async def run(self) -> None:
        """Create the sessions and step them until `finish`; then see where each cursor is."""
        await asyncio.gather(*map(self._client, self._clients))

    @property
    def acknowledged(self) -> int:
        """How many steps were served so far."""
        return sum(isinstance(attempt.outcome, Served) for attempt in self.attempts)

    def replayed(self, session_id: str, index: int) -> bytes:
        """The digest of what a session had to serve."""
        return self._sessions[session_id].replayed(session_id, index)

    async def create(self, client: ChaosSession) -> str:
        """Create the session of a client, however long it takes; returns its id.

        Raises:
            BadLoad: The service refuses it.
        """
        while True:
            try:
                answer = await self._api.post("/api/v1/chain", json=client.request)
                if answer.status_code == httpx.codes.CREATED:
                    session_id: str = answer.json()["id"]
                    self._sessions[session_id] = client
                    return session_id
                if answer.is_client_error:
                    raise BadLoad(f"{answer.status_code}: {answer.text}")
            except httpx.HTTPError:
                pass
            await self._pause(PAUSE_AFTER_FAILURE_SECONDS)

    def finish(self) -> None:
        """Begin no further step."""
        self._is_over = True

    async def _client(self, client: ChaosSession) -> None:
        session_id = await self.create(client)
        cursor = 0
        while not self._is_over:
            outcome = await self._step(session_id, cursor)
            match outcome:
                case Served(index):
                    cursor = index + 1
                case Refused(at):
                    cursor = at
                case Gone():
                    return
            is_answered = not isinstance(outcome, Unanswered)
            await self._pause(PAUSE_SECONDS if is_answered else PAUSE_AFTER_FAILURE_SECONDS)
        await self._see_the_end(session_id)

    async def _step(self, session_id: str, expected: int) -> Outcome:
        query: dict[str, str | int] = {"sessionid": session_id, "expected_step": expected}
        began = time.monotonic()
        try:
            outcome = _outcome(await self._api.post("/api/v1/chain/step", params=query))
        except httpx.HTTPError:
            outcome = Unanswered()
        self.attempts.append(Attempt(session_id, expected, began, time.monotonic(), outcome))
        return outcome

    async def _see_the_end(self, session_id: str) -> None:
        """Ask for a step that cannot be: the refusal says where the cursor is."""
        deadline = time.monotonic() + RECOVERY_PATIENCE_SECONDS
        while isinstance(await self._step(session_id, NO_STEP), Unanswered):
            if time.monotonic() > deadline:
                raise BadLoad(f"no answer for {RECOVERY_PATIENCE_SECONDS:.0f} s after the last fault")
            await self._pause(PAUSE_AFTER_FAILURE_SECONDS)

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self._rng.uniform(0.5, 1.5))


def _outcome(answer: httpx.Response) -> Outcome:
    match answer.status_code:
        case httpx.codes.OK:
            index = answer.json()["session_info"]["current_step"] - 1
            return Served(index, digest(answer.content))
        case httpx.codes.PRECONDITION_FAILED:
            return Refused(answer.json()["current_step"])
        case httpx.codes.NOT_FOUND if answer.content.startswith(b'{"error":"session not found'):
            return Gone()
    return Unanswered(answer.status_code, is_defect=answer.content.startswith(DEFECT))

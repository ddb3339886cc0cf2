"""Clients that step their sessions with `expected_step`, whatever happens, and write down what they saw."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import time
from collections import deque
from itertools import count
from typing import Any

import httpx

from optionchain.numerics import IDENTITY
from optionchain.session import REMEMBERED_COMMANDS
from optionchain.wire.replay import is_replay
from proving.chaos.history import Attempt, Gone, Outcome, Refused, Served, Unanswered, digest
from proving.chaos.sessions import STEPS, ChaosSession

# Beyond the patience of the service, so that it is the service that gives up.
REQUEST_PATIENCE_SECONDS = 30.0
RECOVERY_PATIENCE_SECONDS = 60.0
SHOWN_CHARACTERS = 200
# All clients together leave room for the processes that start anew.
PAUSE_SECONDS, PAUSE_AFTER_FAILURE_SECONDS = 0.1, 0.1
NO_STEP = 2**31
# The part of the steps that have a key, and after how many others it is sent again: the session itself remembers fewer.
KEYED, LATE_STEPS = 1 / 4, REMEMBERED_COMMANDS + 1
DEFECT = b'{"error":"Internal server error"'


class BadLoad(Exception):
    """The service refuses the sessions, or does not come back: nothing can be measured."""


class Load:
    """So many clients at once, one session each, and another when all of its steps are served.

    Args:
        api: Reaches the service; its limits must allow a connection a client.
        clients: How many.
        rng: Decides the pauses.
        pause_seconds: Of a client between two steps, on average.
        pause_after_failure_seconds: And when it was not answered.

    Attributes:
        attempts: All that they asked for.
        acknowledged: How many steps were served so far.
    """

    def __init__(
        self,
        api: httpx.AsyncClient,
        clients: int,
        rng: random.Random,
        *,
        pause_seconds: float = PAUSE_SECONDS,
        pause_after_failure_seconds: float = PAUSE_AFTER_FAILURE_SECONDS,
    ) -> None:
        self._api = api
        self._rng = rng
        self._pause_seconds = pause_seconds
        self._pause_after_failure_seconds = pause_after_failure_seconds
        self._clients = clients
        self._numbers = count()
        self._sessions: dict[str, ChaosSession] = {}
        self._is_over = False
        self._latest_answer = "nothing was answered"
        self._numerics = IDENTITY
        self.attempts: list[Attempt] = []
        self.acknowledged = 0

    async def run(self) -> None:
        """Create the sessions and step them until `finish`; then see where each cursor is.

        Raises:
            BadLoad: The service refuses the sessions, or does not come back.
        """
        self._numerics = await self._numerics_of_the_service()
        try:
            async with asyncio.TaskGroup() as clients:
                for _ in range(self._clients):
                    clients.create_task(self._client())
        except ExceptionGroup as failures:
            # The first ended all the others.
            raise failures.exceptions[0] from None

    def is_replay(self, session_id: str, served: Served) -> bool:
        """Whether a session had to serve what it did: to the byte, if the service has this arithmetic."""
        ours = self._sessions[session_id].replayed(session_id, served.index)
        if served.body is None:
            return served.digest == digest(ours)
        return is_replay(served.body, ours, self._numerics)

    async def create(self) -> str:
        """Create the next session; returns its id.

        Raises:
            BadLoad: The service refuses it, or does not come back.
        """
        client = ChaosSession(next(self._numbers))
        deadline = time.monotonic() + RECOVERY_PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                answer = await self._post("/api/v1/chain", json=client.request)
                if answer.status_code == httpx.codes.CREATED:
                    session_id: str = answer.json()["id"]
                    self._sessions[session_id] = client
                    return session_id
                if answer.is_client_error:
                    raise BadLoad(f"{answer.status_code}: {answer.text}")
            await self._pause(self._pause_after_failure_seconds)
        raise self._no_recovery()

    @property
    def session_ids(self) -> list[str]:
        """Every session that was created."""
        return list(self._sessions)

    async def step_each(self) -> None:
        """Step every session once more, wherever it is, and see where its cursor is then.

        Raises:
            BadLoad: The service does not come back.
        """
        for session_id in self._sessions:
            await self._step(session_id, None)
            await self._see_the_end(session_id)

    def turn_to(self, base_url: str) -> None:
        """Ask elsewhere from now on."""
        self._api.base_url = base_url

    def finish(self) -> None:
        """Begin no further step."""
        self._is_over = True

    async def served_again(self) -> None:
        """Wait until a step is served.

        Raises:
            BadLoad: The service does not come back.
        """
        before, deadline = self.acknowledged, time.monotonic() + RECOVERY_PATIENCE_SECONDS
        while self.acknowledged == before:
            if time.monotonic() > deadline:
                raise self._no_recovery()
            await asyncio.sleep(PAUSE_AFTER_FAILURE_SECONDS)

    async def _client(self) -> None:
        while not self._is_over:
            session_id = await self.create()
            await self._step_on(session_id)
            await self._see_the_end(session_id)

    async def _step_on(self, session_id: str) -> None:
        cursor, keys = 0, LateKeys(self._rng)
        while not self._is_over and cursor < STEPS:
            if late := keys.due():
                await self._step(session_id, None, late, is_repeat=True)
            key = keys.next()
            # A key alone must keep the step from a second effect: it does not say which step it is.
            outcome = await self._step(session_id, None if key else cursor, key)
            match outcome:
                case Served(index):
                    cursor = index + 1
                case Refused(at):
                    cursor = at
                case Gone():
                    return
            is_answered = not isinstance(outcome, Unanswered)
            await self._pause(self._pause_seconds if is_answered else self._pause_after_failure_seconds)

    async def _step(
        self, session_id: str, expected: int | None, key: str | None = None, *, is_repeat: bool = False
    ) -> Outcome:
        query: dict[str, str | int] = {"sessionid": session_id}
        if expected is not None:
            query["expected_step"] = expected
        headers = {"Idempotency-Key": key} if key else {}
        began = time.monotonic()
        try:
            outcome = self._outcome(await self._post("/api/v1/chain/step", params=query, headers=headers))
        except httpx.HTTPError:
            outcome = Unanswered()
        attempt = Attempt(session_id, expected, began, time.monotonic(), outcome, key, is_repeat)
        self.attempts.append(attempt)
        self.acknowledged += isinstance(outcome, Served) and not is_repeat
        return outcome

    async def _see_the_end(self, session_id: str) -> None:
        """Ask for a step that cannot be: the refusal says where the cursor is."""
        deadline = time.monotonic() + RECOVERY_PATIENCE_SECONDS
        while isinstance(await self._step(session_id, NO_STEP), Unanswered):
            if time.monotonic() > deadline:
                raise self._no_recovery()
            await self._pause(self._pause_after_failure_seconds)

    async def _numerics_of_the_service(self) -> str:
        """The identity of its arithmetic, which its OpenAPI document says.

        Raises:
            BadLoad: It does not say it.
        """
        try:
            document = (await self._api.get("/api-docs/openapi.json")).raise_for_status().json()
            numerics = document["info"]["x-numerics"]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise BadLoad(f"the service does not say which arithmetic it has: {error!r}") from error
        if not isinstance(numerics, str):
            raise BadLoad(f"the service does not say which arithmetic it has, but {numerics!r}")
        return numerics

    def _outcome(self, answer: httpx.Response) -> Outcome:
        match answer.status_code:
            case httpx.codes.OK:
                index = answer.json()["session_info"]["current_step"] - 1
                body = None if self._numerics == IDENTITY else answer.content
                return Served(index, digest(answer.content), body)
            case httpx.codes.PRECONDITION_FAILED:
                return Refused(answer.json()["current_step"])
            case httpx.codes.NOT_FOUND if answer.content.startswith(b'{"error":"session not found'):
                return Gone()
        return Unanswered(answer.status_code, is_defect=answer.content.startswith(DEFECT))

    async def _post(self, path: str, **request: Any) -> httpx.Response:
        answer = await self._api.post(path, **request)
        self._latest_answer = f"{answer.status_code}: {answer.text[:SHOWN_CHARACTERS]}"
        return answer

    def _no_recovery(self) -> BadLoad:
        seconds = f"{RECOVERY_PATIENCE_SECONDS:.0f} s"
        return BadLoad(
            f"the service does not come back within {seconds}; its latest answer: {self._latest_answer}"
        )

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self._rng.uniform(0.5, 1.5))


class LateKeys:
    """Some steps of a session have a key, and each key is sent again when the session has forgotten it.

    Args:
        rng: Decides which.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._steps = 0
        self._used: deque[tuple[str, int]] = deque()

    def next(self) -> str | None:
        """The key of the next step, if it has one."""
        self._steps += 1
        if self._rng.random() >= KEYED:
            return None
        key = secrets.token_hex(16)  # of nobody else, whatever the seed
        self._used.append((key, self._steps + LATE_STEPS))
        return key

    def due(self) -> str | None:
        """A key to be sent again now, if there is one."""
        return self._used.popleft()[0] if self._used and self._used[0][1] <= self._steps else None

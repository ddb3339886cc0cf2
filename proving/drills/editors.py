"""Clients that store one version of a configuration after the other, and write down what they were told.

A configuration is to the checker what a session is, and its version the cursor: none that was acknowledged may be lost,
none stored twice, and each must be what was written.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable

import httpx

from proving.chaos.history import Attempt, Outcome, Refused, Served, Unanswered, digest
from proving.chaos.load import DEFECT
from proving.patience import until

CONFIGURATIONS = tuple(f"drill-{number}" for number in range(4))
PAUSE_SECONDS = 0.2
MOST_VERSIONS = 1000
PATH, WRITTEN = "/api/v1/config", "written"


class Editors:
    """One client for each configuration.

    Args:
        api: Reaches the service, as an administrator.
        pause_seconds: Of a client between two versions.

    Attributes:
        attempts: All that they asked for.
    """

    def __init__(self, api: httpx.AsyncClient, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._api = api
        self._pause_seconds = pause_seconds
        self._is_over = False
        self._stored: dict[str, dict[int, bytes]] = {}
        self.attempts: list[Attempt] = []

    async def run(self) -> None:
        """Store versions until `finish`; then read all of them.

        Raises:
            BadLoad: They cannot be read.
        """
        async with asyncio.TaskGroup() as clients:
            for name in CONFIGURATIONS:
                clients.create_task(self._edit(name))
        for name in CONFIGURATIONS:
            await until(lambda name=name: self._see_the_end(name), f"{name} can be read")  # type: ignore[misc]

    def finish(self) -> None:
        """Begin no further version."""
        self._is_over = True

    async def served_again(self) -> None:
        """Wait until a version is stored that was begun from now on.

        Raises:
            BadLoad: None is.
        """
        since = time.monotonic()

        async def is_stored() -> bool:
            return any(a.began >= since and isinstance(a.outcome, Served) for a in self.attempts)

        await until(is_stored, "a version is stored")

    def is_replay(self, name: str, served: Served) -> bool:
        """Whether what is stored as a version is what was written."""
        return self._stored[name].get(served.index) == served.digest

    async def _edit(self, name: str) -> None:
        version = 0
        while not self._is_over:
            match await self._noted(name, version, self._save(name, version)):
                case Served(index):
                    version = index + 1
                case Refused(cursor):
                    version = cursor
            await asyncio.sleep(self._pause_seconds)

    async def _save(self, name: str, version: int) -> Outcome:
        written = secrets.token_hex(16)
        try:
            answer = await self._api.put(
                f"{PATH}/{name}", json={WRITTEN: written}, headers={"If-Match": str(version)}
            )
            if answer.status_code == httpx.codes.CONFLICT:
                return await self._read(name)
            if answer.is_success:
                return Served(answer.json()["version"] - 1, digest(written.encode()))
        except httpx.HTTPError:
            return Unanswered()
        return Unanswered(answer.status_code, is_defect=answer.content.startswith(DEFECT))

    async def _read(self, name: str) -> Outcome:
        """Where the cursor of a configuration is; its versions are kept, to compare with."""
        try:
            answer = await self._api.get(f"{PATH}/{name}/history", params={"limit": MOST_VERSIONS})
            versions = answer.raise_for_status().json()["data"]
        except httpx.HTTPError:
            return Unanswered()
        self._stored[name] = {
            version["version"] - 1: digest(version["values"][WRITTEN].encode()) for version in versions
        }
        return Refused(len(versions))

    async def _see_the_end(self, name: str) -> bool:
        return isinstance(await self._noted(name, None, self._read(name)), Refused)

    async def _noted(self, name: str, expected: int | None, asked: Awaitable[Outcome]) -> Outcome:
        began = time.monotonic()
        outcome = await asked
        self.attempts.append(Attempt(name, expected, began, time.monotonic(), outcome))
        return outcome

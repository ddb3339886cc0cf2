"""Where a drill takes place: an instance of its own, clients of two owners, and a folder for backups."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from adapters.copies import Wanted
from adapters.encryption import new_key
from cluster.backup.jobs import create_all, keyring_of, restore_from
from cluster.backup.place import Place
from cluster.backup.reached import Reached
from cluster.backup.restoring import Restored, Restoring
from cluster.instance.instance import Instance
from cluster.instance.progress import Progress
from cluster.instance.state import InstanceState
from cluster.instance.temporary import private_settings
from cluster.settings import Settings
from optionchain.errors import OptionChainError
from proving.chaos.checker import Verdict, check
from proving.chaos.load import REQUEST_PATIENCE_SECONDS, Load
from proving.drills.editors import Editors

ADMIN, VICTIM = "admin", "victim"
CLIENTS = 10
# Clients of a real service are elsewhere: here they leave the machine to what has to be started.
PAUSE_SECONDS, PAUSE_AFTER_FAILURE_SECONDS = 0.2, 0.5
STEPS_BEFORE = 50


@dataclass
class Scene:
    """An instance that is going to lose something.

    Attributes:
        settings: Of the instance.
        keys: API key of each owner.
        backups: Folder for them, outside its data folder.
        tell: Told of each step.
        verdicts: What clients saw, once they have ended.
        waits: Of those who asked all the time: the longest that one of them was not served.
        losses: Of stores, by name: seconds of writes that a copy did not have.
    """

    settings: Settings
    keys: dict[str, str]
    backups: Path
    tell: Callable[[str], None]
    verdicts: list[Verdict] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    losses: dict[str, float] = field(default_factory=dict)

    @classmethod
    def in_folder(cls, folder: Path, tell: Callable[[str], None]) -> Scene:
        """A scene whose data folder is in this one; nothing runs yet."""
        keys = {owner: secrets.token_urlsafe(24) for owner in (ADMIN, VICTIM)}
        given = f"{ADMIN}:admin={keys[ADMIN]},{VICTIM}={keys[VICTIM]}"
        settings = private_settings(folder / "data").with_changes(
            {"auth": {"keys": given}, "encryption": {"key": new_key()}}
        )
        return cls(settings, keys, folder / "backups", tell)

    @property
    def instance(self) -> Instance:
        """The instance."""
        return Instance(self.settings)

    @property
    def base_url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.settings.http.port}"

    @property
    def state(self) -> InstanceState:
        """Of the instance, which runs."""
        state = self.instance.state()
        if state is None:
            raise RuntimeError("the instance of the drill does not run")
        return state

    def start(self) -> None:
        """Start the instance. In the main thread, which Ctrl-C interrupts: nobody steps meanwhile."""
        self.instance.up(Progress())

    def stop(self) -> None:
        """End it."""
        self.instance.down(Progress())

    @asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        """The instance, for as long as the block lasts; the event loop goes on meanwhile."""
        await asyncio.to_thread(self.start)
        try:
            yield
        finally:
            await asyncio.to_thread(self.stop)

    @asynccontextmanager
    async def api(self, owner: str) -> AsyncIterator[httpx.AsyncClient]:
        """The service for an owner, with a connection for each client."""
        async with httpx.AsyncClient(
            base_url=self.base_url,
            headers={"X-API-Key": self.keys[owner]},
            timeout=REQUEST_PATIENCE_SECONDS,
            trust_env=False,
        ) as api:
            yield api

    @asynccontextmanager
    async def crowd(self) -> AsyncIterator[Load]:
        """Clients who step for as long as the block lasts; what they saw is judged."""
        async with self.api(ADMIN) as api:
            load = Load(
                api,
                CLIENTS,
                random.Random(1),
                pause_seconds=PAUSE_SECONDS,
                pause_after_failure_seconds=PAUSE_AFTER_FAILURE_SECONDS,
            )
            async with self._asking(load):
                await _until_stepped(load)
                yield load

    @asynccontextmanager
    async def editors(self) -> AsyncIterator[Editors]:
        """Clients who store configurations for as long as the block lasts; what they saw is judged."""
        async with self.api(ADMIN) as api:
            editors = Editors(api)
            async with self._asking(editors):
                yield editors

    @asynccontextmanager
    async def bystanders(self) -> AsyncIterator[Load]:
        """Clients of the other owner who have stepped and step no more, until `Load.step_each`; judged at the end."""
        async with self.api(VICTIM) as api:
            load = Load(api, CLIENTS, random.Random(2), pause_seconds=PAUSE_SECONDS)
            stepping = asyncio.create_task(load.run())
            await _until_stepped(load)
            load.finish()
            await stepping
            yield load
        await self.judge(load)

    async def save(self) -> str:
        """Make a backup; returns its id."""
        self.tell("optionchain backup create")
        url = str(self.backups)
        made = (await create_all(Reached.by(self.settings), (url,), keyring_of(self.settings)))[url]
        if isinstance(made, OptionChainError):
            raise made
        return made.id

    async def restore(self, backup: str, wanted: Wanted) -> Restored:
        """Bring back what is wanted of a backup."""
        self.tell("optionchain backup restore")
        how = Restoring(wanted=wanted, adds=True, keyring=keyring_of(self.settings))
        return await restore_from(Reached.by(self.settings), self.place, backup, how)

    async def delete(self, load: Load) -> None:
        """Delete every session of some clients, as their owner could by mistake."""
        async with self.api(VICTIM) as api:
            for session_id in load.session_ids:
                answer = await api.request("DELETE", "/api/v1/chain", params={"sessionid": session_id})
                answer.raise_for_status()

    @property
    def place(self) -> Place:
        """Where the backups are."""
        return Place(str(self.backups), "from")

    async def judge(self, clients: Load | Editors) -> Verdict:
        """Examine what some clients saw."""
        verdict = await asyncio.to_thread(check, clients.attempts, clients.is_replay)
        self.verdicts.append(verdict)
        return verdict

    @asynccontextmanager
    async def _asking(self, clients: Load | Editors) -> AsyncIterator[None]:
        running = asyncio.create_task(clients.run())
        try:
            await clients.served_again()
            yield
        finally:
            clients.finish()
            await running
        self.waits.append((await self.judge(clients)).longest_wait_seconds)


async def _until_stepped(load: Load) -> None:
    while load.acknowledged < STEPS_BEFORE:
        await load.served_again()

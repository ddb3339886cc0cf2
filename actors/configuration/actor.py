"""The Ray actor that serves configurations to every replica: it hears of changes, whoever makes them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from actors.background import Background
from actors.gate import Gate
from actors.read_through import ReadThrough
from actors.settings import ConfigSettings
from actors.shared import SharedActor
from optionchain.configuration.simulator import SIMULATOR, SimulatorConfiguration
from optionchain.configuration.versions import Configuration, ConfigurationSummary, configuration_name
from optionchain.errors import OptionChainError
from optionchain.observing import Observer, Unobserved, attempted
from optionchain.patience import SILENT_SOURCE_SECONDS
from optionchain.ports import Breaker, Cached, CacheService, ConfigRepository
from optionchain.wire.instants import instant_to_wire


@dataclass(frozen=True, slots=True)
class ConfigSources:
    """What the actor opens: the store, the cache in front of it, and the breaker between them."""

    repository: ConfigRepository
    cache: CacheService
    breaker: Breaker


class ConfigActor(SharedActor):
    """Serves configurations. Undecorated: `cluster` makes it a Ray actor, tests call it as it is.

    The constructor touches no network: a store that is down must not stop the actor for good.

    Args:
        open_sources: Opens store and cache; clients do not travel between processes.
        settings: Bounds and rhythms.
        open_observer: Opens the observer of this process.
        clock: The instant that is recorded with a version.
    """

    def __init__(
        self,
        open_sources: Callable[[], ConfigSources],
        settings: ConfigSettings,
        open_observer: Callable[[], Observer] = Unobserved,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__("configuration", open_observer())
        sources = open_sources()
        self._settings = settings
        self._repository = sources.repository
        self._breaker = sources.breaker
        self._reads = ReadThrough(sources.cache, sources.breaker, stale_seconds=settings.stale_seconds)
        self._gate = Gate("configuration", max_running=settings.max_running, max_waiting=settings.max_waiting)
        self._clock = clock
        self._listener = Background(self._hear_again_and_again)
        self._hears_changes = False
        self._known: set[str] = set()

    async def get(self, name: str, version: int | None = None) -> Cached:
        """A version of a configuration as JSON; None is the latest.

        Raises:
            NotFound: There is none.
        """
        self._listener.begin()
        configuration_name(name)
        if version is not None:
            async with self._gate.entered():
                found = await self._breaker.call(lambda: self._repository.get_config(name, version))
            return Cached(configuration_json(found))

        async def load() -> bytes:
            return configuration_json(await self._repository.get_config(name))

        self._known.add(name)
        try:
            return await self._read(_key(name), load)
        except OptionChainError:
            self._known.discard(name)  # what callers make up has no end
            raise

    async def save(self, name: str, values: Mapping[str, Any], expected_version: int, saved_by: str) -> bytes:
        """Store the version after `expected_version` and return it as JSON.

        Raises:
            Conflict: The latest version is another one.
            InvalidInput: The name or the values are not allowed.
        """
        self._listener.begin()
        if name == SIMULATOR:
            SimulatorConfiguration.from_values(values)

        async def store() -> Configuration:
            return await self._repository.save_config(
                name, values, expected_version=expected_version, saved_by=saved_by, saved_at=self._clock()
            )

        async with self._gate.entered():
            saved = await self._reads.change(store, _key(configuration_name(name)))
        return configuration_json(saved)

    async def names(self) -> bytes:
        """The latest version of each configuration as JSON, without its values."""
        async with self._gate.entered():
            found = await self._breaker.call(self._repository.list_configurations)
        return orjson.dumps({"data": [_object(summary) for summary in found]})

    async def history(self, name: str, limit: int = 100) -> bytes:
        """The versions of a configuration as JSON, the latest first.

        Raises:
            NotFound: There is none.
        """
        async with self._gate.entered():
            found = await self._breaker.call(lambda: self._repository.get_config_history(name, limit=limit))
        versions = [_object(one) | {"values": one.values} for one in found]
        return orjson.dumps({"data": versions})

    async def status(self) -> str:
        """Answers when the actor runs."""
        self._listener.begin()
        return "up"

    async def close(self) -> None:
        """End what runs beside the calls; store and cache belong to who opened them."""
        await self._listener.end()

    async def _read(self, key: str, load: Callable[[], Awaitable[bytes]]) -> Cached:
        settings = self._settings
        fresh = settings.fresh_seconds if self._hears_changes else settings.unheard_seconds
        async with self._gate.entered():
            return await self._reads.get(key, load, fresh)

    async def _hear_again_and_again(self) -> None:
        while True:
            await attempted(self._observer, "configuration.listen", self._hear)
            await asyncio.sleep(SILENT_SOURCE_SECONDS)

    async def _hear(self) -> None:
        try:
            async with contextlib.aclosing(self._repository.changes()) as changes:
                async for name in changes:
                    # What changed while nobody listened is not known.
                    await self._outdate([name] if name else list(self._known))
                    self._hears_changes = True
        finally:
            if self._hears_changes:
                self._hears_changes = False
                await self._outdate(list(self._known))

    async def _outdate(self, names: Iterable[str]) -> None:
        for name in names:
            await self._reads.outdate(_key(name))


def configuration_json(configuration: Configuration) -> bytes:
    """``{name, version, saved_by, saved_at, values}``."""
    return orjson.dumps(_object(configuration) | {"values": configuration.values})


def _object(one: Configuration | ConfigurationSummary) -> dict[str, Any]:
    return {
        "name": one.name,
        "version": one.version,
        "saved_by": one.saved_by,
        "saved_at": instant_to_wire(one.saved_at),
    }


def _key(name: str) -> str:
    return f"config:{name}"

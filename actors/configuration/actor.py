"""The Ray actor that serves configurations to every replica: it hears of changes, whoever makes them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from actors.background import Background
from actors.configuration.secrecy import MARKED, Secrecy
from actors.gate import Gate
from actors.read_through import Load, ReadThrough
from actors.settings import ConfigSettings
from actors.shared import SharedActor
from optionchain.configuration.parameters import ConfiguredParameter, configured_parameter
from optionchain.configuration.simulator import SIMULATOR, SimulatorConfiguration, built_in_values
from optionchain.configuration.versions import Configuration, ConfigurationSummary, configuration_name
from optionchain.errors import NotFound, OptionChainError
from optionchain.observing import Observer, Unobserved, attempted
from optionchain.patience import SILENT_SOURCE_SECONDS
from optionchain.ports import Breaker, Cached, CacheEntry, CacheService, ConfigRepository, Sealing
from optionchain.wire.instants import instant_to_wire


@dataclass(frozen=True, slots=True)
class ConfigSources:
    """What the actor opens: the store, the cache in front of it, the breaker between them, and the keys of secrets."""

    repository: ConfigRepository
    cache: CacheService
    breaker: Breaker
    sealing: Sealing


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
        self._secrecy = Secrecy(sources.sealing)
        self._reads = ReadThrough(sources.cache, sources.breaker, stale_seconds=settings.stale_seconds)
        self._gate = Gate("configuration", max_running=settings.max_running, max_waiting=settings.max_waiting)
        self._clock = clock
        self._listener = Background(self._hear_again_and_again)
        self._hears_changes = self._has_heard = False
        self._known: set[str] = set()

    async def get(self, name: str, version: int | None = None, with_secrets: bool = False) -> Cached:
        """A version of a configuration as JSON; None is the latest. Version 0 of `simulator` is what is built in.

        Without `with_secrets`, the values of one that is secret are null.

        Raises:
            NotFound: There is none.
        """
        found = await self._stored(name, version)
        return Cached(self._secrecy.shown(found.value, with_secrets=with_secrets), found.is_stale)

    async def _stored(self, name: str, version: int | None) -> Cached:
        self._listener.begin()
        configuration_name(name)
        if name == SIMULATOR and version == 0:
            return Cached(BUILT_IN)
        if version is not None:
            async with self._gate.entered():
                found = await self._breaker.call(lambda: self._repository.get_config(name, version))
            return Cached(configuration_json(found))

        async def load() -> CacheEntry:
            try:
                return _entry(await self._repository.get_config(name))
            except NotFound:
                if name != SIMULATOR:
                    raise
                return CacheEntry(BUILT_IN, 0)

        self._known.add(name)
        try:
            return await self._read(_key(name), load)
        except OptionChainError:
            self._known.discard(name)  # what callers make up has no end
            raise

    async def parameter(self, name: str, key: str, with_secrets: bool = False) -> Cached:
        """One parameter of the latest version as JSON, with where its value comes from.

        Raises:
            NotFound: There is none that is shown.
        """
        latest = await self.get(name, None, with_secrets)
        stored = orjson.loads(latest.value)
        found = configured_parameter(name, key, stored["values"] or {}, stored["version"])
        return Cached(parameter_json(found), latest.is_stale)

    async def save(
        self,
        name: str,
        values: Mapping[str, Any],
        expected_version: int,
        saved_by: str,
        is_secret: bool = False,
    ) -> bytes:
        """Store the version after `expected_version` and return it as JSON.

        Raises:
            Conflict: The latest version is another one.
            InvalidInput: The name or the values are not allowed, or there is no key for a secret.
        """
        self._listener.begin()
        if name == SIMULATOR:
            SimulatorConfiguration.from_values(values)
        new = Configuration(
            name=name, version=expected_version + 1, values=values, saved_by=saved_by, saved_at=self._clock()
        )
        if is_secret:
            new = self._secrecy.sealed(new)

        async def store() -> CacheEntry:
            saved = await self._repository.save_config(
                name,
                new.values,
                expected_version=expected_version,
                saved_by=saved_by,
                saved_at=new.saved_at,
                is_secret=is_secret,
            )
            return _entry(saved)

        async with self._gate.entered():
            stored = await self._reads.write(_key(name), store, self._fresh_seconds)
        return self._secrecy.shown(stored, with_secrets=True)

    async def names(self) -> bytes:
        """The latest version of each configuration as JSON, without its values."""
        async with self._gate.entered():
            found = await self._breaker.call(self._repository.list_configurations)
        return orjson.dumps({"data": [_object(summary) for summary in found]})

    async def history(self, name: str, limit: int = 100, with_secrets: bool = False) -> bytes:
        """The versions of a configuration as JSON, the latest first.

        Raises:
            NotFound: There is none.
        """
        async with self._gate.entered():
            found = await self._breaker.call(lambda: self._repository.get_config_history(name, limit=limit))
        versions = [_object(one) | {"values": one.values} for one in found]
        shown = [self._secrecy.shown_version(one, with_secrets=with_secrets) for one in versions]
        return orjson.dumps({"data": shown})

    async def status(self) -> str:
        """Answers when the actor runs."""
        self._listener.begin()
        return "up"

    async def close(self) -> None:
        """End what runs beside the calls; store and cache belong to who opened them."""
        await self._listener.end()

    async def _read(self, key: str, load: Load) -> Cached:
        async with self._gate.entered():
            return await self._reads.get(key, load, self._fresh_seconds)

    @property
    def _fresh_seconds(self) -> float:
        return self._settings.fresh_seconds if self._hears_changes else self._settings.unheard_seconds

    async def _hear_again_and_again(self) -> None:
        # A server without change streams is told of once, and asked again: it may become a replica set.
        told: Observer = self._observer
        while True:
            self._has_heard = False
            await attempted(told, "configuration.listen", self._hear)
            told = self._observer if self._has_heard else Unobserved()
            await asyncio.sleep(SILENT_SOURCE_SECONDS)

    async def _hear(self) -> None:
        try:
            async with contextlib.aclosing(self._repository.changes()) as changes:
                async for change in changes:
                    if change is None:
                        # What changed while nobody listened is not known.
                        await self._outdate_known()
                    else:
                        name, version = change
                        await self._reads.outdate(_key(name), version=version)
                    self._hears_changes = self._has_heard = True
        finally:
            if self._hears_changes:
                self._hears_changes = False
                await self._outdate_known()

    async def _outdate_known(self) -> None:
        for name in list(self._known):
            await self._reads.outdate(_key(name))


def configuration_json(configuration: Configuration) -> bytes:
    """``{name, version, saved_by, saved_at, values}``, and ``secret`` where it is."""
    return orjson.dumps(_object(configuration) | {"values": configuration.values})


def _entry(configuration: Configuration) -> CacheEntry:
    return CacheEntry(configuration_json(configuration), configuration.version)


def parameter_json(parameter: ConfiguredParameter) -> bytes:
    """``{configuration, key, value, source, version, overridden_by}``."""
    derived = {"source": parameter.source, "overridden_by": parameter.overridden_by}
    return orjson.dumps(asdict(parameter) | derived)


BUILT_IN = orjson.dumps(
    {"name": SIMULATOR, "version": 0, "saved_by": None, "saved_at": None, "values": built_in_values()}
)
"""The configuration of new sessions where nobody has written one."""


def _object(one: Configuration | ConfigurationSummary) -> dict[str, Any]:
    return {
        "name": one.name,
        "version": one.version,
        "saved_by": one.saved_by,
        "saved_at": instant_to_wire(one.saved_at),
        **({MARKED: True} if isinstance(one, Configuration) and one.is_secret else {}),
    }


def _key(name: str) -> str:
    return f"config:{name}"

"""The actor's end of a call that carries a context: not begun when nobody waits for it any more, and told of."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from actors.loop_watch import LoopWatch
from optionchain.context import Context
from optionchain.errors import Unavailable
from optionchain.observing import Observer, observed


def check_in_time(context: Context, what: str) -> None:
    """Refuse what nobody waits for: the caller has gone on, and may have asked again elsewhere.

    Raises:
        Unavailable: The caller gave up before now.
    """
    if time.time() > context.expires_at:
        raise Unavailable(what)


class SharedActor(ABC):
    """What every actor that `NamedActor` calls can do; its own methods stay plain.

    Args:
        name: What its operations begin with: ``history``.
        observer: Told of each call.
    """

    def __init__(self, name: str, observer: Observer) -> None:
        self._name = name
        self._observer = observer

    async def call(self, context: Context, method: str, arguments: Sequence[Any]) -> Any:
        """Have a method do what it does, on somebody's behalf.

        Raises:
            OptionChainError: What the method raises; `Unavailable` where the caller gave up before it was begun.
        """
        check_in_time(context, f"the {self._name}")
        with observed(self._observer, f"{self._name}.{method}", context):
            return await getattr(self, method)(*arguments)

    @abstractmethod
    async def status(self) -> str:
        """Answers when the actor runs, and begins what runs beside its calls."""


class SharedActors:
    """What Ray runs: the shared actors of one process. Undecorated, as they are.

    On a cluster each has a process of its own; on one machine one process serves for all, and costs 100 MB less each.

    Args:
        makers: Makes each, by what its callers call it.
        open_watch: Opens the watch on the loop that they share.
    """

    def __init__(
        self, makers: Mapping[str, Callable[[], SharedActor]], open_watch: Callable[[], LoopWatch]
    ) -> None:
        self._loop_watch = open_watch()
        self._actors = {name: make() for name, make in makers.items()}
        # Ray makes them anew when their process has died, and then nobody need call them for a long time. It calls
        # constructors in the loop; others, who call this one without, ask for the status.
        with suppress(RuntimeError):
            self._beginning = asyncio.get_running_loop().create_task(self.status())

    async def call(self, context: Context, method: str, arguments: Sequence[Any]) -> Any:
        """As `SharedActor.call`, of the actor that the method names: ``history.assets``."""
        self._loop_watch.begin()
        name, _, method = method.partition(".")
        return await self._actors[name].call(context, method, arguments)

    async def status(self) -> str:
        """Answers when all of them run."""
        for actor in self._actors.values():
            await actor.status()
        return "up"

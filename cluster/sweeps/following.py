"""The progress of sweeps for those who follow them: one watcher a replica asks for all of them at once."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from actors.places import Places
from cluster.sweeps.service import OVER
from optionchain.errors import NotFound

SECONDS_BETWEEN_LOOKS = 0.5

Shown: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, str]
"""The owner of a sweep, and its id."""


class Following:
    """The status of a sweep whenever it has changed, until it is over; None whenever it has not.

    Args:
        told: That.
        leave: Gives back the place that it takes. It is called once: when this is closed, or when it is garbage.
    """

    def __init__(self, told: AsyncIterator[Shown | None], leave: Callable[[], None]) -> None:
        self._told = told
        self._leave = weakref.finalize(self, leave)

    def __aiter__(self) -> AsyncIterator[Shown | None]:
        return self._told

    async def aclose(self) -> None:
        """Be told no more, and give the place back."""
        self._leave()


@dataclass(slots=True, eq=False)
class _Watched:
    """A sweep that somebody follows.

    Attributes:
        followers: How many.
        seen: What was found by the look of this number.
        looks: How often was looked, or tried.
        problem: Why the last look found nothing.
        changed: Is set at the next look, and then another one is waited for.
    """

    followers: int = 0
    seen: Shown | None = None
    looks: int = 0
    problem: Exception | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def told(self, seen: Shown | None, problem: Exception | None) -> None:
        self.seen, self.problem, self.looks = seen, problem, self.looks + 1
        self.changed.set()
        self.changed = asyncio.Event()


class Watcher:
    """Looks at the sweeps that are followed, all by one call, for as long as there are any.

    Args:
        look: Tells how far the sweeps of some owners and ids are; None of one that is not there.
        most_followers: At a time, of all sweeps.
        seconds_between_looks: That.
    """

    def __init__(
        self,
        look: Callable[[Sequence[Key]], Awaitable[Sequence[Shown | None]]],
        *,
        most_followers: int,
        seconds_between_looks: float = SECONDS_BETWEEN_LOOKS,
    ) -> None:
        self._look = look
        self._places = Places("the progress of sweeps", most_followers)
        self._seconds_between_looks = seconds_between_looks
        self._watched: dict[Key, _Watched] = {}
        self._looking: asyncio.Task[None] | None = None

    async def follow(self, key: Key, status: Callable[[], Awaitable[Shown]]) -> Following:
        """Be told of a sweep until it is over; whoever follows must leave.

        Args:
            key: Of the sweep.
            status: Tells how far it is now, or that there is none.

        Raises:
            NotFound: The caller has none of this id.
            Overloaded: Too many are being told, or too many of this owner.
        """
        self._places.take(key[0])
        watched = self._watched.setdefault(key, _Watched())
        watched.followers += 1
        try:
            shown = await status()
        except BaseException:
            self._leave(key)
            raise
        return Following(self._told(key, watched, shown), lambda: self._leave(key))

    async def _told(self, key: Key, watched: _Watched, shown: Shown) -> AsyncIterator[Shown | None]:
        yield shown
        while shown["state"] not in OVER:
            changed = watched.changed
            self._look_on()
            await changed.wait()
            if watched.problem is not None:
                raise watched.problem
            if watched.seen is None:
                raise NotFound("sweep", key[1])
            before, shown = shown, watched.seen
            yield shown if shown != before else None

    def _leave(self, key: Key) -> None:
        self._places.give_back(key[0])
        self._watched[key].followers -= 1
        if not self._watched[key].followers:
            del self._watched[key]

    def _look_on(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._looks())

    async def _looks(self) -> None:
        while self._watched:
            await asyncio.sleep(self._seconds_between_looks)
            watched = dict(self._watched)
            found: Sequence[Shown | None] = [None] * len(watched)
            problem: Exception | None = None
            try:
                found = await self._look(list(watched))
            except Exception as error:
                problem = error
            for each, seen in zip(watched.values(), found, strict=True):
                each.told(seen, problem)

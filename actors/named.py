"""The way to a named Ray actor: the only place that finds or makes one, calls it, and reads Ray's errors."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

import ray
from cachetools import LRUCache
from ray import exceptions
from ray.actor import ActorHandle
from ray.util import list_named_actors

from actors.delivery import ActorLost, delivered
from optionchain.context import Context
from optionchain.errors import Defect, OptionChainError, Overloaded
from optionchain.observing import Observer, Unobserved

# What the process of an actor takes of its own. Ray places actors that ask for nothing at random: asking for
# memory is what spreads them over the nodes.
ACTOR_MEMORY_BYTES = 64 << 20
MAX_CONCURRENT_CALLS = 1000
# Handles that a process keeps: `per-session` placement may have many actors.
MAX_HANDLES = 4096

# What an error of Ray's means to a caller, by its nearest class. The calls may be sent again where the actor, its
# answer or the way to it was lost; a full queue is the caller's to know; and some are bugs of ours.
MEANING: dict[type[Exception], type[OptionChainError]] = {
    exceptions.RayError: ActorLost,
    exceptions.PendingCallsLimitExceeded: Overloaded,
    exceptions.RayCgraphCapacityExceeded: Overloaded,
    exceptions.RayTaskError: Defect,
    exceptions.CrossLanguageError: Defect,
    exceptions.UserCodeException: Defect,
    exceptions.UnserializableException: Defect,
    exceptions.OufOfBandObjectRefSerializationException: Defect,
    exceptions.ObjectRefStreamEndOfStreamError: Defect,
    exceptions.StreamingGeneratorReplayInconsistentError: Defect,
    exceptions.ReferenceCountingAssertionError: Defect,
    exceptions.AuthenticationError: Defect,
}


def as_ours(error: exceptions.RayError, what: str) -> OptionChainError:
    """What an error of Ray's means.

    Args:
        error: What a call to an actor raised.
        what: What to call the actor.

    Returns:
        What the actor raised, if that is of our tree; else `ActorLost`, `Overloaded` or `Defect`.
    """
    if isinstance(error, exceptions.RayTaskError) and isinstance(error.cause, OptionChainError):
        return error.cause
    kind = next(MEANING[each] for each in type(error).__mro__ if each in MEANING)
    return Defect() if kind is Defect else kind(what)


def find_or_make(
    kind: type,
    name: str,
    *arguments: Any,
    namespace: str,
    max_concurrency: int = MAX_CONCURRENT_CALLS,
    task_retries: int = 0,
    cpus: float = 0.0,
) -> ActorHandle[Any]:
    """The actor of a name, made where there is none; it outlives us, and Ray starts it again when it dies.

    Args:
        kind: Its class, undecorated.
        name: Its name.
        arguments: Of its constructor.
        namespace: Of Ray, in which the name is one actor's.
        max_concurrency: Calls that it serves at a time.
        task_retries: How often Ray itself sends a lost call again.
        cpus: What its node must have free, for good.
    """
    actor: Any = ray.remote(kind)
    options = actor.options(
        name=name,
        namespace=namespace,
        lifetime="detached",
        get_if_exists=True,
        max_restarts=-1,
        max_task_retries=task_retries,
        num_cpus=cpus,
        memory=ACTOR_MEMORY_BYTES,
        max_concurrency=max_concurrency,
        scheduling_strategy="SPREAD",
        # Ray's control store keeps a kilobyte of each call until there are 100,000: 6 MB a minute at 100 a second.
        enable_task_events=False,
    )
    handle: ActorHandle[Any] = options.remote(*arguments)
    return handle


def existing(namespace: str, prefix: str = "") -> list[ActorHandle[Any]]:
    """The actors of a namespace whose names begin so, by name."""
    named = [entry for entry in list_named_actors(all_namespaces=True) if entry["namespace"] == namespace]
    names = sorted(entry["name"] for entry in named if entry["name"].startswith(prefix))
    actors = []
    for name in names:
        with contextlib.suppress(ValueError):  # it has ended meanwhile
            actors.append(ray.get_actor(name, namespace=namespace))
    return actors


def make_anew(name: str, namespace: str) -> None:
    """End the process of an actor, which Ray then starts again; where there is none, there is nothing to do."""
    with contextlib.suppress(ValueError):
        ray.kill(ray.get_actor(name, namespace=namespace), no_restart=False)


class UnknownMethod(Exception):
    """An actor has no method of this name."""


def _method(handle: ActorHandle[Any], name: str) -> Any:
    try:
        return getattr(handle, name)
    except AttributeError as error:
        raise UnknownMethod(name) from error


class NamedActors:
    """The actors of one kind as this process reaches them, by name.

    Args:
        find: Returns the actor of a name, making it where there is none. Called in a thread.
        what: What to call one of them in messages.
        observer: Told of deliveries that were lost.
        max_handles: How many actors are remembered.
    """

    def __init__(
        self,
        find: Callable[[str], ActorHandle[Any]],
        *,
        what: str,
        observer: Observer | None = None,
        max_handles: int = MAX_HANDLES,
    ) -> None:
        self.what = what
        self._find = find
        self._observer = observer or Unobserved()
        self._handles: LRUCache[str, ActorHandle[Any]] = LRUCache(max_handles)

    async def deliver(self, name: str, method: str, *arguments: Any, seconds: float | None = None) -> Any:
        """Call a method of an actor, once.

        Args:
            name: The actor's.
            method: Its method.
            arguments: Of the method.
            seconds: How long that may take; None leaves it to the caller.

        Raises:
            ActorLost: The actor, its answer or the way to it was lost, or it took too long: the call may or may
                not have been applied. The actor is found anew the next time.
            UnknownMethod: It has no such method. It is found anew the next time: it may be of another release.
            OptionChainError: What the method raised.
        """
        try:
            async with asyncio.timeout(seconds):
                handle = await self._handle(name)
                return await _method(handle, method).remote(*arguments)
        except exceptions.RayError as error:
            ours = as_ours(error, self.what)
            if isinstance(ours, ActorLost):
                self._lose(name)
            raise ours from (None if ours is getattr(error, "cause", None) else error)
        except UnknownMethod:
            self._handles.pop(name, None)
            raise
        except TimeoutError as error:
            self._lose(name)
            raise ActorLost(self.what) from error

    async def _handle(self, name: str) -> ActorHandle[Any]:
        handle = self._handles.get(name)
        if handle is None:
            handle = self._handles[name] = await asyncio.to_thread(self._find, name)
        return handle

    def _lose(self, name: str) -> None:
        self._handles.pop(name, None)
        self._observer.counted("delivery.lost", to=self.what)


class NamedActor:
    """One shared actor as its callers see it: see `SharedActor` for the other end.

    Args:
        actors: The way to it.
        name: Its name.
        timeout_seconds: The patience of a caller who has no other, repetitions included.
        service: Of `SharedActors`, whose methods are called; None where the actor is but one.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        actors: NamedActors,
        name: str,
        *,
        timeout_seconds: float,
        service: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._actors = actors
        self._name = name
        self._prefix = f"{service}." if service else ""
        self._timeout_seconds = timeout_seconds
        self._clock = clock

    async def call(self, context: Context, method: str, *arguments: Any, is_repeatable: bool = True) -> Any:
        """Call a method of the actor and return its result.

        Args:
            context: On whose behalf; its end and the actor's time-out bound the patience.
            method: Its name.
            arguments: Of the method.
            is_repeatable: Whether applying it twice is as good as once; then it is sent again when it was lost.

        Raises:
            OptionChainError: What the method raised; `Unavailable` when no answer came in time.
        """
        now = self._clock()
        context = context.until(now + self._timeout_seconds)
        return await delivered(
            lambda: self._actors.deliver(self._name, "call", context, self._prefix + method, arguments),
            what=self._actors.what,
            seconds=context.seconds_left(now),
            is_repeatable=is_repeatable,
        )

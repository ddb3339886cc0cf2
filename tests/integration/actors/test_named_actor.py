"""One way to every named actor: what Ray says is understood, what is lost is found anew, and nobody waits too long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from ray import exceptions

from actors.delivery import ActorLost
from actors.loop_watch import LoopWatch
from actors.named import NamedActor, NamedActors, UnknownMethod, as_ours
from actors.shared import SharedActor, SharedActors
from optionchain.errors import Defect, NotFound, OptionChainError, Overloaded, Unavailable
from tests.callers import on_behalf_of
from tests.recording import Recording
from tests.waiting import turns

pytestmark = pytest.mark.anyio

# What each of Ray's errors means to a caller, written down one by one: a new one of Ray's has to be decided.
LOST = """
    RayActorError ActorDiedError ActorUnavailableError ActorUnschedulableError TaskUnschedulableError
    ActorPlacementGroupRemoved TaskPlacementGroupRemoved ActorHandleNotFoundError ActorAlreadyExistsError
    AsyncioActorExit WorkerCrashedError NodeDiedError LocalRayletDiedError TaskCancelledError
    ObjectLostError ObjectFetchTimedOutError ObjectFreedError ObjectReconstructionFailedError OwnerDiedError
    ObjectStoreFullError OutOfDiskError OutOfMemoryError PlasmaObjectNotAvailable GetTimeoutError RpcError
    RaySystemError RayChannelError RayChannelTimeoutError RayDirectTransportError RuntimeEnvSetupError
"""
FULL = "PendingCallsLimitExceeded RayCgraphCapacityExceeded"
BUGS = """
    RayTaskError CrossLanguageError UserCodeException UnserializableException
    OufOfBandObjectRefSerializationException ObjectRefStreamEndOfStreamError
    StreamingGeneratorReplayInconsistentError ReferenceCountingAssertionError AuthenticationError
"""
MEANING = (
    dict.fromkeys(LOST.split(), ActorLost)
    | dict.fromkeys(FULL.split(), Overloaded)
    | dict.fromkeys(BUGS.split(), Defect)
)


def kinds(root: type[BaseException]) -> set[type[BaseException]]:
    below = {each for kind in root.__subclasses__() for each in {kind, *kinds(kind)}}
    return {kind for kind in below if kind.__module__ == "ray.exceptions"}


RAY_ERRORS = sorted(kinds(exceptions.RayError), key=lambda kind: kind.__name__)


def test_every_error_of_ray_is_decided() -> None:
    assert {kind.__name__ for kind in RAY_ERRORS} == set(MEANING)


@pytest.mark.parametrize("kind", RAY_ERRORS, ids=lambda kind: kind.__name__)
async def test_every_error_of_ray_is_one_of_ours(kind: type[exceptions.RayError]) -> None:
    # Their constructors differ, and nothing of them is read but what `RayTaskError` brings along.
    error = kind.__new__(kind)
    error.cause = None  # type: ignore[attr-defined]
    expected = MEANING[kind.__name__]
    actors = Actors([error, None])

    with pytest.raises(OptionChainError) as raised:
        await directory(actors).deliver("history", "call")

    assert type(raised.value) is expected
    assert raised.value.__cause__ is error, "a log shows what Ray said"
    if expected is ActorLost:
        assert await NamedActor(directory(Actors([error, None])), "history", timeout_seconds=5.0).call(
            on_behalf_of("anna"), "answer"
        )


class Handle:
    """A Ray actor's handle as far as a caller uses it: `method.remote`."""

    def __init__(self, outcome: object, sent: list[tuple[Any, ...]]) -> None:
        self._outcome = outcome
        self._sent = sent
        self.call = self

    async def remote(self, *arguments: Any) -> object:
        self._sent.append(arguments)
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        if callable(self._outcome):
            return await self._outcome()
        return "answered"


class Actors:
    """Finds one actor after another, each with an outcome; the last one stays."""

    def __init__(self, outcomes: list[Any]) -> None:
        self._outcomes = outcomes
        self.found: list[str] = []
        self.sent: list[tuple[Any, ...]] = []

    def __call__(self, name: str) -> Any:
        self.found.append(name)
        return Handle(self._outcomes[min(len(self.found), len(self._outcomes)) - 1], self.sent)


def directory(find: Callable[[str], Any], **options: Any) -> NamedActors:
    return NamedActors(find, what="the history", **options)


def test_what_the_actor_raises_of_ours_is_raised_as_it_is() -> None:
    refusal = NotFound("chain", "SPX")

    assert as_ours(exceptions.RayTaskError("call", "a traceback", refusal), "the history") is refusal


async def test_a_lost_actor_is_found_anew_and_the_observer_is_told() -> None:
    actors, observer = Actors([exceptions.ActorDiedError(), None]), Recording()
    actor = NamedActor(directory(actors, observer=observer), "history", timeout_seconds=5.0)

    assert await actor.call(on_behalf_of("anna"), "chain", "SPX") == "answered"
    assert actors.found == ["history", "history"]
    assert [arguments[1:] for arguments in actors.sent] == [("chain", ("SPX",))] * 2
    assert observer.labels == [("delivery.lost", {"to": "the history"})]


async def test_a_service_among_others_of_a_process_is_named_with_the_method() -> None:
    actors = Actors([None])
    actor = NamedActor(directory(actors), "shared", service="history", timeout_seconds=5.0)

    await actor.call(on_behalf_of("anna"), "chain", "SPX")

    assert actors.found == ["shared"]
    assert [arguments[1:] for arguments in actors.sent] == [("history.chain", ("SPX",))]


async def test_what_may_not_be_repeated_is_sent_once() -> None:
    actors = Actors([exceptions.ActorDiedError(), None])
    actor = NamedActor(directory(actors), "configuration", timeout_seconds=5.0)

    with pytest.raises(ActorLost):
        await actor.call(on_behalf_of("anna"), "save", is_repeatable=False)

    assert len(actors.sent) == 1


async def test_a_bug_in_the_actor_is_not_repeated_and_the_actor_stays() -> None:
    actors = Actors([exceptions.RayTaskError("call", "a traceback", ValueError("bug"))])
    actor = NamedActor(directory(actors), "history", timeout_seconds=5.0)

    for _ in range(2):
        with pytest.raises(Defect):
            await actor.call(on_behalf_of("anna"), "chain")

    assert actors.found == ["history"]
    assert len(actors.sent) == 2


async def test_the_sooner_of_two_ends_bounds_the_patience_and_travels_along() -> None:
    actors = Actors([asyncio.Event().wait])
    now = 1_000.0
    for timeout, end, bound in ((0.02, now + 9.0, now + 0.02), (9.0, now + 0.02, now + 0.02)):
        actor = NamedActor(directory(actors), "history", timeout_seconds=timeout, clock=lambda: now)
        with pytest.raises(Unavailable, match="the history"):
            await actor.call(on_behalf_of("anna", end), "chain")
        assert actors.sent[-1][0] == on_behalf_of("anna", bound)


async def test_an_actor_that_stays_lost_is_an_outage_when_patience_ends() -> None:
    actors = Actors([exceptions.LocalRayletDiedError("away")])
    actor = NamedActor(directory(actors), "history", timeout_seconds=0.2)

    with pytest.raises(Unavailable):
        await actor.call(on_behalf_of("anna"), "chain")

    assert len(actors.sent) > 1


async def test_an_actor_that_takes_too_long_is_found_anew_and_the_observer_is_told() -> None:
    actors, observer = Actors([asyncio.Event().wait, None]), Recording()
    way = directory(actors, observer=observer)

    with pytest.raises(ActorLost):
        await way.deliver("history", "call", seconds=0.2)
    assert await way.deliver("history", "call", seconds=5.0) == "answered"

    assert actors.found == ["history", "history"]
    assert observer.labels == [("delivery.lost", {"to": "the history"})]


async def test_an_actor_of_another_release_is_told_from_a_lost_one_and_found_anew() -> None:
    actors, observer = Actors([None]), Recording()
    way = directory(actors, observer=observer)

    for _ in range(2):
        with pytest.raises(UnknownMethod, match="call_of_a_later_release"):
            await way.deliver("history", "call_of_a_later_release")

    assert actors.found == ["history", "history"]
    assert observer.labels == []


async def test_handles_are_bounded_and_the_least_used_one_is_found_again() -> None:
    actors = Actors([None])
    way = directory(actors, max_handles=2)

    for name in ("a", "b", "a", "c", "a", "b"):
        await way.deliver(name, "call")

    assert actors.found == ["a", "b", "c", "b"]


class Answering(SharedActor):
    """An actor with one method."""

    def __init__(self, observer: Recording) -> None:
        super().__init__("history", observer)
        self.asked = self.begun = 0

    async def chain(self, asset: str) -> str:
        self.asked += 1
        if asset == "none":
            raise NotFound("chain", asset)
        return f"the chain of {asset}"

    async def status(self) -> str:
        self.begun += 1
        return "up"


async def test_an_actor_does_what_it_is_called_for_and_tells_of_it() -> None:
    observer = Recording()
    actor, context = Answering(observer), on_behalf_of("anna", time.time() + 60.0)

    assert await actor.call(context, "chain", ["SPX"]) == "the chain of SPX"
    with pytest.raises(NotFound):
        await actor.call(context, "chain", ["none"])

    assert [(one.name, one.context) for one in observer.ended] == [("history.chain", context)]
    assert isinstance(observer.failure("history.chain")[1], NotFound)


async def test_an_actor_does_not_begin_what_nobody_waits_for() -> None:
    actor = Answering(Recording())

    with pytest.raises(Unavailable):
        await actor.call(on_behalf_of("anna", time.time() - 0.001), "chain", ["SPX"])

    assert actor.asked == 0


class Watched(LoopWatch):
    """Tells how often it was begun."""

    begun = 0

    def begin(self) -> None:
        self.begun += 1
        super().begin()


async def test_actors_of_one_process_are_called_each_by_its_name() -> None:
    observers = {"one": Recording(), "other": Recording()}
    makers = {name: partial(Answering, observer) for name, observer in observers.items()}
    watch = Watched(observers["one"])
    shared = SharedActors(makers, lambda: watch)
    context = on_behalf_of("anna", time.time() + 60.0)

    assert await shared.call(context, "other.chain", ["SPX"]) == "the chain of SPX"
    assert await shared.status() == "up"

    assert {name: len(observer.ended) for name, observer in observers.items()} == {"one": 0, "other": 1}
    assert watch.begun == 1
    watch.end()


async def test_all_actors_of_a_process_are_begun_with_it_without_a_call() -> None:
    actors = [Answering(Recording()), Answering(Recording())]

    shared = SharedActors(
        {"one": lambda: actors[0], "other": lambda: actors[1]}, lambda: LoopWatch(Recording())
    )
    await turns()

    assert [actor.begun for actor in actors] == [1, 1]
    assert await shared.status() == "up"
    assert [actor.begun for actor in actors] == [2, 2]

"""The observer: told by everything that does something what it does. Metrics, logs and traces are adapters of it.

::

    with observed(observer, "session.batch", context, calls=3) as operation:
        ...
        operation.facts["served"] = 2
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from optionchain.context import HOUSEKEEPING, Context

Fact: TypeAlias = str | int | float | bool | None


@dataclass(slots=True, eq=False)
class Operation:
    """Something that takes time.

    Attributes:
        name: Fixed, dotted, in the words of who does it: ``session.batch``, ``history.load``.
        context: On whose behalf; of the first caller where several are served together.
        facts: What is known of it; more may be added until it ends. Never a secret.
        began: By the performance counter, in seconds.
        seconds: How long it took; 0 until it ends.
        served: Of several that are served together, the others.
    """

    name: str
    context: Context = HOUSEKEEPING
    facts: dict[str, Fact] = field(default_factory=dict)
    began: float = 0.0
    seconds: float = 0.0
    served: Sequence[Context] = ()


class Observer(Protocol):
    """Told what happens. No method fails, waits, or keeps what it was given beyond a bound."""

    def started(self, operation: Operation) -> None:
        """An operation begins."""
        ...

    def finished(self, operation: Operation) -> None:
        """It ended as it should; its facts and its seconds are complete."""
        ...

    def failed(self, operation: Operation, error: BaseException) -> None:
        """It ended with an error, its seconds known. Nobody else may hear of it."""
        ...

    def counted(self, quantity: str, amount: float = 1.0, **labels: str) -> None:
        """So many of something happened, or, for a level such as ``session.resident``, there are so many now.

        Args:
            quantity: Fixed and dotted, as the name of an operation.
            amount: How many; nothing happens at 0 unless it is a level.
            labels: From bounded sets: never an identity.
        """
        ...

    def noted(self, event: str, context: Context = HOUSEKEEPING, **facts: Fact) -> None:
        """Something happened that an operator may want to know: a session was created.

        Args:
            event: Fixed and dotted, as the name of an operation.
            context: On whose behalf.
            facts: What is known of it; identities are welcome. Never a secret.
        """
        ...


class Unobserved:
    """Nobody listens."""

    def started(self, operation: Operation) -> None:
        pass

    def finished(self, operation: Operation) -> None:
        pass

    def failed(self, operation: Operation, error: BaseException) -> None:
        pass

    def counted(self, quantity: str, amount: float = 1.0, **labels: str) -> None:
        pass

    def noted(self, event: str, context: Context = HOUSEKEEPING, **facts: Fact) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Observers:
    """Several observers as one."""

    each: Sequence[Observer]

    def started(self, operation: Operation) -> None:
        for one in self.each:
            one.started(operation)

    def finished(self, operation: Operation) -> None:
        for one in self.each:
            one.finished(operation)

    def failed(self, operation: Operation, error: BaseException) -> None:
        for one in self.each:
            one.failed(operation, error)

    def counted(self, quantity: str, amount: float = 1.0, **labels: str) -> None:
        for one in self.each:
            one.counted(quantity, amount, **labels)

    def noted(self, event: str, context: Context = HOUSEKEEPING, **facts: Fact) -> None:
        for one in self.each:
            one.noted(event, context, **facts)


class _Observed:
    """A block of code as an operation. Not a generator: this costs a third, and every batch is one."""

    __slots__ = ("_observer", "_operation")

    def __init__(self, observer: Observer, operation: Operation) -> None:
        self._observer = observer
        self._operation = operation

    def __enter__(self) -> Operation:
        self._observer.started(self._operation)
        self._operation.began = time.perf_counter()
        return self._operation

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self._operation.seconds = time.perf_counter() - self._operation.began
        if error is None:
            self._observer.finished(self._operation)
        else:
            self._observer.failed(self._operation, error)


def observed(
    observer: Observer, name: str, context: Context = HOUSEKEEPING, **facts: Fact
) -> AbstractContextManager[Operation]:
    """Tell of what a block does: that it began, and how it ended. What it raises goes on.

    Args:
        observer: Who is told.
        name: Of the operation.
        context: On whose behalf.
        facts: What is known of it when it begins.
    """
    return _Observed(observer, Operation(name, context, facts))


async def attempted(observer: Observer, name: str, work: Callable[[], Awaitable[object]]) -> None:
    """Do what runs beside everything else: whatever it raises is told, and ends nothing but itself.

    Args:
        observer: Who is told.
        name: Of the work.
        work: What to do.
    """
    with suppress(Exception), observed(observer, name):
        await work()


def tell_failure(
    observer: Observer, name: str, error: BaseException, context: Context = HOUSEKEEPING, **facts: Fact
) -> None:
    """Tell of an error that goes no further, and of no time that it took.

    Args:
        observer: Who is told.
        name: Of what failed.
        error: Why.
        context: On whose behalf.
        facts: What else is known of it.
    """
    observer.failed(Operation(name, context, facts), error)

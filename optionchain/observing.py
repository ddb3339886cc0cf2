"""The observer: told by everything that does something what it does. Metrics, logs and traces are adapters of it.

::

    with observed(observer, "session.batch", context, calls=3) as operation:
        ...
        operation.facts["served"] = 2
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
    """

    name: str
    context: Context = HOUSEKEEPING
    facts: dict[str, Fact] = field(default_factory=dict)
    began: float = 0.0
    seconds: float = 0.0


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


@contextmanager
def observed(
    observer: Observer, name: str, context: Context = HOUSEKEEPING, **facts: Fact
) -> Iterator[Operation]:
    """Tell of an operation: that it began, and how it ended. What it raises goes on."""
    operation = Operation(name, context, facts, time.perf_counter())
    observer.started(operation)
    try:
        yield operation
    except BaseException as error:
        operation.seconds = time.perf_counter() - operation.began
        observer.failed(operation, error)
        raise
    operation.seconds = time.perf_counter() - operation.began
    observer.finished(operation)

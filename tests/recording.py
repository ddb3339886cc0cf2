"""An observer that keeps what it is told, for tests that ask whether something tells it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from optionchain.context import HOUSEKEEPING, Context
from optionchain.observing import Fact, Operation


class Recording:
    """Keeps everything."""

    def __init__(self) -> None:
        self.begun: list[Operation] = []
        self.ended: list[Operation] = []
        self.failures: list[tuple[Operation, BaseException]] = []
        self.counts: Counter[str] = Counter()
        self.levels: dict[str, float] = {}
        self.labels: list[tuple[str, dict[str, str]]] = []
        self.notes: list[Operation] = []

    def started(self, operation: Operation) -> None:
        self.begun.append(operation)

    def finished(self, operation: Operation) -> None:
        self.ended.append(operation)

    def failed(self, operation: Operation, error: BaseException) -> None:
        self.failures.append((operation, error))

    def counted(self, quantity: str, amount: float = 1.0, **labels: str) -> None:
        self.counts[quantity] += amount  # type: ignore[assignment]
        self.levels[quantity] = amount
        self.labels.append((quantity, labels))

    def noted(self, event: str, context: Context = HOUSEKEEPING, **facts: Fact) -> None:
        self.notes.append(Operation(event, context, facts))

    def names(self) -> set[str]:
        """Of everything that was told."""
        operations = [*self.begun, *self.ended, *self.notes, *(operation for operation, _ in self.failures)]
        return {operation.name for operation in operations} | set(self.counts)

    def failure(self, name: str) -> tuple[Operation, Any]:
        """The one operation of a name that failed, and why."""
        (found,) = [each for each in self.failures if each[0].name == name]
        return found

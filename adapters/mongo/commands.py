"""Every command that MongoDB is sent, as the observer is told of it: PyMongo tells its listeners of each."""

from __future__ import annotations

from typing import Any

from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from optionchain.errors import Unavailable
from optionchain.observing import Observer, Operation

# Of their operations only these are told: what a driver asks for its own sake says nothing of us.
OURS = frozenset(
    {"find", "insert", "update", "delete", "aggregate", "findAndModify", "count", "distinct", "getMore"}
)


class MongoCommands(CommandListener):
    """Tells of the commands of one client: ``mongodb.call`` with `command` and `collection`.

    Args:
        observer: Told.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        # Of commands under way, by their number: as many as there are connections.
        self._operations: dict[int, Operation] = {}

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in OURS:
            collection = _collection(event.command_name, event.command)
            operation = Operation(
                "mongodb.call", facts={"command": event.command_name, "collection": collection}
            )
            self._operations[event.request_id] = operation
            self._observer.started(operation)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        operation = self._ended(event)
        if operation is not None:
            self._observer.finished(operation)

    def failed(self, event: CommandFailedEvent) -> None:
        operation = self._ended(event)
        if operation is not None:
            # What the server says may quote what it was sent.
            self._observer.failed(operation, Unavailable("MongoDB"))

    def _ended(self, event: CommandSucceededEvent | CommandFailedEvent) -> Operation | None:
        operation = self._operations.pop(event.request_id, None)
        if operation is not None:
            operation.seconds = event.duration_micros / 1e6
        return operation


def _collection(command_name: str, command: Any) -> str:
    """Which collection it is about; those of time series have their buckets beside them."""
    named = command.get("collection") if command_name == "getMore" else command.get(command_name)
    return named.removeprefix("system.buckets.") if isinstance(named, str) else ""

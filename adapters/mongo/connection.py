"""How we reach MongoDB: one settings group, one way to open it, one place where its errors become ours, and one that
tells of its commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import AsyncMongoClient, MongoClient, ReadPreference
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from adapters.settings import MongoSettings
from optionchain.errors import Unavailable
from optionchain.observing import Observer, Operation

# Of their operations only these are told: what a driver asks for its own sake says nothing of us.
OURS = frozenset(
    {"find", "insert", "update", "delete", "aggregate", "findAndModify", "count", "distinct", "getMore"}
)


def open_mongo(settings: MongoSettings, observer: Observer | None = None) -> AsyncMongoClient[dict[str, Any]]:
    """Open a client; it connects with its first operation.

    Args:
        settings: Where the server is.
        observer: Told of its commands.

    Raises:
        ValueError: The settings have no URI.
    """
    bounded = settings.max_staleness_seconds and settings.read_preference != "primary"
    staleness: dict[str, Any] = {"maxStalenessSeconds": settings.max_staleness_seconds} if bounded else {}
    return AsyncMongoClient(
        event_listeners=[MongoCommands(observer)] if observer else [],
        **client_options(settings),
        maxPoolSize=settings.max_connections,
        readPreference=settings.read_preference,
        **staleness,
    )


def client_options(settings: MongoSettings) -> dict[str, Any]:
    """What every client of ours asks for, blocking or not.

    Raises:
        ValueError: The settings have no URI.
    """
    if settings.uri is None:
        raise ValueError("OCS_MONGO_URI is not set")
    milliseconds = int(settings.timeout_seconds * 1000)
    return {
        "host": settings.uri.get_secret_value(),
        "serverSelectionTimeoutMS": milliseconds,
        "connectTimeoutMS": milliseconds,
        "timeoutMS": milliseconds,
        "tz_aware": True,
        "appname": "optionchain",
        # Operations that fail find a new primary as fast. The other mode has a second connection to each server, and
        # PyMongo loses its socket when `close` comes while it connects.
        "serverMonitoringMode": "poll",
    }


def agreed(
    client: AsyncMongoClient[dict[str, Any]], database: str, name: str
) -> AsyncCollection[dict[str, Any]]:
    """A collection in which what was acknowledged is seen by the next reader, and does not come back once removed.

    It is read at the primary, never at a secondary, and a majority has what is written, or whoever the URI asks for.
    """
    return client[database].get_collection(
        name,
        read_preference=ReadPreference.PRIMARY,
        read_concern=ReadConcern("majority"),
        write_concern=durable(client),
    )


def durable(client: AsyncMongoClient[dict[str, Any]] | MongoClient[dict[str, Any]]) -> WriteConcern:
    """Who has what is acknowledged: a majority, or the mode of the replica set that the URI names (`w=bothSites`).

    A mode has to ask for a majority of those that vote, too. In their journals: only then is what it acknowledged seen
    by whoever reads what a majority has.
    """
    mode = client.write_concern.document.get("w")
    return WriteConcern(mode, j=True) if isinstance(mode, str) else WriteConcern("majority")


@contextmanager
def mongo_errors(whose: str) -> Iterator[None]:
    """Turn the driver's errors into ours.

    Args:
        whose: Who found the server silent, as its callers know it: ``the history store``.
    """
    try:
        yield
    except PyMongoError as error:
        raise Unavailable(whose) from error


class MongoServer:
    """The server itself, as something that must answer.

    Args:
        client: An open client.
    """

    def __init__(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        self._client = client

    async def ping(self) -> None:
        """Raise `Unavailable` unless it answers."""
        with mongo_errors("MongoDB"):
            await self._client.admin.command("ping")


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

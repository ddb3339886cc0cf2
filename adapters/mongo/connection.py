"""How we reach MongoDB: one settings group, one way to open it, one place where its errors become ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import AsyncMongoClient, MongoClient, ReadPreference
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from adapters.mongo.commands import MongoCommands
from adapters.settings import MongoSettings
from optionchain.errors import Unavailable
from optionchain.observing import Observer


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

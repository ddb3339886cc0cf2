"""Collections of MongoDB as they stand, document by document, to be copied elsewhere and brought back."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

from pymongo import ASCENDING, AsyncMongoClient, ReadPreference
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, OperationFailure

from adapters.copies import (
    Batch,
    Entry,
    Item,
    Judgement,
    Known,
    Wanted,
    content_mark,
    entry_id,
    nothing_known,
)
from adapters.mongo.connection import durable, mongo_errors
from adapters.mongo.revisions import DUPLICATE_KEY

T = TypeVar("T")
READ_TOGETHER = 200
STORE = "the MongoDB that is copied"
# SnapshotTooOld and SnapshotUnavailable.
SNAPSHOT_IS_GONE = (239, 246)
# The embedded server takes snapshots for what they are not.
WITHOUT_SNAPSHOTS = "secantus"


class PointInTime:
    """One point in time for all that is read until it ends; where the server keeps it no longer, each read has its own.

    Args:
        client: An open client.
    """

    def __init__(self, client: AsyncMongoClient[Item]) -> None:
        self._client = client
        self._session: AsyncClientSession | None = None

    @property
    def holds(self) -> bool:
        """Whether everything was read at one point in time, until now."""
        return self._session is not None

    async def begin(self) -> None:
        """Ask for it; a server that is no member of a replica set has none.

        Raises:
            Unavailable: The server does not answer.
        """
        with mongo_errors(STORE):
            name = (await self._client.admin.command("hello")).get("setName")
        if name not in (None, WITHOUT_SNAPSHOTS):
            self._session = self._client.start_session(snapshot=True)

    async def end(self) -> None:
        """Ask for it no more."""
        if self._session is not None:
            await self._session.end_session()
            self._session = None

    async def found(self, ask: Callable[[AsyncClientSession | None], Awaitable[T]]) -> T:
        """What is found at that point; or now, where the server has kept it no longer.

        Raises:
            Unavailable: The server does not answer.
        """
        with mongo_errors(STORE):
            try:
                return await ask(self._session)
            except OperationFailure as error:
                if self._session is None or error.code not in SNAPSHOT_IS_GONE:
                    raise
                await self.end()
                return await ask(None)


def _nobody(_item: Item, _wanted: Wanted) -> bool:
    return False


class MongoDocuments:
    """The documents of one collection: `Copied`.

    Args:
        client: An open client, which others may use too.
        database: Name of the database.
        name: Of the collection.
        point: In which everything is read.
        identity: The fields that identify a document; no two of one collection have the same.
        age: A field that only ever grows; without one, nobody knows which of two documents is newer.
        keeps: Fields that stay as they are stored, where they are, whatever is brought back.
        never_changes: Whether a document stays what it is, so that its id says all of its state.
        is_wanted: Which documents belong to something that is asked for.
    """

    def __init__(
        self,
        client: AsyncMongoClient[Item],
        database: str,
        name: str,
        point: PointInTime,
        *,
        identity: Sequence[str] = ("_id",),
        age: str = "",
        keeps: Sequence[str] = (),
        never_changes: bool = False,
        is_wanted: Callable[[Item, Wanted], bool] = _nobody,
    ) -> None:
        self._documents: AsyncCollection[Item] = client[database].get_collection(
            name, read_preference=ReadPreference.PRIMARY, write_concern=durable(client)
        )
        self._point = point
        self._identity = tuple(identity)
        self._age = age
        self._keeps = tuple(keeps)
        self._never_changes = never_changes
        self._is_wanted = is_wanted
        self._is_prepared = False

    async def read(
        self, after: Item | None = None, known: Known = nothing_known
    ) -> AsyncGenerator[Batch, None]:
        """As `Copied.read`, in order of `_id`."""
        only_ids = self._never_changes and known is not nothing_known
        beyond = {} if after is None else {"_id": {"$gt": after["_id"]}}
        while True:
            found = await self._found(beyond, {"_id": 1} if only_ids else None)
            if not found:
                return
            last = {"_id": found[-1]["_id"]}
            beyond = {"_id": {"$gt": last["_id"]}}
            entries = [self.entry(document) for document in found]
            saved = known(entries)
            new = [document for document, entry in zip(found, entries, strict=True) if entry.id not in saved]
            if new and only_ids:
                new = await self._found({"_id": {"$in": [document["_id"] for document in new]}}, None)
            kept = [entry for entry in entries if entry.id in saved]
            yield Batch(new, last, [*kept, *map(self.entry, new)])

    def entry(self, item: Item) -> Entry:
        """As `Copied.entry`."""
        return Entry(entry_id(item["_id"]), b"" if self._never_changes else content_mark(item))

    async def stored(self, items: Sequence[Item]) -> list[Item | None]:
        """As `Copied.stored`."""
        await self._prepare()
        condition = {"$or": [{field: item[field] for field in self._identity} for item in items]}
        with mongo_errors(STORE):
            found = await self._documents.find(condition).to_list() if items else []
        known = {self._of(document): document for document in found}
        return [known.get(self._of(item)) for item in items]

    def judge(self, item: Item, stored: Item | None) -> Judgement:
        """As `Copied.judge`."""
        if stored is None:
            return "absent"
        if self.essence(item) == self.essence(stored):
            return "same"
        is_older = bool(self._age) and stored[self._age] < item[self._age]
        return "older" if is_older else "newer"

    def essence(self, item: Item) -> Any:
        """As `Copied.essence`."""
        return {field: value for field, value in item.items() if field != "_id" or field in self._identity}

    def is_wanted(self, item: Item, wanted: Wanted) -> bool:
        """As `Copied.is_wanted`."""
        return self._is_wanted(item, wanted)

    async def write(self, changes: Sequence[tuple[Item, Item | None]]) -> list[bool]:
        """As `Copied.write`."""
        await self._prepare()
        new = [item for item, stored in changes if stored is None]
        with mongo_errors(STORE):
            inserted = iter(await self._insert(new))
            return [
                next(inserted) if stored is None else await self._replace(item, stored)
                for item, stored in changes
            ]

    async def is_empty(self) -> bool:
        """As `Copied.is_empty`."""
        with mongo_errors(STORE):
            return await self._documents.find_one({}, {"_id": 1}) is None

    async def _found(self, condition: Item, projection: Item | None) -> list[Item]:
        async def ask(session: AsyncClientSession | None) -> list[Item]:
            cursor = self._documents.find(condition, projection, session=session)
            return await cursor.sort("_id", ASCENDING).limit(READ_TOGETHER).to_list()

        return await self._point.found(ask)

    async def _insert(self, items: Sequence[Item]) -> list[bool]:
        refused: set[int] = set()
        try:
            if items:
                await self._documents.insert_many(items, ordered=False)
        except BulkWriteError as error:
            problems = error.details["writeErrors"]
            if error.details.get("writeConcernErrors") or any(p["code"] != DUPLICATE_KEY for p in problems):
                raise
            refused = {problem["index"] for problem in problems}
        return [index not in refused for index in range(len(items))]

    async def _replace(self, item: Item, stored: Item) -> bool:
        unchanged = {"_id": stored["_id"]} | ({self._age: stored[self._age]} if self._age else {})
        kept = {field: stored[field] for field in self._keeps if stored.get(field) is not None}
        answer = await self._documents.replace_one(unchanged, item | kept | {"_id": stored["_id"]})
        return bool(answer.matched_count)

    async def _prepare(self) -> None:
        """Make the index by which documents are found, as their own adapter makes it."""
        if not self._is_prepared and self._identity != ("_id",):
            with mongo_errors(STORE):
                order = [(field, ASCENDING) for field in self._identity]
                await self._documents.create_index(order, unique=True)
        self._is_prepared = True

    def _of(self, item: Item) -> tuple[Any, ...]:
        return tuple(item[field] for field in self._identity)

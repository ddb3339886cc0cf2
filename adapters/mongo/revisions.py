"""Documents that are replaced as a whole in a time-series collection, which itself can only add and drop.

A set of documents (the chain of a day, the prices of a month) has an identity. Its documents are added under
a new revision; then the *head* of the set, one document in an ordinary collection with a unique index, is moved to that
revision by compare-and-swap; then the old revision is dropped. Readers go by the head, so they see the old set or the
new one and never both, a save repeated replaces, and of two writers with the same expectation one wins.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from bson import ObjectId
from pymongo import ASCENDING, ReadPreference, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import AutoReconnect, BulkWriteError, CollectionInvalid, OperationFailure
from pymongo.read_concern import ReadConcern

from adapters.mongo.connection import durable
from optionchain.patience import SECONDARY_READ_ATTEMPTS

Document: TypeAlias = dict[str, Any]
DUPLICATE_KEY = 11000
TIME_SERIES = {"timeField": "time", "metaField": "key", "granularity": "hours"}
# A revision without a head is the trace of a writer that died, once it is older than any write can take.
ABANDONED_AFTER = timedelta(hours=1)
BATCH = 64  # sets that are in memory at a time
SWEPT = 10_000  # revisions in one request to drop what is none of them
PORTION = 5_000  # of the work that `each` counts; the embedded server does as much in a second or two


@dataclass(frozen=True, slots=True)
class Revision:
    """The new content of one set.

    Attributes:
        identity: Field by field, as `RevisionedSets` names them.
        expected: The revision that it replaces; None where there was none.
        documents: Each with a `time`; `key` is added here.
        keys: What goes into the key of each document beside the identity and the revision.
        summary: What the head tells of the set.
    """

    identity: Document
    expected: ObjectId | None
    documents: Sequence[Document]
    keys: Sequence[Document]
    summary: Document


def _nothing(_head: Document) -> int:
    return 0


class RevisionedSets:
    """Sets of documents in one time-series collection, and their heads.

    Args:
        database: Where.
        name: Of the collection; the heads are in `<name>_heads`.
        identity: The fields that identify a set, the last one its date or instant.
        keys: Further fields of a document's key, which the index contains.
    """

    def __init__(
        self,
        database: AsyncDatabase[Document],
        name: str,
        *,
        identity: Sequence[str],
        keys: Sequence[str] = (),
    ) -> None:
        self._database = database
        self._name = name
        self._identity = tuple(identity)
        self._keys = tuple(keys)
        self.heads: AsyncCollection[Document] = database.get_collection(
            f"{name}_heads", write_concern=durable(database.client), read_concern=ReadConcern("majority")
        )
        self.documents: AsyncCollection[Document] = database.get_collection(
            name, write_concern=durable(database.client), read_concern=ReadConcern("majority")
        )

    async def prepare(self) -> None:
        """Make the collections and indexes that are missing."""
        await self._create_time_series()
        # The heads lead to revisions; the index by identity is for whoever analyses the collection on its own.
        await self.documents.create_index([("key.revision", ASCENDING)])
        path = [f"key.{field}" for field in (*self._identity, *self._keys)]
        await self.documents.create_index([(field, ASCENDING) for field in path])
        await self.heads.create_index([(field, ASCENDING) for field in self._identity], unique=True)
        await self.heads.create_index([("revision", ASCENDING)])

    async def publish(self, revisions: Sequence[Revision]) -> set[tuple[Any, ...]]:
        """Make each revision the current one of its set, unless another writer was first.

        Returns:
            The sets, by `identity_of`, where another writer was; of those, nothing was changed.
        """
        new = [(revision, ObjectId()) for revision in revisions]
        documents = [document for revision, id_ in new for document in _keyed(revision, id_)]
        await self.documents.insert_many(documents, ordered=False)
        lost = await self._move_heads(new)
        outcomes = [
            (revision.expected, id_, self.identity_of(revision.identity) in lost) for revision, id_ in new
        ]
        dropped = [id_ if is_lost else expected for expected, id_, is_lost in outcomes]
        await self._drop([revision for revision in dropped if revision is not None])
        return lost

    async def read(
        self, condition: Mapping[str, Any], projection: Mapping[str, Any]
    ) -> AsyncIterator[tuple[Document, list[Document]]]:
        """Stream the sets whose identity meets a condition, in order of identity: the head, and its documents.

        Args:
            condition: On the fields of the identity; the last one's is a range.
            projection: Fields of the documents.
        """
        last = self._identity[-1]
        bounds = condition[last]
        while True:
            found = await self.read_some({**condition, last: bounds}, projection)
            for head, documents in found:
                yield head, documents
            if len(found) < BATCH:
                return
            bounds = {**bounds, "$gt": found[-1][0][last]}

    async def read_some(
        self, condition: Mapping[str, Any], projection: Mapping[str, Any], *, from_primary: bool = False
    ) -> list[tuple[Document, list[Document]]]:
        """The first sets whose identity meets a condition, at most `BATCH`; else as `read`."""
        for attempt in range(SECONDARY_READ_ATTEMPTS):
            # A secondary may lag behind: the last attempt asks the primary.
            preference = (
                ReadPreference.PRIMARY if from_primary or attempt == SECONDARY_READ_ATTEMPTS - 1 else None
            )
            heads = await self._heads(condition, preference).limit(BATCH).to_list()
            documents = await self._documents_of(heads, projection, preference)
            if all(len(documents[head["revision"]]) == head["documents"] for head in heads):
                return [(head, documents[head["revision"]]) for head in heads]
        raise OperationFailure("the documents of a head are missing")

    async def aggregate(
        self,
        condition: Mapping[str, Any],
        pipeline: Sequence[Document],
        *,
        each: Callable[[Document], int] = _nothing,
    ) -> list[Document]:
        """Run a pipeline over the documents of the sets that meet a condition.

        Args:
            condition: On the fields of the identity.
            pipeline: What it makes of one set must not depend on others, unless `each` is left out.
            each: The work of the set of a head: the server gets no more at a time than it can answer in time.
        """
        done: dict[tuple[ObjectId, ...], list[Document]] = {}
        for _ in range(SECONDARY_READ_ATTEMPTS):
            heads = await self._heads(condition).to_list()
            parts = [tuple(head["revision"] for head in part) for part in _portions(heads, each)]
            for part in parts:
                if part not in done:
                    cursor = await self.documents.aggregate([{"$match": _revisions(part)}, *pipeline])
                    done[part] = await cursor.to_list()
            if await self._heads(condition).to_list() == heads:
                return [row for part in parts for row in done[part]]
        raise OperationFailure("the documents are changed all the time")

    def identity_of(self, document: Mapping[str, Any]) -> tuple[Any, ...]:
        """The identity of a head, or of any mapping with the same fields."""
        return tuple(document[field] for field in self._identity)

    async def drop_abandoned(self, now: datetime) -> int:
        """Drop the documents whose writer died before it moved the head; returns how many."""
        limit = ObjectId.from_datetime(now.astimezone(UTC) - ABANDONED_AFTER)
        heads = self.heads.with_options(read_preference=ReadPreference.PRIMARY)
        dropped, after = 0, ObjectId(bytes(12))
        while after < limit:
            # What is that old becomes no head any more: what is between these and is none of them was abandoned.
            bounds = {"$gt": after, "$lt": limit}
            found = heads.find({"revision": bounds}, {"revision": 1}).sort("revision").limit(SWEPT)
            current = [head["revision"] async for head in found]
            after = current[-1] if len(current) == SWEPT else limit
            between = {**bounds, "$nin": current, "$lt": after}
            dropped += (await self.documents.delete_many({"key.revision": between})).deleted_count
        return dropped

    async def _create_time_series(self) -> None:
        try:
            await self._database.create_collection(self._name, timeseries=TIME_SERIES)
        except CollectionInvalid:
            return  # it exists
        except OperationFailure as error:
            # 48: another process was first. Anything else: a server without time series has a plain collection.
            if error.code != 48 and self._name not in await self._database.list_collection_names():
                await self._database.create_collection(self._name)

    async def _move_heads(self, new: Sequence[tuple[Revision, ObjectId]]) -> set[tuple[Any, ...]]:
        moves = [
            UpdateOne(
                {**revision.identity, "revision": revision.expected},
                {"$set": {**revision.summary, "revision": id_}},
                upsert=True,
            )
            for revision, id_ in new
        ]
        try:
            await self.heads.bulk_write(moves, ordered=False)
        except BulkWriteError as error:
            # A head with another revision: the update finds nothing, and the insert is refused by the unique index.
            problems = error.details["writeErrors"]
            if error.details.get("writeConcernErrors") or any(p["code"] != DUPLICATE_KEY for p in problems):
                raise
            return {self.identity_of(new[problem["index"]][0].identity) for problem in problems}
        return set()

    async def _drop(self, revisions: Sequence[ObjectId]) -> None:
        if not revisions:
            return
        # No driver repeats a delete of many where the primary changes. What is published stays so: nobody need hear of
        # it, and what is left over goes with `drop_abandoned`.
        with suppress(AutoReconnect):
            await self.documents.delete_many(_revisions(revisions))

    def _heads(self, condition: Mapping[str, Any], preference: Any = None) -> AsyncCursor[Document]:
        order = [(field, ASCENDING) for field in self._identity]
        heads = self.heads.with_options(read_preference=preference)
        return heads.find(dict(condition), {"_id": 0}).sort(order)

    async def _documents_of(
        self, heads: Sequence[Document], projection: Mapping[str, Any], preference: Any
    ) -> dict[ObjectId, list[Document]]:
        documents: dict[ObjectId, list[Document]] = {head["revision"]: [] for head in heads}
        if not heads:
            return documents
        collection = self.documents.with_options(read_preference=preference)
        cursor = collection.find(
            _revisions(head["revision"] for head in heads), {"_id": 0, "time": 1, "key": 1, **projection}
        )
        async for document in cursor:
            documents[document["key"]["revision"]].append(document)
        return documents


def _revisions(revisions: Iterable[ObjectId]) -> Document:
    # Nothing but the revision: SecantusDB uses an index only where it covers the whole condition.
    return {"key.revision": {"$in": list(revisions)}}


def _portions(heads: Sequence[Document], each: Callable[[Document], int]) -> Iterator[list[Document]]:
    """The heads in parts of about `PORTION`."""
    portion: list[Document] = []
    work = 0
    for head in heads:
        work += each(head)
        if portion and work > PORTION:
            yield portion
            portion, work = [], each(head)
        portion.append(head)
    if portion:
        yield portion


def _keyed(revision: Revision, id_: ObjectId) -> list[Document]:
    return [
        {**document, "key": {**revision.identity, **keys, "revision": id_}}
        for document, keys in zip(revision.documents, revision.keys, strict=True)
    ]

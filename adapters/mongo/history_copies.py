"""History as it stands in MongoDB, set by set, to be copied elsewhere and brought back.

A set is a head and the documents of its revision (`adapters.mongo.revisions`). It is read until both are of one moment,
so a revision that a writer replaces meanwhile is not torn; and it is brought back under a new revision, as any writer
stores one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import bson
from pymongo import ASCENDING, AsyncMongoClient, ReadPreference
from pymongo.asynchronous.client_session import AsyncClientSession

from adapters.copies import Batch, Entry, Item, Judgement, Known, Wanted, entry_id, nothing_known
from adapters.mongo.connection import mongo_errors
from adapters.mongo.copies import STORE, PointInTime
from adapters.mongo.history_documents import CHAIN_IDENTITY, PRICE_IDENTITY
from adapters.mongo.revisions import Revision, RevisionedSets
from optionchain.errors import Unavailable
from optionchain.patience import DOCUMENT_SWAP_ATTEMPTS

# A set of prices has up to 20,000 bars, 1.6 MB.
SETS_TOGETHER = 16


class MongoHistorySets:
    """The sets of one time-series collection: `Copied`.

    Args:
        client: An open client, which others may use too.
        database: Name of the database.
        name: Of the collection.
        point: In which everything is read.
        identity: The fields that identify a set.
        keys: Further fields of a document's key.
    """

    def __init__(
        self,
        client: AsyncMongoClient[Item],
        database: str,
        name: str,
        point: PointInTime,
        *,
        identity: Sequence[str],
        keys: Sequence[str] = (),
    ) -> None:
        self._sets = RevisionedSets(client[database], name, identity=identity, keys=keys)
        self._heads = self._sets.heads.with_options(read_preference=ReadPreference.PRIMARY)
        self._documents = self._sets.documents.with_options(read_preference=ReadPreference.PRIMARY)
        self._identity = tuple(identity)
        self._point = point
        self._is_prepared = False

    async def read(
        self, after: Item | None = None, known: Known = nothing_known
    ) -> AsyncGenerator[Batch, None]:
        """As `Copied.read`, in order of the heads' `_id`; of what is known nothing but its head."""
        beyond = {} if after is None else {"_id": {"$gt": after["_id"]}}
        while True:
            heads = await self._heads_of(beyond)
            if not heads:
                return
            last = heads[-1]["_id"]
            entries = [_entry(head) for head in heads]
            saved = known(entries)
            items = await self._whole([head for head in heads if entry_id(head["_id"]) not in saved])
            kept = [entry for entry in entries if entry.id in saved]
            yield Batch(items, {"_id": last}, [*kept, *map(self.entry, items)])
            beyond = {"_id": {"$gt": last}}

    def entry(self, item: Item) -> Entry:
        """As `Copied.entry`: a set is replaced as a whole, under a new revision."""
        return _entry(item["head"])

    async def stored(self, items: Sequence[Item]) -> list[Item | None]:
        """As `Copied.stored`."""
        known = {}
        for start in range(0, len(items), SETS_TOGETHER):
            some = items[start : start + SETS_TOGETHER]
            condition = {"$or": [{field: item["head"][field] for field in self._identity} for item in some]}
            for found in await self._whole(await self._heads_of(condition)):
                known[self._of(found)] = found
        return [known.get(self._of(item)) for item in items]

    def judge(self, item: Item, stored: Item | None) -> Judgement:
        """As `Copied.judge`: revisions begin with the time at which they were made."""
        if stored is None:
            return "absent"
        if self.essence(item) == self.essence(stored):
            return "same"
        return "older" if stored["head"]["revision"] < item["head"]["revision"] else "newer"

    def essence(self, item: Item) -> Any:
        """As `Copied.essence`: all but the revision, for each that is stored has its own; NaN equals itself."""
        contents = sorted(bson.encode(_in_order(_content(document))) for document in item["documents"])
        return self._of(item), contents

    def is_wanted(self, item: Item, wanted: Wanted) -> bool:
        """As `Copied.is_wanted`."""
        return bool(item["head"]["asset"] == wanted.asset)

    async def write(self, changes: Sequence[tuple[Item, Item | None]]) -> list[bool]:
        """As `Copied.write`."""
        with mongo_errors(STORE):
            await self._prepare()
            lost = await self._sets.publish([self._revision(item, stored) for item, stored in changes])
        return [self._of(item) not in lost for item, _ in changes]

    async def is_empty(self) -> bool:
        """As `Copied.is_empty`."""
        with mongo_errors(STORE):
            return await self._heads.find_one({}, {"_id": 1}) is None

    def _revision(self, item: Item, stored: Item | None) -> Revision:
        head = item["head"]
        known = {*self._identity, "_id", "revision"}
        summary = {field: value for field, value in head.items() if field not in known}
        if stored is not None and "number" in summary:
            summary["number"] = max(summary["number"], stored["head"]["number"] + 1)
        keys = [
            {field: value for field, value in document["key"].items() if field not in known}
            for document in item["documents"]
        ]
        documents = [
            {field: value for field, value in document.items() if field not in ("_id", "key")}
            for document in item["documents"]
        ]
        expected = None if stored is None else stored["head"]["revision"]
        return Revision({field: head[field] for field in self._identity}, expected, documents, keys, summary)

    async def _whole(self, heads: Sequence[Item]) -> list[Item]:
        """The sets of heads, each of one moment; without those that are gone."""
        found: list[Item] = []
        for _ in range(DOCUMENT_SWAP_ATTEMPTS):
            documents = await self._documents_of(heads)
            whole = [head for head in heads if len(documents[head["revision"]]) == head["documents"]]
            found += [{"head": head, "documents": documents[head["revision"]]} for head in whole]
            if len(whole) == len(heads):
                return found
            # A writer has replaced them between the two reads.
            replaced = [head["_id"] for head in heads if head not in whole]
            heads = await self._heads_of({"_id": {"$in": replaced}}, limit=len(replaced))
        raise Unavailable(STORE)

    async def _heads_of(self, condition: Item, *, limit: int = SETS_TOGETHER) -> list[Item]:
        async def ask(session: AsyncClientSession | None) -> list[Item]:
            cursor = self._heads.find(condition, session=session)
            return await cursor.sort("_id", ASCENDING).limit(limit).to_list()

        return await self._point.found(ask)

    async def _documents_of(self, heads: Sequence[Item]) -> dict[Any, list[Item]]:
        documents: dict[Any, list[Item]] = {head["revision"]: [] for head in heads}

        async def ask(session: AsyncClientSession | None) -> list[Item]:
            revisions = {"key.revision": {"$in": list(documents)}}
            return await self._documents.find(revisions, session=session).to_list() if documents else []

        for document in await self._point.found(ask):
            documents[document["key"]["revision"]].append(document)
        return documents

    async def _prepare(self) -> None:
        if not self._is_prepared:
            await self._sets.prepare()
            self._is_prepared = True

    def _of(self, item: Item) -> tuple[Any, ...]:
        return self._sets.identity_of(item["head"])


def mongo_chains(client: AsyncMongoClient[Item], database: str, point: PointInTime) -> MongoHistorySets:
    """The chains of days."""
    return MongoHistorySets(
        client, database, "historical_chains", point, identity=CHAIN_IDENTITY, keys=["expiration"]
    )


def mongo_prices(client: AsyncMongoClient[Item], database: str, point: PointInTime) -> MongoHistorySets:
    """The prices of stretches."""
    return MongoHistorySets(client, database, "historical_prices", point, identity=PRICE_IDENTITY)


def _entry(head: Item) -> Entry:
    return Entry(entry_id(head["_id"]), head["revision"].binary)


def _content(document: Item) -> Item:
    key = {field: value for field, value in document["key"].items() if field != "revision"}
    return {field: value for field, value in document.items() if field != "_id"} | {"key": key}


def _in_order(value: Any) -> Any:
    """The same with fields by name: a time-series collection gives them in an order of its own."""
    if isinstance(value, dict):
        return {name: _in_order(value[name]) for name in sorted(value)}
    return value

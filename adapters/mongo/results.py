"""What simulations gave, one document a result, whose steps only ever grow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from adapters.mongo.connection import durable
from adapters.mongo.history_documents import Document, result_document, result_of
from optionchain.errors import Conflict, InvalidInput, NotFound
from optionchain.history.results import SimulationResult

COLLECTION = "simulation_results"


class MongoResults:
    """The results part of the `HistoricalDataRepository`; errors of the driver are its caller's.

    Args:
        database: Where the collection is.
    """

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        self._results: AsyncCollection[dict[str, Any]] = database.get_collection(
            COLLECTION, write_concern=durable(database.client)
        )

    async def store(self, result: SimulationResult) -> None:
        """As `HistoricalDataRepository.store_simulation_result`."""
        document = result_document(result)
        try:
            await self._results.insert_one(document)
        except DuplicateKeyError:
            await self._go_on(result, document)

    async def get(self, result_id: str) -> SimulationResult:
        """As `HistoricalDataRepository.get_simulation_result`."""
        document = await self._results.find_one({"_id": _text(result_id)})
        if document is None:
            raise NotFound("simulation result", result_id)
        return result_of(document)

    async def of_session(self, session_id: str, stored_by: str) -> Sequence[SimulationResult]:
        """As `HistoricalDataRepository.results_of_session`."""
        # Ids begin with the session's and a hyphen, behind which the full stop comes.
        ids = {"$gte": f"{_text(session_id)}-", "$lt": f"{session_id}."}
        condition = {"_id": ids, "stored_by": _text(stored_by)}
        return [result_of(document) async for document in self._results.find(condition).sort("_id")]

    async def _go_on(self, result: SimulationResult, document: Document) -> None:
        """Put a result in the place of its beginning; of two that do so at once, one is refused."""
        stored = await self._results.find_one({"_id": result.id})
        earlier = None if stored is None else result_of(stored)
        if earlier is not None and earlier.goes_on_from(result):
            return
        if earlier is not None and result.goes_on_from(earlier):
            unchanged = {"_id": result.id, "prices": {"$size": len(earlier.prices)}}
            replaced = await self._results.replace_one(unchanged, document)
            if replaced.matched_count:
                return
        raise Conflict("simulation result", result.id)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInput("id", "must be a text")
    return value

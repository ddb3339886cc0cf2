"""Which files have been imported, in MongoDB: so that a folder can be looked at again and again."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pymongo import AsyncMongoClient, ReadPreference

from adapters.mongo.connection import durable, mongo_errors

# As its callers know it, in messages.
STORE = "the list of imported files"


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """A file as it was imported.

    Attributes:
        url: Where it is.
        size: In bytes.
        version: Changes with its content.
        how: With which options: imported otherwise, it is imported again.
    """

    url: str
    size: int
    version: str
    how: str

    @property
    def identity(self) -> str:
        """The key of its document: of the place and the options, so that a new content takes the place of the old."""
        return hashlib.sha256(f"{self.url}\0{self.how}".encode()).hexdigest()


class MongoImportedFiles:
    """The list of imported files.

    Args:
        client: An open client, which others may use too.
        database: Name of the database.
    """

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], database: str) -> None:
        self._files = client[database].get_collection(
            "imported_files",
            read_preference=ReadPreference.PRIMARY,
            write_concern=durable(client),
        )

    async def has(self, file: ImportedFile) -> bool:
        """Whether it was imported as it is now."""
        with mongo_errors(STORE):
            known = await self._files.find_one({"_id": file.identity})
        return known is not None and (known["size"], known["version"]) == (file.size, file.version)

    async def remember(self, file: ImportedFile, instant: datetime) -> None:
        """It was imported."""
        with mongo_errors(STORE):
            await self._files.replace_one(
                {"_id": file.identity}, asdict(file) | {"imported_for": instant}, upsert=True
            )

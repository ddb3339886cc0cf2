"""Files of a folder as they stand, to be copied elsewhere and brought back: the records of work, such as sweeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import Any

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
from adapters.files.folders import Folder


class FolderFiles:
    """The files of a folder that match: `Copied`.

    Args:
        url: Of the folder, as `Folder` takes it.
        patterns: Which files.
    """

    def __init__(self, url: str, patterns: Sequence[str]) -> None:
        self._folder = Folder(url)
        self._patterns = tuple(patterns)

    async def read(
        self, after: Item | None = None, known: Known = nothing_known
    ) -> AsyncGenerator[Batch, None]:
        """As `Copied.read`, in order of their names, one at a time: some are large."""
        for name in await self._names():
            if after is None or name > after["_id"]:
                with suppress(FileNotFoundError):  # forgotten meanwhile
                    item = {"_id": name, "content": await asyncio.to_thread(self._folder.read, name)}
                    entries = [self.entry(item)]
                    yield Batch([] if known(entries) else [item], {"_id": name}, entries)

    def entry(self, item: Item) -> Entry:
        """As `Copied.entry`."""
        return Entry(entry_id(item["_id"]), content_mark(item))

    async def stored(self, items: Sequence[Item]) -> list[Item | None]:
        """As `Copied.stored`."""
        return [await asyncio.to_thread(self._stored, item["_id"]) for item in items]

    def judge(self, item: Item, stored: Item | None) -> Judgement:
        """As `Copied.judge`; a file has no age that could be trusted."""
        if stored is None:
            return "absent"
        return "same" if item == stored else "newer"

    def essence(self, item: Item) -> Any:
        """As `Copied.essence`."""
        return item

    def is_wanted(self, item: Item, wanted: Wanted) -> bool:
        """As `Copied.is_wanted`."""
        return False

    async def write(self, changes: Sequence[tuple[Item, Item | None]]) -> list[bool]:
        """As `Copied.write`."""
        for item, _ in changes:
            await asyncio.to_thread(self._folder.write, item["_id"], item["content"])
        return [True] * len(changes)

    async def is_empty(self) -> bool:
        """As `Copied.is_empty`."""
        return not await self._names()

    def _stored(self, name: str) -> Item | None:
        try:
            return {"_id": name, "content": self._folder.read(name)}
        except FileNotFoundError:
            return None

    async def _names(self) -> list[str]:
        found = [await asyncio.to_thread(self._folder.names, pattern) for pattern in self._patterns]
        return sorted({name for some in found for name in some})

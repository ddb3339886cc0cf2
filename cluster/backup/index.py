"""Which items come back from a backup, and in which backup of its chain each of them is.

It is a file of SQLite while a backup is made or restored, so that memory is bounded however many items there are, and
parts of the backup for whoever makes the next increment, or restores a chain.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from types import TracebackType

import bson

from adapters.copies import Entry, Item
from cluster.backup.manifest import Manifest
from cluster.backup.parts import Coffer
from cluster.backup.place import Place

CONTENT = "index"
"""Of the parts that hold it, among the kinds of items."""

TOGETHER = 20_000  # entries of one part, 2 MB
TABLES = """
create table base (kind text, id blob, mark blob, depth integer, primary key (kind, id)) without rowid;
create table entries (
  kind text, id blob, mark blob, depth integer, fresh blob, has_come integer default 0, primary key (kind, id)
) without rowid;
"""
NEW_ENTRY = "insert or replace into entries (kind, id, mark, depth, fresh) values (?, ?, ?, ?, ?)"


class Index:
    """The entries of a backup; gone with the block.

    Args:
        depth: Of the backup in its chain.
    """

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._folder = tempfile.TemporaryDirectory(prefix="optionchain-index-")
        # Used by one thread at a time, which need not be the same. What is lost with the machine is of no use after.
        self._database = sqlite3.connect(
            Path(self._folder.name, "index"), check_same_thread=False, isolation_level=None
        )
        self._database.executescript(f"pragma journal_mode = off; pragma synchronous = off; {TABLES}")

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        self._folder.cleanup()

    def begin_after(self, items: Iterable[Item]) -> None:
        """Take the entries of the backup before for what is known."""
        rows = ((item["kind"], item["id"], item["mark"], item["depth"]) for item in items)
        self._write("insert into base values (?, ?, ?, ?)", rows)

    def known(self, kind: str, entries: Sequence[Entry]) -> AbstractSet[bytes]:
        """As `Known`: what the backups before hold in the same state."""
        return {entry.id for entry in entries if self._depth_in_base(kind, entry) is not None}

    def note(self, kind: str, entries: Sequence[Entry]) -> None:
        """Let entries be of this backup: what is not known is in it."""
        rows = []
        for entry in entries:
            depth = self._depth_in_base(kind, entry)
            found_at = self._depth if depth is None else depth
            rows.append((kind, entry.id, entry.mark, found_at, bson.encode(entry.fresh)))
        self._write(NEW_ENTRY, rows)

    def forget(self, kind: str) -> None:
        """Begin a kind anew."""
        self._database.execute("delete from entries where kind = ?", (kind,))

    def counts(self, kinds: Iterable[str]) -> dict[str, int]:
        """How many entries of each kind."""
        counted = dict(self._database.execute("select kind, count(*) from entries group by kind").fetchall())
        return {kind: counted.get(kind, 0) for kind in kinds}

    def batches(self) -> Iterator[list[Item]]:
        """All entries as items of parts, in order."""
        rows = self._database.execute("select kind, id, mark, depth, fresh from entries")
        while some := rows.fetchmany(TOGETHER):
            yield [
                {"kind": kind, "id": identity, "mark": mark, "depth": depth, "fresh": bson.decode(fresh)}
                for kind, identity, mark, depth, fresh in some
            ]

    def take(self, items: Iterable[Item]) -> None:
        """Take what `batches` gave when the backup was made."""
        self._write(
            NEW_ENTRY,
            (
                (item["kind"], item["id"], item["mark"], item["depth"], bson.encode(item["fresh"]))
                for item in items
            ),
        )

    def coming(self, kind: str, depth: int, entries: Sequence[Entry]) -> dict[bytes, Item]:
        """Which items of a backup of the chain come back, and the fields of them that have passed since."""
        found = {}
        for entry in entries:
            row = self._database.execute(
                "update entries set has_come = 1 where kind = ? and id = ? and depth = ? returning fresh",
                (kind, entry.id, depth),
            ).fetchone()
            if row is not None:
                found[entry.id] = bson.decode(row[0])
        return found

    def missing(self) -> tuple[str, object] | None:
        """The kind and the identity of an item that should have come back, and was in no backup of the chain."""
        row = self._database.execute("select kind, id from entries where has_come = 0 limit 1").fetchone()
        return None if row is None else (row[0], bson.decode(row[1])["_id"])

    def _depth_in_base(self, kind: str, entry: Entry) -> int | None:
        row = self._database.execute(
            "select depth from base where kind = ? and id = ? and mark = ?", (kind, entry.id, entry.mark)
        ).fetchone()
        return None if row is None else int(row[0])

    def _write(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        self._database.execute("begin")
        self._database.executemany(statement, rows)
        self._database.execute("commit")


def entries_in(place: Place, manifest: Manifest, coffer: Coffer) -> Iterator[Item]:
    """The items of the parts that hold the index of a backup; none where it has no index."""
    for part in manifest.parts.get(CONTENT, ()):
        yield from coffer.unpacked(part, place.read(manifest.id, part))[1]

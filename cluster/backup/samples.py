"""Sessions by which a backup is proven: what each shows next is the same when it is back."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Sequence

from adapters.copies import Entry, Item, entry_id
from adapters.redis.session_records import session_of
from cluster.backup.manifest import Sample
from optionchain.errors import OptionChainError
from optionchain.simulation import Simulation
from optionchain.wire.snapshots import snapshot_body

SAMPLES = 8
# A path is computed as a whole; longer ones are left to `optionchain chaos`.
MAX_STEPS = 10_000


class Chosen:
    """A few of all sessions that pass, whichever these are and in whatever order.

    Args:
        of_base: The samples of the backup that an increment is one of: they hold for what has not changed since.
    """

    def __init__(self, of_base: Sequence[Sample] = ()) -> None:
        self._of_base = {entry_id(sample.session): sample for sample in of_base}
        self._items: dict[str, Item] = {}
        self._kept: dict[str, Sample] = {}

    def offer(self, items: Sequence[Item], entries: Sequence[Entry] = ()) -> None:
        """Let sessions pass; of those with an entry and without an item, the base holds how they are.

        A session that passes again, as a table that grows may have it, counts as it is now.
        """
        changed = {entry_id(item["_id"]) for item in items}
        for entry in entries:
            if entry.id in self._of_base and entry.id not in changed:
                kept = self._of_base[entry.id]
                self._kept[kept.session] = kept
        for item in items:
            self._kept.pop(item["_id"], None)
            self._items[item["_id"]] = item
        # The smallest digests: as good as at random, and the same again.
        self._items = {name: self._items[name] for name in heapq.nsmallest(SAMPLES, self._items, key=_digest)}

    def samples(self) -> list[Sample]:
        """What the chosen ones show next; without those that cannot show anything."""
        shown = [sample for item in self._items.values() if (sample := sample_of(item)) is not None]
        return [*shown, *self._kept.values()][:SAMPLES]


def _digest(session: str) -> bytes:
    return hashlib.sha256(session.encode()).digest()


def sample_of(item: Item) -> Sample | None:
    """What the session of an item shows next; None where nothing is left, or it would take too long to compute."""
    session = session_of(item["_id"], item["fields"])
    if session.current_step >= session.total_steps or session.total_steps > MAX_STEPS:
        return None
    try:
        body = snapshot_body(Simulation(session.parameters), session.current_step)
    except OptionChainError:
        return None
    return Sample(session.id, session.current_step, hashlib.sha256(body).hexdigest())

"""Sessions by which a backup is proven: what each shows next is the same when it is back."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Sequence

from adapters.copies import Item
from adapters.redis.session_records import session_of
from cluster.backup.manifest import Sample
from optionchain.errors import OptionChainError
from optionchain.simulation import Simulation
from optionchain.wire.snapshots import snapshot_body

SAMPLES = 8
# A path is computed as a whole; longer ones are left to `optionchain chaos`.
MAX_STEPS = 10_000


class Chosen:
    """A few of all sessions that pass, whichever these are and in whatever order."""

    def __init__(self) -> None:
        self._chosen: list[tuple[int, str, Item]] = []

    def offer(self, items: Sequence[Item]) -> None:
        """Let sessions pass."""
        for item in items:
            # The smallest digests: as good as at random, and the same again.
            digest = int.from_bytes(hashlib.sha256(item["_id"].encode()).digest()[:8])
            entry = (-digest, item["_id"], item)
            if len(self._chosen) < SAMPLES:
                heapq.heappush(self._chosen, entry)
            elif entry > self._chosen[0]:
                heapq.heapreplace(self._chosen, entry)

    def samples(self) -> list[Sample]:
        """What the chosen ones show next; without those that cannot show anything."""
        shown = (sample_of(item) for _, _, item in sorted(self._chosen))
        return [sample for sample in shown if sample is not None]


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

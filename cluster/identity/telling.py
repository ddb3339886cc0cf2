"""How a change of keys or denials is told: to this process at once, to all others by a notice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from optionchain.observing import Observer, attempted
from optionchain.ports import Notices
from optionchain.wire.instants import whole_milliseconds


class Telling:
    """Tells of changes.

    Args:
        notices: Tell every process.
        know: Takes a notice in this process.
        observer: Told of notices that could not be told.
        clock: The time, with an offset.
    """

    def __init__(
        self,
        notices: Notices,
        know: Callable[[str], None],
        *,
        observer: Observer,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._notices = notices
        self._know = know
        self._observer = observer
        self._clock = clock

    async def tell(self, notice: str) -> None:
        """Tell all processes; those that cannot be told read again soon."""
        self._know(notice)
        await attempted(self._observer, "keys.tell", lambda: self._notices.tell(notice))

    def now(self) -> datetime:
        """When it is, to the millisecond, as it is kept."""
        return whole_milliseconds(self._clock())

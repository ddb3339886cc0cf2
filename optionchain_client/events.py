"""Server-Sent Events: read piece by piece within bounds, and followed past a connection that breaks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from optionchain_client.errors import ConnectionFailed
from optionchain_client.requests import ApiRequest
from optionchain_client.retry import Retry


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream."""

    name: str
    data: str
    id: str | None


class EventReader:
    """Makes events of the pieces in which a stream comes; heartbeats are no events.

    Args:
        most_bytes: Of one event, or of a line that never ends.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._line: list[bytes] = []
        self._fields: dict[str, str] = {}
        self._held = 0

    def read(self, piece: bytes) -> Iterator[Event]:
        """The events that end in the next piece.

        Raises:
            ValueError: One is over the bound.
        """
        first, *others = piece.split(b"\n")
        self._hold(first)
        for part in others:
            line = b"".join(self._line).removesuffix(b"\r").decode()
            self._line = []
            if line:
                self._take(line)
            elif (event := self._event()) is not None:
                yield event
            self._hold(part)

    def _hold(self, part: bytes) -> None:
        self._held += len(part)
        if self._held > self._most_bytes:
            raise ValueError(f"an event has more than {self._most_bytes:,} bytes")
        self._line.append(part)

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data" and name in self._fields:
            value = f"{self._fields[name]}\n{value}"
        if name:  # a comment has none
            self._fields[name] = value

    def _event(self) -> Event | None:
        fields, self._fields, self._held = self._fields, {}, 0
        if "data" not in fields:
            return None
        return Event(fields.get("event", "message"), fields["data"], fields.get("id"))


class Feed:
    """The events of a stream until its last one, over as many connections as that takes.

    Args:
        request_after: The call that opens the stream behind the event of an id; None means from its beginning.
        is_last: Whether an event is the last one.
        retry: How often in a row, and after which pauses, a stream that broke is opened again.
        most_bytes: Of one event.
        timeout_seconds: Patience with the whole; None waits as long as it takes.
    """

    def __init__(
        self,
        request_after: Callable[[str | None], ApiRequest],
        is_last: Callable[[Event], bool],
        *,
        retry: Retry,
        most_bytes: int,
        timeout_seconds: float | None = None,
    ) -> None:
        self.is_over = False
        self._request_after = request_after
        self._is_last = is_last
        self._retry = retry
        self._most_bytes = most_bytes
        self._deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        self._reader = EventReader(most_bytes)
        self._last_id: str | None = None
        self._breaks = 0

    def request(self) -> ApiRequest:
        """The call that goes on where the last connection ended."""
        self._reader = EventReader(self._most_bytes)
        return self._request_after(self._last_id)

    def read(self, piece: bytes) -> Iterator[Event]:
        """The events that end in the next piece, up to the last one.

        Raises:
            ValueError: One is over the bound.
            TimeoutError: The time is over.
        """
        self._check_time()
        for event in self._reader.read(piece):
            self._last_id = event.id or self._last_id
            self._breaks = 0
            self.is_over = self._is_last(event)
            yield event
            if self.is_over:
                return

    def pause(self, broken: ConnectionFailed) -> float:
        """Seconds before the stream is opened again.

        Raises:
            ConnectionFailed: It broke too often in a row.
            TimeoutError: The time is over.
        """
        self._check_time()
        self._breaks += 1
        if self._breaks >= self._retry.attempts:
            raise broken
        return self._retry.pause_after(self._breaks)

    def _check_time(self) -> None:
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise TimeoutError("the stream has not ended in time")

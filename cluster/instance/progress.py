"""How a start or an end tells what it waits for."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Shows what is being waited for."""

    def step(self, what: str) -> None:
        """A new thing is being waited for; the one before is done."""
        ...

    def done(self) -> None:
        """What was being waited for has come, and nothing else is waited for."""
        ...

    def give_up(self) -> None:
        """What was being waited for will not come."""
        ...

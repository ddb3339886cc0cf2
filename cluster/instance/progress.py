"""How a start or an end tells what it waits for."""

from __future__ import annotations


class Progress:
    """Told what is being waited for; this one shows nothing."""

    def step(self, what: str) -> None:
        """A new thing is being waited for; the one before is done."""

    def done(self) -> None:
        """What was being waited for has come, and nothing else is waited for."""

    def give_up(self) -> None:
        """What was being waited for will not come."""

"""Who a caller is."""

from __future__ import annotations

from typing import Protocol

from optionchain.context import Principal


class Authentication(Protocol):
    """Knows whose secrets are whose."""

    async def principal(self, secret: str | None) -> Principal | None:
        """Whoever has this secret; None where nobody has it.

        Args:
            secret: What the caller presented, an API key or a token; None for nothing.

        Raises:
            Unavailable: It cannot be found out now.
        """
        ...

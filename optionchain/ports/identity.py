"""Who a caller is, and the keys by which callers are known."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from optionchain.access.api_keys import ApiKey
from optionchain.access.denials import Denial
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


class KeyRepository(Protocol):
    """Where keys are kept. Every method raises `Unavailable` when the store does not answer."""

    async def add(self, key: ApiKey) -> None:
        """Keep a new key."""
        ...

    async def get(self, key_id: str) -> ApiKey:
        """A key.

        Raises:
            NotFound: There is none of this id.
        """
        ...

    async def working(self, instant: datetime, *, limit: int) -> Sequence[ApiKey]:
        """The keys that work at an instant, with what was acknowledged before the call; at most `limit`."""
        ...

    async def listed(self, *, offset: int, limit: int) -> tuple[int, Sequence[ApiKey]]:
        """How many keys there are, and some of them, those made last first."""
        ...

    async def revoke(self, key_id: str, instant: datetime) -> ApiKey:
        """End a key, unless it is revoked already.

        Raises:
            NotFound: There is none of this id.
        """
        ...

    async def expire(self, key_id: str, instant: datetime) -> None:
        """End a key at an instant, unless it ends earlier."""
        ...

    async def used(self, instants: Mapping[str, datetime]) -> None:
        """Note when keys were last used, by their ids."""
        ...


class Notices(Protocol):
    """Short messages from any process to all of them; what is said while nobody listens is lost."""

    async def tell(self, notice: str) -> None:
        """Tell everybody.

        Raises:
            Unavailable: It cannot be told now.
        """
        ...

    def heard(self) -> AsyncGenerator[str | None, None]:
        """What is told from now on, without end; None whenever listening begins, or begins again.

        Raises:
            Unavailable: It cannot be heard any more.
        """
        ...


class DenialRepository(Protocol):
    """Where it is kept which tokens are denied. Every method raises `Unavailable` when the store does not answer."""

    async def add(self, denial: Denial) -> None:
        """Deny something."""
        ...

    async def listed(self, instant: datetime, *, limit: int) -> Sequence[Denial]:
        """What is denied at an instant, the latest first; at most `limit`."""
        ...

    async def remove(self, denial_id: str) -> Denial:
        """Deny something no more.

        Raises:
            NotFound: There is none of this id.
        """
        ...


class Issuer(Protocol):
    """Who issues tokens."""

    async def keys(self) -> Mapping[str, Any]:
        """The public keys by which its tokens are verified, as a JSON Web Key Set (RFC 7517).

        Raises:
            Unavailable: It does not answer, or not as an issuer does.
        """
        ...

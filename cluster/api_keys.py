"""The API keys in the settings: how they are written, who has which, and the one that is made at first start."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from optionchain.access.api_keys import digest_of, is_owner
from optionchain.access.roles import ADMIN, CALLER, GIVEN_ROLES, read_roles
from optionchain.context import Principal

MIN_KEY_LENGTH = 16
EVERYBODY = Principal("public", "public", frozenset({ADMIN}))
"""Who calls a service that asks for no key."""


class KnownKeys:
    """The `Authentication` of a fixed set of keys.

    Kept by their digests: how long a look-up takes tells of a digest at most, and 256 bits of it are out of reach.

    Args:
        keys: Who has which key.
    """

    def __init__(self, keys: Mapping[str, Principal]) -> None:
        self._principals = {digest_of(key): principal for key, principal in keys.items()}

    def of(self, digest: bytes) -> Principal | None:
        """Whoever has the key of this digest."""
        return self._principals.get(digest)

    async def principal(self, secret: str | None) -> Principal | None:
        return None if secret is None else self.of(digest_of(secret))


class OpenToAll:
    """The `Authentication` of a service that asks for no key."""

    async def principal(self, secret: str | None) -> Principal | None:
        return EVERYBODY


def parse_keys(text: str) -> dict[str, Principal]:
    """Read ``owner=key,owner:viewer+operator=key``; the keys of the result are the API keys.

    The owner is both the tenant and the subject of its callers: a key has no name of its own.

    Raises:
        ValueError: An entry is not of that form, or a key is shorter than 16 characters.
    """
    principals = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, key = entry.partition("=")
        owner, has_roles, roles = name.partition(":")
        try:
            granted = read_roles(roles.split("+")) if has_roles else frozenset({CALLER})
        except ValueError:
            granted = frozenset()
        if not is_owner(owner) or not granted:
            raise ValueError(
                "each entry must be owner=key or owner:role+role=key, the owner of letters, digits, - and _, the "
                f"roles of {', '.join(GIVEN_ROLES)}"
            )
        if len(key) < MIN_KEY_LENGTH:
            raise ValueError(f"the key of {owner} must have at least {MIN_KEY_LENGTH} characters")
        principals[key] = Principal(owner, owner, granted)
    return principals


def kept_key(file: Path, make: Callable[[], str] = lambda: secrets.token_urlsafe(24)) -> str:
    """The key in `file`, readable by its owner alone; made at the first call."""
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(make() + "\n")
    return file.read_text().strip()

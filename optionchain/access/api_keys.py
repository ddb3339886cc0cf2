"""API keys that are made while the service runs: what is known of one, and how its secret is written."""

from __future__ import annotations

import hashlib
import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime

from optionchain.access.roles import narrowed
from optionchain.context import Principal

PREFIX = "ocs_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# 62^43 > 2^256, and 62^6 > 2^32.
_SECRET_BYTES, _SECRET_DIGITS, _CHECK_DIGITS = 32, 43, 6
LONGEST_OWNER = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is known of a key. Its secret is known to whoever asked for it alone.

    Attributes:
        id: By which it is named; no secret.
        owner: The tenant whom everything belongs to that is made with it.
        roles: Of `optionchain.access.roles`, at least one.
        scopes: Permissions that it is narrowed to; empty for all that its roles permit.
        digest: Of its secret.
        note: What it is for, in somebody's words.
        created_at: When it was made, with an offset.
        created_by: The tenant of who made it.
        expires_at: From then on it does not work; None for never.
        revoked_at: When somebody ended it; None where nobody has.
        last_used_at: About when it was last presented; None for never.
        replaces: The id of the key whose successor it is; None where it is none.
    """

    id: str
    owner: str
    roles: frozenset[str]
    digest: bytes
    note: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    replaces: str | None = None
    scopes: frozenset[str] = frozenset()

    @property
    def principal(self) -> Principal:
        """Who calls with it."""
        return Principal(self.owner, self.id, narrowed(self.roles, self.scopes))

    def works_at(self, instant: datetime) -> bool:
        """Whether whoever has its secret is let in at an instant."""
        return self.revoked_at is None and (self.expires_at is None or instant < self.expires_at)


def new_secret() -> str:
    """A secret that nobody can guess: ``ocs_``, 256 random bits, and a checksum that scanners can verify."""
    drawn = _digits(int.from_bytes(secrets.token_bytes(_SECRET_BYTES), "big"), _SECRET_DIGITS)
    return f"{PREFIX}{drawn}{_check(drawn)}"


def is_secret(text: str) -> bool:
    """Whether a text was made by `new_secret`, or as it makes them.

    Example:
        >>> is_secret(new_secret())
        True
        >>> is_secret("ocs_" + "0" * 49)
        False
    """
    drawn, check = text[len(PREFIX) : -_CHECK_DIGITS], text[-_CHECK_DIGITS:]
    is_shaped = text.startswith(PREFIX) and len(drawn) == _SECRET_DIGITS and text.isascii()
    return is_shaped and check == _check(drawn)


def digest_of(secret: str) -> bytes:
    """What is kept of a secret: its SHA-256. As good as a slow hash, for nobody can try 2^256 of them."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


def is_owner(name: str) -> bool:
    """Whether a tenant may be called so: letters, digits, `-` and `_`, 64 at most."""
    return name.replace("-", "").replace("_", "").isalnum() and len(name) <= LONGEST_OWNER


def _check(drawn: str) -> str:
    return _digits(zlib.crc32(drawn.encode()), _CHECK_DIGITS)


def _digits(number: int, count: int) -> str:
    digits = []
    for _ in range(count):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))

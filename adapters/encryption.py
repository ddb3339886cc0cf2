"""What is sensitive, encrypted before it is stored: AES-256-GCM under keys that whoever has the store has not.

What is sealed names its key, so that several can be in use while one takes over from another.
"""

from __future__ import annotations

import hashlib
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from typing import TYPE_CHECKING

from optionchain.errors import CannotOpen, InvalidInput

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
FORM = b"OCS\x01"
"""How every sealed text begins: what it is, and how the rest is laid out."""
_ID_BYTES, _NONCE_BYTES, _TAG_BYTES = 4, 12, 16
_HEAD_BYTES = len(FORM) + _ID_BYTES
VARIABLE = "OCS_ENCRYPTION_KEY"


class Keyring:
    """The keys of a service: the first one seals, every one opens what it has sealed.

    One key may seal 2**32 texts (NIST SP 800-38D, 8.3: nonces are random); a text has at most 2**31 - 1 bytes.

    Args:
        text: As `read_keys` reads it; empty for no key.
    """

    def __init__(self, text: str) -> None:
        keys = read_keys(text)
        self._keys = {key_id(key): key for key in keys}
        self._first = key_id(keys[0]) if keys else None

    @property
    def sealing_id(self) -> str | None:
        """The key that seals, in hexadecimal digits; None where there is no key."""
        return self._first.hex() if self._first else None

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt.

        Args:
            plain: What nobody else is to read.
            context: What it is and whose: it is not kept, and `open` must be given the same, so that what is sealed
                cannot be put in another's place.

        Raises:
            InvalidInput: There is no key.
        """
        if self._first is None:
            raise InvalidInput(VARIABLE, "is not set: nothing can be encrypted without a key")
        head, nonce = FORM + self._first, os.urandom(_NONCE_BYTES)
        return head + nonce + _cipher(self._keys[self._first]).encrypt(nonce, plain, head + context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """What `seal` was given.

        Args:
            sealed: What it returned.
            context: As it was given then.

        Raises:
            CannotOpen: It was not sealed here, its key is not among ours, or it or the context was changed.
        """
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415

        known = sealing_id_of(sealed)
        key = self._keys.get(bytes.fromhex(known))
        if key is None:
            raise CannotOpen(f"its key {known} is none of {VARIABLE}: add it there, behind the first")
        head, rest = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES:]
        nonce, text = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
        try:
            return _cipher(key).decrypt(nonce, text, head + context)
        except InvalidTag:
            raise CannotOpen("it was changed, or belongs elsewhere") from None


def _cipher(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  few processes need it

    return AESGCM(key)


def sealing_id_of(sealed: bytes) -> str:
    """The key that has sealed something, in hexadecimal digits.

    Raises:
        CannotOpen: It was not sealed here.
    """
    if not sealed.startswith(FORM) or len(sealed) < _HEAD_BYTES + _NONCE_BYTES + _TAG_BYTES:
        raise CannotOpen("it was not encrypted by this service")
    return sealed[len(FORM) : _HEAD_BYTES].hex()


def new_key() -> str:
    """A new key, as `read_keys` reads it."""
    return urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()


def key_id(key: bytes) -> bytes:
    """What a key is called: it follows from the key, and tells nothing of it."""
    return hashlib.sha256(b"optionchain key " + key).digest()[:_ID_BYTES]


def read_keys(text: str) -> Sequence[bytes]:
    """Keys with commas or lines between, each 32 bytes in base64 (``openssl rand -base64 32``) or its form for URLs.

    Raises:
        ValueError: One is none.
    """
    return [_key(part) for part in text.replace(",", " ").split()]


def _key(text: str) -> bytes:
    try:
        key = urlsafe_b64decode(text.rstrip("=").replace("+", "-").replace("/", "_") + "=")
    except (NotBase64, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError("each key must be 32 bytes in base64: `openssl rand -base64 32` makes one")
    return key

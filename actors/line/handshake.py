"""How two ends of a connection come to trust each other: both show that they know a secret, which does not travel.

The caller says which version it speaks and a nonce; the actor answers with a nonce of its own and a proof over both,
and the caller with its proof. The secret is made by the actor's process and told by Ray, whose own token guards that:
so who speaks here is of the cluster, and an actor that was started anew, perhaps at the same place, is not taken for
the earlier one.
"""

from __future__ import annotations

import hmac
import secrets
import struct

VERSION = 1
"""Of everything on a connection: frames, calls and answers. Ends of different versions talk over Ray."""

NONCE_BYTES = PROOF_BYTES = SECRET_BYTES = 32
_HELLO = struct.Struct(f"<4sH{NONCE_BYTES}s")
_MAGIC = b"OCSL"
HELLO_BYTES = _HELLO.size
CHALLENGE_BYTES = NONCE_BYTES + PROOF_BYTES


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def new_nonce() -> bytes:
    return secrets.token_bytes(NONCE_BYTES)


def hello(nonce: bytes) -> bytes:
    """The caller's first words."""
    return _HELLO.pack(_MAGIC, VERSION, nonce)


def nonce_of(words: bytes) -> bytes | None:
    """The caller's nonce; None where it speaks something else, or another version."""
    magic, version, nonce = _HELLO.unpack(words)
    return nonce if (magic, version) == (_MAGIC, VERSION) else None


def actor_proof(secret: bytes, callers: bytes, actors: bytes) -> bytes:
    """What only an actor with the secret can answer to the two nonces."""
    return _proof(secret, b"actor", callers, actors)


def caller_proof(secret: bytes, callers: bytes, actors: bytes) -> bytes:
    """What only a caller with the secret can answer to the two nonces."""
    return _proof(secret, b"caller", callers, actors)


def is_same(one: bytes, other: bytes) -> bool:
    """Whether two proofs are, in a time that tells nothing of either."""
    return hmac.compare_digest(one, other)


def _proof(secret: bytes, whose: bytes, callers: bytes, actors: bytes) -> bytes:
    return hmac.digest(secret, whose + VERSION.to_bytes(2, "little") + callers + actors, "sha256")

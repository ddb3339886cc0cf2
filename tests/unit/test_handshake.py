"""The words of a handshake are a protocol between releases: another one has another version."""

from __future__ import annotations

import hmac

import pytest

from actors.line.handshake import (
    HELLO_BYTES,
    NONCE_BYTES,
    PROOF_BYTES,
    VERSION,
    actor_proof,
    caller_proof,
    hello,
    is_same,
    nonce_of,
)

SECRET, CALLERS, ACTORS = b"s" * 32, b"c" * NONCE_BYTES, b"a" * NONCE_BYTES


def test_a_caller_says_its_version_and_its_nonce() -> None:
    words = hello(CALLERS)

    assert len(words) == HELLO_BYTES
    assert nonce_of(words) == CALLERS
    assert words.endswith(VERSION.to_bytes(2, "little") + CALLERS)


@pytest.mark.parametrize("at", [0, 1, HELLO_BYTES - NONCE_BYTES - 2, HELLO_BYTES - NONCE_BYTES - 1])
def test_who_speaks_something_else_or_another_version_has_no_nonce(at: int) -> None:
    words = bytearray(hello(CALLERS))
    words[at] ^= 1

    assert nonce_of(bytes(words)) is None


def test_a_proof_is_a_digest_of_whose_it_is_the_version_and_both_nonces() -> None:
    # Of version 1; HMAC (RFC 2104) with SHA-256.
    assert VERSION == 1
    for proof, whose in ((actor_proof, b"actor"), (caller_proof, b"caller")):
        expected = hmac.new(SECRET, whose + b"\x01\x00" + CALLERS + ACTORS, "sha256").digest()
        assert proof(SECRET, CALLERS, ACTORS) == expected
        assert len(expected) == PROOF_BYTES
        assert is_same(expected, proof(SECRET, CALLERS, ACTORS))
    assert not is_same(actor_proof(SECRET, CALLERS, ACTORS), caller_proof(SECRET, CALLERS, ACTORS))

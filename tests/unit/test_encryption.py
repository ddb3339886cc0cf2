"""What is encrypted at rest: who can read it, who cannot, and how one key takes over from another."""

from __future__ import annotations

import hashlib
from base64 import standard_b64encode, urlsafe_b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

from adapters.encryption import FORM, Keyring, new_key, read_keys, sealing_id_of
from cluster.api_keys import kept_key
from cluster.instance.private_files import check_private
from cluster.instance.problem import InstanceProblem
from optionchain.errors import CannotOpen, InvalidInput

PLAIN, CONTEXT = b"a client's secret", b"configuration/sign-in/3"
# 0xfb and 0xff are `+` and `/` in base64, `-` and `_` in its form for URLs.
KEY = bytes([0xFB, 0xFF] * 16)


def test_what_is_sealed_is_opened_by_its_key_and_nobody_sees_it_before() -> None:
    ring = Keyring(new_key())

    sealed = ring.seal(PLAIN, CONTEXT)

    assert PLAIN not in sealed
    assert ring.open(sealed, CONTEXT) == PLAIN
    assert ring.open(ring.seal(b"", b""), b"") == b""


def test_the_same_is_never_sealed_to_the_same_bytes() -> None:
    ring = Keyring(new_key())

    assert len({ring.seal(PLAIN, CONTEXT) for _ in range(100)}) == 100


def test_it_is_aes_gcm_as_anybody_can_decrypt_it_who_has_the_key() -> None:
    sealed = Keyring(urlsafe_b64encode(KEY).decode()).seal(PLAIN, CONTEXT)

    head, nonce, text, tag = sealed[:8], sealed[8:20], sealed[20:-16], sealed[-16:]
    decryptor = Cipher(AES(KEY), GCM(nonce, tag)).decryptor()
    decryptor.authenticate_additional_data(head + CONTEXT)
    assert decryptor.update(text) + decryptor.finalize() == PLAIN
    assert head == FORM + hashlib.sha256(b"optionchain key " + KEY).digest()[:4]


@pytest.mark.parametrize("place", [4, 7, 8, 19, 20, 30, -16, -1], ids="byte {}".format)
def test_a_byte_that_was_changed_is_noticed(place: int) -> None:
    ring = Keyring(new_key())
    sealed = bytearray(ring.seal(PLAIN, CONTEXT))

    sealed[place] ^= 1

    with pytest.raises(CannotOpen):
        ring.open(bytes(sealed), CONTEXT)


def test_what_is_sealed_cannot_be_put_in_anothers_place() -> None:
    ring = Keyring(new_key())

    with pytest.raises(CannotOpen, match="belongs elsewhere"):
        ring.open(ring.seal(PLAIN, CONTEXT), b"configuration/sign-in/4")


@pytest.mark.parametrize(
    "text", [b"", b"OCS\x01", b"plain text that was never sealed by anybody", FORM + bytes(31)]
)
def test_what_was_not_sealed_here_is_told_from_what_was(text: bytes) -> None:
    with pytest.raises(CannotOpen, match="not encrypted by this service"):
        Keyring(new_key()).open(text, CONTEXT)


def test_a_key_takes_over_from_another_while_both_are_known() -> None:
    old, new = new_key(), new_key()
    sealed = Keyring(old).seal(PLAIN, CONTEXT)

    both = Keyring(f"{new},{old}")

    assert both.open(sealed, CONTEXT) == PLAIN
    assert sealing_id_of(both.seal(PLAIN, CONTEXT)) == Keyring(new).sealing_id != sealing_id_of(sealed)
    with pytest.raises(CannotOpen, match=f"{Keyring(old).sealing_id} is none of OCS_ENCRYPTION_KEY"):
        Keyring(new).open(sealed, CONTEXT)


def test_without_a_key_nothing_is_sealed_and_that_is_said() -> None:
    with pytest.raises(InvalidInput, match="OCS_ENCRYPTION_KEY: is not set"):
        Keyring("").seal(PLAIN, CONTEXT)


def test_keys_are_read_as_openssl_writes_them_and_as_lines_of_a_file() -> None:
    standard, for_urls = standard_b64encode(KEY).decode(), urlsafe_b64encode(KEY).decode()

    assert "+" in standard
    assert read_keys(f"{standard}, {for_urls}\n{for_urls.rstrip('=')}\n") == [KEY, KEY, KEY]
    assert read_keys(" \n") == []


@pytest.mark.parametrize("text", ["secret", "a" * 42, "a" * 44 + "b", "é" * 43, "0" * 64, "!" * 43])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="32 bytes in base64"):
        read_keys(text)


def test_the_key_of_an_instance_is_made_once_and_can_be_used(tmp_path: Path) -> None:
    kept = kept_key(tmp_path / "encryption_key", new_key)

    assert kept_key(tmp_path / "encryption_key", new_key) == kept
    assert len(read_keys(kept)) == 1


def test_files_that_others_may_read_are_named_and_folders_closed(tmp_path: Path) -> None:
    folder, key, mine = tmp_path / "logs", tmp_path / "api_key", tmp_path / "instance.json"
    folder.mkdir(mode=0o755)
    for file, mode in ((key, 0o640), (mine, 0o600)):
        file.touch()
        file.chmod(mode)

    with pytest.raises(InstanceProblem, match=r"Other users may read api_key in .*chmod -R go="):
        check_private(tmp_path)
    key.chmod(0o600)
    check_private(tmp_path)

    assert folder.stat().st_mode & 0o777 == 0o700

"""Parts: what is packed is unpacked, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import bson
import pyarrow as pa
import pytest

from adapters.encryption import Keyring, new_key
from cluster.backup.parts import CODEC, FORMAT, Coffer, Part
from optionchain.errors import CannotOpen, Damaged, InvalidInput

ITEMS = [{"_id": n, "bytes": b"\x00\xff", "at": datetime(2026, 1, 5, tzinfo=UTC)} for n in range(100)]
KEYRING = Keyring(new_key())


def packed(coffer: Coffer, number: int = 0) -> tuple[Part, bytes]:
    return coffer.packed("sessions", number, [bson.encode(item) for item in ITEMS], {"cursor": 7})


@pytest.mark.parametrize("keyring", [None, KEYRING], ids=["plain", "sealed"])
def test_what_is_packed_is_unpacked(keyring: Keyring | None) -> None:
    coffer = Coffer("b", keyring)
    part, stored = packed(coffer)

    assert coffer.unpacked(part, stored) == ({"cursor": 7}, ITEMS)
    assert len(stored) < part.size / 3


def test_a_part_is_known_by_the_name_of_its_file() -> None:
    part, _ = packed(Coffer("b", None))

    assert Part.named(part.name) == part
    assert Part.named(part.name + "x") is None
    assert Part.named("manifest.json") is None


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_any_bit_that_is_flipped_is_found(share: float) -> None:
    coffer = Coffer("b", None)
    part, stored = packed(coffer)
    at = int(share * len(stored))
    flipped = stored[:at] + bytes([stored[at] ^ 1]) + stored[at + 1 :]

    with pytest.raises(Damaged, match="its bytes are not those that were written"):
        coffer.unpacked(part, flipped)


def test_a_sealed_part_belongs_to_its_backup_its_kind_and_its_place() -> None:
    part, stored = packed(Coffer("b", KEYRING))

    for coffer, other in (
        (Coffer("c", KEYRING), part),
        (Coffer("b", KEYRING), replace(part, number=1)),
        (Coffer("b", KEYRING), replace(part, content="answers")),
    ):
        with pytest.raises(CannotOpen, match="changed, or belongs elsewhere"):
            coffer.unpacked(other, stored)


def test_a_part_that_is_not_what_its_name_says_is_refused() -> None:
    coffer = Coffer("b", None)
    part, stored = packed(coffer)

    with pytest.raises(Damaged, match="another part than its name says"):
        coffer.unpacked(replace(part, content="answers"), stored)


def test_a_newer_format_is_refused() -> None:
    plain = bson.encode({"format": FORMAT + 1, "content": "sessions", "number": 0, "next": {}})
    stored = pa.compress(plain, codec=CODEC, asbytes=True)
    part = Part("sessions", 0, 0, len(plain), hashlib.sha256(stored).hexdigest())

    with pytest.raises(InvalidInput, match="newer release: its format is 3, this release reads up to 2"):
        Coffer("b", None).unpacked(part, stored)

"""Which backup is made now: one that was interrupted, an increment of the latest, or a whole one."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from adapters.encryption import Keyring
from cluster.backup.index import CONTENT
from cluster.backup.manifest import Manifest
from cluster.backup.parts import Coffer, Part
from cluster.backup.place import Place, begun_at
from optionchain.errors import CannotOpen, Damaged, OptionChainError
from optionchain.numerics import IDENTITY

PART_BYTES = 8 << 20
# What is older has been overtaken by the world: it is begun anew.
RESUMED_WITHIN = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Saving:
    """How to save.

    Attributes:
        keyring: What seals; None for nothing.
        bytes_per_second: As fast at most; 0 for no bound.
        share: Of the time of a processor in which it works at most.
        part_bytes: Of one part before it is compressed, about; a few of them are in memory at a time.
        increments: After so many increments at most a backup is whole again; 0 for whole ones only.
        is_whole: This one is whole, whatever there is.
    """

    keyring: Keyring | None = None
    bytes_per_second: float = 0.0
    share: float = 1.0
    part_bytes: int = PART_BYTES
    increments: int = 0
    is_whole: bool = False

    @property
    def sealing_id(self) -> str | None:
        """The key that seals; None where none does."""
        return self.keyring.sealing_id if self.keyring else None


@dataclass(frozen=True, slots=True)
class Begun:
    """A backup that is being made.

    Attributes:
        id: Of it.
        earlier: The parts of each kind that are there already.
        base: The backup that it is an increment of.
    """

    id: str
    earlier: Mapping[str, Sequence[Part]] = field(default_factory=dict)
    base: Manifest | None = None

    @property
    def depth(self) -> int:
        """In its chain."""
        return 0 if self.base is None else self.base.depth + 1


def taken_up(place: Place, source: Mapping[str, str], how: Saving) -> Begun:
    """The backup that is made from now on: one that was interrupted, an increment, or a whole one.

    Args:
        place: Where.
        source: Whose stores.
        how: How.
    """
    now = datetime.now(UTC)
    for backup in reversed(place.unfinished()):
        is_recent = begun_at(backup) > now - RESUMED_WITHIN
        if is_recent and place.source_of(backup) == source and place.begun_of(backup) is None:
            parts = _usable(place, backup, how)
            if parts:
                return Begun(backup, parts)
    base = _base(place, source, how)
    # Behind the second its parts, so that ids are in order.
    backup = f"{now:%Y%m%dT%H%M%SZ}-{now.microsecond // 16:04x}{secrets.token_hex(1)}"
    place.begin(backup, source, None if base is None else base.id)
    return Begun(backup, base=base)


def _base(place: Place, source: Mapping[str, str], how: Saving) -> Manifest | None:
    """The latest backup of these stores, if it is to have an increment; what cannot be relied on has none."""
    if not how.increments or how.is_whole:
        return None
    for backup in reversed(place.complete()):
        try:
            chain = place.chain(backup, how.keyring)
        except OptionChainError:
            return None
        latest = chain[-1]
        if latest.source == source:
            is_alike = (latest.numerics, latest.sealed_by) == (IDENTITY, how.sealing_id)
            is_room = latest.depth < how.increments and CONTENT in latest.parts
            return latest if is_alike and is_room and all(map(place.has_parts, chain)) else None
    return None


def _usable(place: Place, backup: str, how: Saving) -> dict[str, list[Part]]:
    """The parts of an interrupted backup, as long as they can be gone on with: each kind from its first on."""
    coffer = Coffer(backup, how.keyring)
    kinds: dict[str, list[Part]] = {}
    for part in place.parts(backup):
        kinds.setdefault(part.content, []).append(part)
    for parts in kinds.values():
        if [part.number for part in parts] != list(range(len(parts))):
            return {}
        try:
            coffer.unpacked(parts[-1], place.read(backup, parts[-1]))
        except (CannotOpen, Damaged):
            return {}
    return kinds

"""The record of who did what: entries in chains of hashes, in which nothing can be changed or left out unseen.

Each process that writes has a chain of its own: the hash of a link is of the hash before it and of what it says. At
intervals the last hash is signed, an anchor: whoever can write to the store, and has not the key, cannot make another
chain that ends in it. Old links are deleted in time; what is left is verified from its first link on.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise

from optionchain.wire.instants import instant_to_wire

FIRST = "0" * 64
"""What stands in the place of the hash before the first link of a chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Something that is on record.

    Attributes:
        at: When, to the millisecond, with an offset.
        action: Method and template of the route: ``DELETE /api/v1/keys/{id}``.
        target: On what: the path, and what the route says of it.
        tenant: Whose key it was; empty for nobody's.
        subject: The id of the key, or the name of a person; empty for nobody's.
        address: From where.
        status: How it was answered.
        request_id: Of the request; of several, the last one's.
        times: How many of the kind there were since the last entry; above 1 for refusals alone.
    """

    at: datetime
    action: str
    target: str
    tenant: str
    subject: str
    address: str
    status: int
    request_id: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Link:
    """An entry in the chain of whoever wrote it.

    Attributes:
        writer: Who.
        number: From 1 on, without gaps.
        entry: What it says.
        previous: The hash of the link before it, in hexadecimal digits.
        hash: Its own.
    """

    writer: str
    number: int
    entry: AuditEntry
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """The signed end of a chain, as it was at an instant.

    Attributes:
        writer: Whose chain.
        number: Of its last link.
        hash: Of that link.
        at: When.
        signature: HMAC-SHA256 of all that, in hexadecimal digits; empty where nobody had a key.
    """

    writer: str
    number: int
    hash: str
    at: datetime
    signature: str


class Chain:
    """The chain of one writer.

    Args:
        writer: A name that no other writer has.
    """

    def __init__(self, writer: str) -> None:
        self.writer = writer
        self._number, self._hash = 0, FIRST

    def add(self, entry: AuditEntry) -> Link:
        """The next link."""
        self._number += 1
        previous = self._hash
        self._hash = link_hash(self.writer, self._number, entry, previous)
        return Link(self.writer, self._number, entry, previous, self._hash)


def anchor_of(link: Link, at: datetime, key: bytes) -> Anchor:
    """The anchor of a chain that ends in a link.

    Args:
        link: The last one.
        at: When, with an offset.
        key: Signs it; empty for no signature.
    """
    return Anchor(link.writer, link.number, link.hash, at, _signature(link, at, key))


def link_hash(writer: str, number: int, entry: AuditEntry, previous: str) -> str:
    """The hash of a link, in hexadecimal digits: SHA-256 of its JSON with the keys in order."""
    said = {**asdict(entry), "at": instant_to_wire(entry.at)}
    link = {"writer": writer, "number": number, "entry": said, "previous": previous}
    return hashlib.sha256(json.dumps(link, sort_keys=True).encode()).hexdigest()


def problems_of(links: Sequence[Link], anchors: Iterable[Anchor], key: bytes) -> list[str]:
    """What is wrong with what is left of the chain of one writer; empty where nothing is.

    Args:
        links: In the order of their numbers. The predecessors of the first one may have been deleted.
        anchors: Of the same writer.
        key: By which they are signed; empty where they are not to be verified.
    """
    problems = [
        f"{link.writer} {link.number}: what it says was changed"
        for link in links
        if link.hash != link_hash(link.writer, link.number, link.entry, link.previous)
    ]
    for before, after in pairwise(links):
        if after.number != before.number + 1:
            problems.append(f"{after.writer} {after.number}: links before it are missing")
        elif after.previous != before.hash:
            problems.append(f"{after.writer} {after.number}: it follows another link than the one before it")
    by_number = {link.number: link for link in links}
    first = links[0].number if links else 0
    for anchor in anchors:
        link = by_number.get(anchor.number)
        if link is None:
            if not links or anchor.number >= first:
                problems.append(f"{anchor.writer} {anchor.number}: it was anchored, and is missing")
        elif link.hash != anchor.hash:
            problems.append(f"{anchor.writer} {anchor.number}: it is not the link that was anchored")
        elif key and not hmac.compare_digest(anchor.signature, _signature(link, anchor.at, key)):
            problems.append(f"{anchor.writer} {anchor.number}: its anchor is not signed by this key")
    return problems


def _signature(link: Link, at: datetime, key: bytes) -> str:
    if not key:
        return ""
    signed = f"{link.writer} {link.number} {link.hash} {instant_to_wire(at)}"
    return hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()

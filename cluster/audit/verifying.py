"""Looks whether the record of who did what is as it was written."""

from __future__ import annotations

from dataclasses import dataclass

from optionchain.access.audit import problems_of
from optionchain.ports import AuditRepository


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found.

    Attributes:
        entries: How many there are.
        chains: Of how many writers.
        problems: What was changed or left out, a line each.
    """

    entries: int
    chains: int
    problems: list[str]


async def verified(repository: AuditRepository, key: str) -> Verified:
    """Look at the whole record.

    Args:
        repository: Where it is.
        key: By which the ends of its chains are signed; empty where that is not to be looked at.
    """
    entries, problems = 0, list[str]()
    writers = await repository.writers()
    for writer in writers:
        links, anchors = await repository.chain(writer)
        entries += len(links)
        problems += problems_of(links, anchors, key.encode())
    return Verified(entries, len(writers), problems)

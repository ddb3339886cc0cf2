"""Chains of entries: whatever is changed or left out afterwards is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from optionchain.access.audit import FIRST, AuditEntry, Chain, Link, anchor_of, link_hash, problems_of

NOW = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
KEY = b"only the writer has it"


def entry(number: int) -> AuditEntry:
    return AuditEntry(
        at=NOW + timedelta(seconds=number),
        action="DELETE /api/v1/keys/{id}",
        target=f"/api/v1/keys/{number}",
        tenant="owner",
        subject="owner",
        address="192.0.2.7",
        status=200,
        request_id="mine",
    )


@pytest.fixture
def links() -> list[Link]:
    chain = Chain("anna")
    return [chain.add(entry(number)) for number in range(5)]


def test_a_chain_begins_from_nothing_and_counts_from_one(links: list[Link]) -> None:
    assert (links[0].number, links[0].previous) == (1, FIRST)
    assert [link.previous for link in links[1:]] == [link.hash for link in links[:-1]]


def test_what_was_written_has_no_problems(links: list[Link]) -> None:
    assert problems_of(links, [anchor_of(links[2], NOW, KEY), anchor_of(links[4], NOW, KEY)], KEY) == []
    assert problems_of([], [], KEY) == []


def test_so_has_what_is_left_when_the_oldest_were_deleted(links: list[Link]) -> None:
    assert problems_of(links[2:], [anchor_of(links[0], NOW, KEY), anchor_of(links[4], NOW, KEY)], KEY) == []


@pytest.mark.parametrize("field", ["action", "target", "tenant", "subject", "address", "request_id"])
def test_a_changed_entry_is_found(field: str, links: list[Link]) -> None:
    links[1] = replace(links[1], entry=replace(links[1].entry, **{field: "another"}))

    assert problems_of(links, [], KEY) == ["anna 2: what it says was changed"]


def test_a_changed_entry_with_a_new_hash_is_found_by_the_next(links: list[Link]) -> None:
    changed = replace(links[1].entry, status=403)
    links[1] = Link("anna", 2, changed, links[0].hash, link_hash("anna", 2, changed, links[0].hash))

    assert problems_of(links, [], KEY) == ["anna 3: it follows another link than the one before it"]


def test_an_entry_that_was_left_out_is_found(links: list[Link]) -> None:
    del links[2]

    assert problems_of(links, [], KEY) == ["anna 4: links before it are missing"]


def test_a_chain_that_was_cut_short_or_written_anew_is_found_by_its_anchor(links: list[Link]) -> None:
    anchor, other = anchor_of(links[4], NOW, KEY), Chain("anna")
    anew = [other.add(replace(entry(number), tenant="mallory")) for number in range(5)]

    assert problems_of(links[:4], [anchor], KEY) == ["anna 5: it was anchored, and is missing"]
    assert problems_of([], [anchor], KEY) == ["anna 5: it was anchored, and is missing"]
    assert problems_of(anew, [anchor], KEY) == ["anna 5: it is not the link that was anchored"]


def test_an_anchor_needs_the_key(links: list[Link]) -> None:
    forged, unsigned = anchor_of(links[4], NOW, b"another key"), anchor_of(links[4], NOW, b"")
    moved = replace(anchor_of(links[4], NOW, KEY), at=NOW + timedelta(days=1))

    for anchor in (forged, unsigned, moved):
        assert problems_of(links, [anchor], KEY) == ["anna 5: its anchor is not signed by this key"]
        assert problems_of(links, [anchor], b"") == [], "without a key nobody looks at signatures"

"""The sessions by which a backup is proven are chosen whatever passes, and are those that it holds."""

from __future__ import annotations

from typing import Any

from adapters.copies import Entry, entry_id
from cluster.backup.manifest import Sample
from cluster.backup.samples import SAMPLES, Chosen

NAMES = [f"session-{number}" for number in range(50)]


def item(name: str, **fields: Any) -> dict[str, Any]:
    return {"_id": name, "fields": fields}


def chosen_names(chosen: Chosen) -> set[str]:
    return set(chosen._items)


def test_the_same_are_chosen_in_whatever_order_they_pass() -> None:
    forth, back = Chosen(), Chosen()
    for name in NAMES:
        forth.offer([item(name)])
    back.offer([item(name) for name in reversed(NAMES)])

    assert chosen_names(forth) == chosen_names(back)
    assert len(chosen_names(back)) == SAMPLES


def test_one_that_passes_again_counts_once_and_as_it_is_then() -> None:
    chosen = Chosen()
    chosen.offer([item("a", step=1), item("a", step=2)])
    chosen.offer([item("b"), item("a", step=3)])

    assert chosen_names(chosen) == {"a", "b"}
    assert chosen._items["a"]["fields"] == {"step": 3}


def test_samples_of_the_base_hold_for_what_has_not_changed() -> None:
    kept, changed, deleted = (Sample(name, 1, "digest") for name in ("kept", "changed", "deleted"))
    chosen = Chosen([kept, changed, deleted])
    entries = [Entry(entry_id(name), b"mark") for name in ("kept", "changed")]

    chosen.offer([item("changed")], entries)
    chosen._items.clear()  # what they show is another matter

    assert chosen.samples() == [kept]


def test_a_session_that_changes_while_all_are_read_is_no_sample_of_the_base() -> None:
    chosen = Chosen([Sample("a", 1, "digest")])
    chosen.offer([], [Entry(entry_id("a"), b"mark")])
    chosen.offer([item("a")], [Entry(entry_id("a"), b"another")])
    chosen._items.clear()

    assert chosen.samples() == []

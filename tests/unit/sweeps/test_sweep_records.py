"""What is known of sweeps, in a folder: after a restart too, and as earlier releases recorded it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster.sweeps.records import SweepRecord, SweepRecords
from optionchain.errors import HasFailed, NotFound, NotOver, Overloaded
from optionchain.observing import Unobserved

DEFINITION = {"base": {"steps": 3}, "seed": 2**63}


@pytest.fixture
def open_records(tmp_path: Path) -> Callable[[], SweepRecords]:
    return lambda: SweepRecords(str(tmp_path), Unobserved())


@pytest.fixture
def records(open_records: Callable[[], SweepRecords]) -> SweepRecords:
    return open_records()


def begun(records: SweepRecords, identity: str, owner: str = "first", **facts: Any) -> SweepRecord:
    record = SweepRecord(id=identity, owner=owner, task="t", run=f"r{identity}", scenarios=6, **facts)
    records.begin(record, DEFINITION, most_unfinished=10)
    return record


def over(records: SweepRecords, record: SweepRecord, ended_at: float, state: str = "succeeded") -> None:
    records.keep_table(record.id, b"table")
    records.keep(replace(record, state=state, ended_at=ended_at))


def test_what_is_over_is_remembered(records: SweepRecords, open_records: Callable[[], SweepRecords]) -> None:
    record = begun(records, "a", submitted_at=1.5)
    with pytest.raises(NotOver):
        records.table("first", "a")

    over(records, record, 2.5)

    for each in (records, open_records()):
        assert each.find("first", "a") == replace(record, state="succeeded", ended_at=2.5)
        assert each.definition("first", "a") == DEFINITION
        assert each.table("first", "a") == b"table"
        assert each.unfinished() == []


def test_what_failed_has_no_table(records: SweepRecords) -> None:
    over(records, begun(records, "a"), 1.0, "failed")

    with pytest.raises(HasFailed):
        records.table("first", "a")


def test_progress_is_that_of_the_run_that_computes_it_and_is_not_kept(
    records: SweepRecords, open_records: Callable[[], SweepRecords]
) -> None:
    record = begun(records, "a")
    records.moved("a", "ra", "running", {"share": 0.5})
    records.moved("a", "another", "queued", {"share": 0.1})
    records.moved("a", "ra", "running")

    assert records.find("first", "a") == replace(record, state="running", progress={"share": 0.5})
    assert open_records().find("first", "a") == record
    records.keep(replace(record, state="cancelled"))
    records.moved("a", "ra", "running")
    assert records.find("first", "a").state == "cancelled"


def test_an_owner_has_so_many_that_are_not_over(records: SweepRecords) -> None:
    record = begun(records, "a")
    begun(records, "b", owner="second")
    another = SweepRecord(id="c", owner="first")
    with pytest.raises(Overloaded):
        records.begin(another, DEFINITION, most_unfinished=1)
    records.begin(record, DEFINITION, most_unfinished=1)  # it is the one
    over(records, record, 1.0)

    records.begin(another, DEFINITION, most_unfinished=1)

    assert records.known("c") == another


def test_an_owner_sees_no_others(records: SweepRecords) -> None:
    for number, (identity, owner) in enumerate((("a", "first"), ("b", "first"), ("d", "second"))):
        begun(records, identity, owner=owner, submitted_at=float(number))

    total, page = records.listed("first", offset=1, limit=5)

    assert (total, [record.id for record in page]) == (2, ["a"])
    for call in (records.find, records.definition, records.table):
        with pytest.raises(NotFound):
            call("first", "d")


def test_the_oldest_of_whoever_has_most_are_forgotten(records: SweepRecords, tmp_path: Path) -> None:
    for number, (identity, owner) in enumerate(
        (("a", "first"), ("b", "second"), ("c", "second"), ("d", "second"))
    ):
        over(records, begun(records, identity, owner=owner), float(number))
    begun(records, "e", owner="second")

    assert [record.id for record in records.prune(2)] == ["b", "c"]

    assert {path.name for path in tmp_path.iterdir()} == {"a", "d", "e"}
    assert records.prune(2) == []


def test_what_an_earlier_release_recorded_is_known(
    tmp_path: Path, open_records: Callable[[], SweepRecords]
) -> None:
    state = {
        "scenarios": 6,
        "paths": 20,
        "error": None,
        "attempts": 2,
        "submitted_at": 5.0,
        "ended_at": 6.0,
        "is_wanted": True,
    }
    for identity, word, request in (
        ("done", "completed", {"owner": "first", "sweep": {"paths": 20}}),
        ("open", "running", {"owner": "first", "kind": "sweep", "parameters": {"paths": 20}}),
    ):
        (tmp_path / identity).mkdir()
        (tmp_path / identity / "state.json").write_text(json.dumps(state | {"state": word}))
        (tmp_path / identity / "request.json").write_text(json.dumps(request))

    records = open_records()

    done = records.find("first", "done")
    assert (done.state, done.scenarios, done.paths, done.submitted_at) == ("succeeded", 6, 20, 5.0)
    assert {identity: records.definition("first", identity) for identity in ("done", "open")} == {
        "done": {"paths": 20},
        "open": {"paths": 20},
    }
    assert [(record.id, record.state, record.run) for record in records.unfinished()] == [
        ("open", "queued", "")
    ]


def test_what_was_not_accepted_is_forgotten(records: SweepRecords, tmp_path: Path) -> None:
    begun(records, "a")

    records.drop("a")

    assert (records.known("a"), list(tmp_path.iterdir())) == (None, [])

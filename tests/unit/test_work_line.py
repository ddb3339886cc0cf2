"""What a line of work promises, on the line that ships: folders. Another adapter passes the same tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.files.work_folders import WorkFolders
from optionchain.errors import HasFailed, LeaseLost, NotFound, NotOver, Overloaded
from optionchain.ports.work import Lease, Work, WorkLine

SECONDS = 60.0
PARAMETERS = {"base": {"steps": 3}, "seed": 2**63}


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_line(tmp_path: Path, clock: Clock) -> Callable[[], WorkFolders]:
    return lambda: WorkFolders(str(tmp_path), "sweep", clock=clock)


@pytest.fixture
def line(open_line: Callable[[], WorkFolders]) -> WorkLine:
    return open_line()


def submit(line: WorkLine, identity: str, owner: str = "first", **parameters: Any) -> Work:
    work = Work(id=identity, kind="sweep", owner=owner, facts={"scenarios": 6})
    return line.submit(work, PARAMETERS | parameters, most_unfinished=10)


def claim(line: WorkLine, **options: Any) -> Lease:
    lease = line.claim({"sweep"}, seconds=SECONDS, **options)
    assert lease is not None
    return lease


def test_work_is_done_once_and_remembered(line: WorkLine, open_line: Callable[[], WorkLine]) -> None:
    queued = submit(line, "a")
    lease = claim(line)
    told = line.report(lease, seconds=SECONDS, progress={"share": 0.5})
    done = line.finish(lease, "succeeded", result=b"table")

    assert (queued.state, lease.work.state, told.progress, done.state) == (
        "queued", "running", {"share": 0.5}, "succeeded",
    )  # fmt: skip
    assert (lease.parameters, lease.token) == (PARAMETERS, 1)
    assert line.claim({"sweep"}, seconds=SECONDS) is None
    for each in (line, open_line()):
        kept = each.find("first", "a")
        assert (kept.state, kept.facts, kept.attempts) == ("succeeded", {"scenarios": 6}, 1)
        assert kept.submitted_at <= (kept.ended_at or 0.0)
        assert each.result("first", "a") == b"table"


def test_the_same_work_again_is_the_same_until_it_failed(line: WorkLine) -> None:
    first = submit(line, "a")
    assert submit(line, "a") == first
    line.finish(claim(line), "failed", error="no")
    with pytest.raises(HasFailed):
        line.result("first", "a")

    again = submit(line, "a", seed=1)

    assert (again.state, again.error) == ("queued", None)
    lease = claim(line)
    assert (lease.parameters["seed"], lease.token) == (1, 2)
    line.finish(lease, "succeeded", result=b"")
    assert submit(line, "a").state == "succeeded"


def test_what_waited_longest_is_claimed_first_and_by_who_can_do_it(line: WorkLine) -> None:
    for identity in ("a", "b", "c"):
        submit(line, identity)

    assert line.claim({"export"}, seconds=SECONDS) is None
    assert [claim(line).work.id for _ in range(3)] == ["a", "b", "c"]


def test_many_workers_claim_each_piece_once(line: WorkLine) -> None:
    for index in range(20):
        line.submit(Work(id=f"w{index}", kind="sweep", owner="first"), {}, most_unfinished=20)
    claimed: list[str] = []

    def take() -> None:
        while (lease := line.claim({"sweep"}, seconds=SECONDS)) is not None:
            claimed.append(lease.work.id)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(claimed) == sorted(f"w{index}" for index in range(20))


def test_a_silent_worker_loses_its_lease_and_is_fenced_off(line: WorkLine, clock: Clock) -> None:
    submit(line, "a")
    silent = claim(line)
    clock.seconds += SECONDS / 2
    line.report(silent, seconds=SECONDS)
    clock.seconds += SECONDS * 0.9
    assert line.claim({"sweep"}, seconds=SECONDS) is None  # renewed in time
    clock.seconds += SECONDS * 0.2

    other = claim(line)

    assert (silent.token, other.token) == (1, 2)
    with pytest.raises(LeaseLost):
        line.report(silent, seconds=SECONDS)
    with pytest.raises(LeaseLost):
        line.finish(silent, "succeeded", result=b"of the silent one")
    assert line.find("first", "a").state == "running"
    line.finish(other, "succeeded", result=b"of the other")
    assert line.result("first", "a") == b"of the other"
    with pytest.raises(LeaseLost):
        line.finish(other, "failed")


def test_who_opens_the_folder_takes_up_what_was_not_over_and_fences_the_others_off(
    line: WorkLine, open_line: Callable[[], WorkLine], clock: Clock
) -> None:
    submit(line, "a")
    before = claim(line)

    after = open_line()
    lease = claim(after)

    assert lease.token > before.token
    clock.seconds += SECONDS / 2
    with pytest.raises(LeaseLost):
        line.report(before, seconds=SECONDS)
    with pytest.raises(LeaseLost):
        line.finish(before, "succeeded", result=b"old")
    after.finish(lease, "succeeded", result=b"new")
    assert open_line().result("first", "a") == b"new"


def test_what_is_cancelled_while_it_waits_is_claimed_apart(line: WorkLine) -> None:
    submit(line, "a")

    assert not line.cancel("first", "a").is_wanted

    assert line.claim({"sweep"}, seconds=SECONDS) is None
    lease = claim(line, is_wanted=False)
    assert line.finish(lease, "cancelled", result=b"part").state == "cancelled"
    assert line.result("first", "a") == b"part"
    assert line.cancel("first", "a").state == "cancelled"


def test_what_is_wanted_again_while_it_stops_is_queued_anew(line: WorkLine) -> None:
    submit(line, "a")
    lease = claim(line)
    line.cancel("first", "a")
    assert not line.report(lease, seconds=SECONDS).is_wanted
    submit(line, "a")

    assert line.finish(lease, "cancelled", result=b"part").state == "queued"

    assert claim(line).token == 2


def test_a_cancellation_survives_a_restart(line: WorkLine, open_line: Callable[[], WorkLine]) -> None:
    submit(line, "a")
    claim(line)
    line.cancel("first", "a")

    assert open_line().claim({"sweep"}, seconds=SECONDS) is None
    assert claim(open_line(), is_wanted=False).work.id == "a"


def test_an_owner_has_so_many_and_sees_no_others(line: WorkLine) -> None:
    for identity in ("a", "b"):
        submit(line, identity)
    with pytest.raises(Overloaded):
        line.submit(Work(id="c", kind="sweep", owner="first"), {}, most_unfinished=2)
    submit(line, "d", owner="second")

    total, page = line.listed("first", offset=1, limit=5)

    assert (total, [work.id for work in page]) == (2, ["a"])
    for call in (line.find, line.cancel, line.result):
        with pytest.raises(NotFound):
            call("first", "d")
    with pytest.raises(NotOver):
        line.result("second", "d")


def test_the_oldest_of_whoever_has_most_are_forgotten(line: WorkLine, tmp_path: Path) -> None:
    for identity, owner in (("a", "first"), ("b", "second"), ("c", "second"), ("d", "second")):
        submit(line, identity, owner=owner)
        line.finish(claim(line), "succeeded", result=b"")
    submit(line, "e", owner="second")

    assert [work.id for work in line.prune(2)] == ["b", "c"]

    assert {path.name for path in tmp_path.iterdir()} == {"a", "d", "e"}
    assert line.prune(2) == []


def test_what_an_earlier_release_recorded_is_known(tmp_path: Path, open_line: Callable[[], WorkLine]) -> None:
    state = {
        "scenarios": 6,
        "paths": 20,
        "error": None,
        "submitted_at": 5.0,
        "ended_at": 6.0,
        "is_wanted": True,
    }
    for identity, word in (("done", "completed"), ("open", "running")):
        (tmp_path / identity).mkdir()
        (tmp_path / identity / "state.json").write_text(json.dumps(state | {"state": word}))
        (tmp_path / identity / "request.json").write_text(
            json.dumps({"owner": "first", "sweep": {"paths": 20}})
        )

    line = open_line()

    done = line.find("first", "done")
    assert (done.state, done.facts, done.submitted_at) == ("succeeded", {"scenarios": 6, "paths": 20}, 5.0)
    lease = claim(line)
    assert (lease.work.id, lease.parameters) == ("open", {"paths": 20})


def test_a_result_that_could_not_be_stored_is_made_again(
    line: WorkLine, clock: Clock, tmp_path: Path
) -> None:
    submit(line, "a")
    lease = claim(line)
    in_the_way = tmp_path / "a" / "table.parquet.part"
    in_the_way.mkdir()
    with pytest.raises(OSError, match="table"):
        line.finish(lease, "succeeded", result=b"table")
    in_the_way.rmdir()

    clock.seconds += 2 * SECONDS

    line.finish(claim(line), "succeeded", result=b"table")
    assert line.result("first", "a") == b"table"


def test_owners_take_turns_however_many_one_has_submitted(line: WorkFolders) -> None:
    for number in range(5):
        line.submit(Work(id=f"many{number}", kind="sweep", owner="many"), {}, most_unfinished=20)
    for owner in ("few", "other"):
        line.submit(Work(id=owner, kind="sweep", owner=owner), {}, most_unfinished=20)

    claimed = []
    for _ in range(5):
        lease = line.claim({"sweep"}, seconds=60.0)
        assert lease is not None
        claimed.append(lease.work.id)
        if lease.work.owner != "many":
            line.finish(lease, "succeeded")

    assert claimed == ["many0", "few", "other", "many1", "many2"]

"""What callers read of a session: its cursor at each snapshot, by the words of its kind, and what a store must hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from optionchain.ports import Checkpoint
from optionchain.session import SessionKind, SessionState, ShowSnapshots
from optionchain.wire.sessions import session_json, snapshots_json
from tests.unit.sessions.small_sessions import ROLLING_TOO_FAR, session

BODIES = [b'{"of":0}', b'{"of":1}', b'{"of":2}']
CHAIN = replace(session("s"), current_step=7, state=SessionState.IN_PROGRESS, version=4)
SIMULATION = replace(CHAIN, kind=SessionKind.SIMULATION, state=SessionState.MODIFIED)


def shown(of: Any, *, is_served: bool = True, as_list: bool = True) -> Any:
    reply = ShowSnapshots(4, len(BODIES), "none", is_served=is_served, as_list=as_list)
    return orjson.loads(snapshots_json(of, reply, BODIES))


@pytest.mark.parametrize(("is_served", "cursors"), [(True, [5, 6, 7]), (False, [4, 5, 6])])
def test_each_snapshot_of_a_list_has_the_cursor_that_it_would_have_had_alone(
    is_served: bool, cursors: list[int]
) -> None:
    assert shown(CHAIN, is_served=is_served) == {
        "snapshots": [
            {"of": number, "session_info": {"id": "s", "current_step": cursor, "total_steps": 10}}
            for number, cursor in enumerate(cursors)
        ]
    }


def test_a_snapshot_of_a_simulation_begins_with_its_state_then() -> None:
    assert shown(SIMULATION) == {
        "snapshots": [
            {
                "id": "s",
                "state": state,
                "version": 4,
                "cursor": {"current_step": cursor, "total_steps": 10},
                "of": number,
            }
            for number, (cursor, state) in enumerate(
                [(5, "in_progress"), (6, "in_progress"), (7, "modified")]
            )
        ]
    }


def test_one_snapshot_is_no_list() -> None:
    assert shown(CHAIN, as_list=False)["of"] == 0


def test_a_simulation_without_recorded_days_has_no_gaps() -> None:
    simulation = orjson.loads(session_json(replace(SIMULATION, parameters=ROLLING_TOO_FAR)))

    assert "gaps" not in simulation
    assert simulation["state"] == "modified"


def test_a_store_must_hold_what_a_session_was_made_from() -> None:
    step = Checkpoint(replace(CHAIN, version=5), CHAIN)
    change = Checkpoint(replace(CHAIN, version=5, parameters=replace(CHAIN.parameters, seed=2)), CHAIN)
    creation = Checkpoint(CHAIN, None)

    assert [each.expected_version for each in (step, change, creation)] == [4, 4, 0]
    assert [each.changes_parameters for each in (step, change, creation)] == [False, True, True]

"""A session as a hash of Redis, and what its keyed commands were given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from optionchain.ports import Checkpoint
from optionchain.session import Served, Session, SessionKind, SessionState
from optionchain.wire.parameters import parameters_from_wire, parameters_to_wire


def score_of(first: Any) -> float:
    """Of the one member of a ``ZRANGE ... WITHSCORES``, as RESP 2 or 3 has it."""
    (entry, *rest) = first
    return float(rest[0] if rest else entry[1])


def new_keyed(checkpoint: Checkpoint) -> list[Any]:
    """What the keyed commands of a checkpoint were given that its session did not know before: names and values."""
    session = checkpoint.session
    keyed = [one for one in session.remembered if one.is_keyed]
    if keyed and checkpoint.before is not None:
        before = {one.command_id for one in checkpoint.before.remembered}
        keyed = [one for one in keyed if one.command_id not in before]
    # No version is as old as 0: what was given of parameters that are gone already is outdated from the first.
    return [
        part
        for one in keyed
        for part in (
            one.command_id,
            f"{one.first_step} {one.count} {0 if one.is_outdated else session.version}",
        )
    ]


def recalled(command_id: str, given: bytes, since: int) -> Served:
    first_step, count, version = map(int, given.split())
    return Served(command_id, first_step, count, is_keyed=True, is_outdated=version < since)


def hash_fields(checkpoint: Checkpoint) -> list[Any]:
    session = checkpoint.session
    fields: dict[str, Any] = {
        "current_step": session.current_step,
        "state": session.state.value,
        "updated_at": session.updated_at.isoformat(),
    }
    if checkpoint.changes_parameters:
        fields["parameters"] = orjson.dumps(parameters_to_wire(session.parameters))
        fields["since"] = session.parameters_since
    if checkpoint.before is None:
        fields["owner"] = session.owner
        fields["surface"] = session.kind.value
        fields["created_at"] = session.created_at.isoformat()
    return [part for pair in fields.items() for part in pair]


def fields_of(answer: Any) -> dict[str, bytes]:
    items = answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
    return {name.decode(): value for name, value in items}


def session_of(session_id: str, fields: Mapping[str, bytes]) -> Session:
    return Session(
        id=session_id,
        owner=fields["owner"].decode(),
        kind=SessionKind(fields["surface"].decode()),
        parameters=parameters_from_wire(orjson.loads(fields["parameters"])),
        created_at=datetime.fromisoformat(fields["created_at"].decode()),
        updated_at=datetime.fromisoformat(fields["updated_at"].decode()),
        current_step=int(fields["current_step"]),
        state=SessionState(fields["state"].decode()),
        version=int(fields["version"]),
        parameters_since=int(fields.get("since", 1)),
        served=tuple(Served(*entry) for entry in orjson.loads(fields["served"])),
    )

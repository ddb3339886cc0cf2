"""Sessions and their snapshots as the JSON bytes that HTTP clients get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import orjson

from optionchain.declared.parameters import declared_parameters
from optionchain.draws.philox import RNG_NAME
from optionchain.expirations import calendar_version, schedule_to_wire, tzdb_version
from optionchain.models.recorded import without_recording
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.recorded_days import gaps_of
from optionchain.session import Session, SessionKind, SessionState, ShowSnapshots
from optionchain.wire.instants import instant_to_wire
from optionchain.wire.parameters import fields_to_wire, shown

_SNAKE_CASE_STATES = {state: state.value.lower().replace(" ", "_") for state in SessionState}


def session_json(session: Session) -> bytes:
    """The session as its kind is shown: v1 shows chains, v2 simulations."""
    show = _chain_session if session.kind is SessionKind.CHAIN else _simulation
    return orjson.dumps(show(session))


def deletion_json(session: Session) -> bytes:
    """The answer to a deletion."""
    message = f"Session deleted successfully: {session.id}"
    return orjson.dumps({"message": message, "session_id": session.id})


def snapshots_json(session: Session, reply: ShowSnapshots, bodies: Sequence[bytes]) -> bytes:
    """Put the session's name and cursor to rendered snapshots.

    Args:
        session: The session after the command.
        reply: Which snapshots they are, and whether the cursor went past them.
        bodies: One ``b'{...}'`` a snapshot, of `optionchain.wire.snapshots`.

    Returns:
        The snapshot, or ``{"snapshots": [...]}`` of the very bytes that single steps would have given.
    """
    named = [
        _named(session, reply.first_step + index + int(reply.is_served), body)
        for index, body in enumerate(bodies)
    ]
    if not reply.as_list:
        return named[0]
    return b'{"snapshots":[' + b",".join(named) + b"]}"


def _named(session: Session, cursor: int, body: bytes) -> bytes:
    if session.kind is SessionKind.CHAIN:
        info = {"id": session.id, "current_step": cursor, "total_steps": session.total_steps}
        return b"%b,%b" % (body[:-1], b'"session_info":' + orjson.dumps(info) + b"}")
    head = {
        "id": session.id,
        "state": _SNAKE_CASE_STATES[_state_at(session, cursor)],
        "version": session.version,
        "cursor": {"current_step": cursor, "total_steps": session.total_steps},
    }
    return orjson.dumps(head)[:-1] + b"," + body[1:]


def _state_at(session: Session, cursor: int) -> SessionState:
    if cursor == session.current_step:
        return session.state
    return SessionState.IN_PROGRESS


def _chain_session(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "created_at": instant_to_wire(session.created_at),
        "updated_at": instant_to_wire(session.updated_at),
        "parameters": _chain_parameters(session.parameters),
        "current_step": session.current_step,
        "total_steps": session.total_steps,
        "state": session.state.value,
    }


# The market model among those that are declared, where it stands in `SimulationParameters`.
_MARKET = tuple(
    field.name for field in fields(SimulationParameters) if field.name in {*declared_parameters(), "method"}
)


def _market_parameters(parameters: SimulationParameters) -> dict[str, Any]:
    wire = fields_to_wire(shown(parameters, _MARKET))
    return wire | {"method": without_recording(wire["method"])}


def _chain_parameters(parameters: SimulationParameters) -> dict[str, Any]:
    expirations = parameters.expirations
    return _market_parameters(parameters) | {
        "time_frame": parameters.time_frame.rendered,
        "days_to_expiration": expirations.days if isinstance(expirations, SingleExpiration) else None,
        "start_at": instant_to_wire(parameters.start_at),
    }


def _simulation(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "state": _SNAKE_CASE_STATES[session.state],
        "version": session.version,
        "cursor": {"current_step": session.current_step, "total_steps": session.total_steps},
        "created_at": instant_to_wire(session.created_at),
        "updated_at": instant_to_wire(session.updated_at),
        "parameters": replay_request(session.parameters),
    } | _gaps(session.parameters)


def _gaps(parameters: SimulationParameters) -> dict[str, list[str]]:
    """The sessions of recorded days without a chain; nothing where none are recorded."""
    gaps = gaps_of(parameters)
    return {} if gaps is None else {"gaps": [day.isoformat() for day in gaps]}


def shown_parameters(parameters: SimulationParameters) -> dict[str, Any]:
    """Parameters as the answers of their kind show them: a request with them gives the same session."""
    if isinstance(parameters.expirations, SingleExpiration):
        return _chain_parameters(parameters)
    return replay_request(parameters)


def replay_request(parameters: SimulationParameters) -> dict[str, Any]:
    """Every replay input: a request with this body gives the same simulation."""
    schedule = parameters.expirations
    if isinstance(schedule, SingleExpiration):
        raise TypeError("a simulation has a schedule")
    start_at = instant_to_wire(parameters.start_at)
    return (
        _market_parameters(parameters)
        | schedule_to_wire(schedule)
        | {
            "time_frame": parameters.time_frame.to_wire(),
            "start_at": start_at,
            "effective_start": start_at,
            "step_interval_seconds": int(parameters.interval.total_seconds()),
            "tzdb_version": tzdb_version(),
            "calendar_version": calendar_version(schedule.calendar),
            "rng": RNG_NAME,
            "numerics": parameters.numerics,
        }
    )

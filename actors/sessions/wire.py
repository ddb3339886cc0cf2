"""Calls and answers as bytes on a direct line: MessagePack of a fixed shape, where nothing can be but what is here."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias, assert_never

from msgspec import DecodeError, Struct, ValidationError, msgpack

from actors.line.frames import BadFrame, Frame
from actors.sessions.messages import Answer, Call
from optionchain import errors
from optionchain.chains import GreekSet
from optionchain.context import Context, Principal
from optionchain.errors import Defect, OptionChainError
from optionchain.session import (
    CREATION,
    Advance,
    Command,
    Create,
    Delete,
    Inspect,
    Peek,
    Reinitialize,
    Session,
    SessionKind,
)
from optionchain.wire.parameters import (
    fields_from_wire,
    fields_to_wire,
    parameters_from_wire,
    parameters_to_wire,
)

# Kinds of frames: what an answer is.
REPLY, REFUSAL = 0, 1


class _Inspect(Struct, array_like=True, tag="inspect"):
    pass


class _Peek(Struct, array_like=True, tag="peek"):
    greeks: GreekSet


class _Advance(Struct, array_like=True, tag="advance"):
    command_id: str
    expected_step: int | None
    count: int | None
    greeks: GreekSet
    is_keyed: bool


class _Create(Struct, array_like=True, tag="create"):
    """A new session: nothing was served of it yet."""

    parameters: dict[str, Any]
    created_at: datetime
    version: int
    is_keyed: bool


class _Reinitialize(Struct, array_like=True, tag="reinitialize"):
    command_id: str
    changes: dict[str, Any]


class _Delete(Struct, array_like=True, tag="delete"):
    pass


_Command: TypeAlias = _Inspect | _Peek | _Advance | _Create | _Reinitialize | _Delete


class _Call(Struct, array_like=True):
    session_id: str
    tenant: str
    subject: str
    roles: tuple[str, ...]
    expires_at: float
    trace: str
    kind: str
    command: _Command


_encode = msgpack.Encoder().encode
_decode_call = msgpack.Decoder(_Call).decode
_decode_refusal = msgpack.Decoder(tuple[str, tuple[str | int | float | None, ...]]).decode

_REFUSALS: dict[str, type[OptionChainError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, OptionChainError)
}
_KINDS = {kind.value: kind for kind in SessionKind}


def call_to_wire(call: Call) -> bytes:
    """A call as it travels."""
    principal, expires_at, trace = call.context
    return _encode(
        _Call(
            call.session_id,
            principal.tenant,
            principal.subject,
            tuple(principal.roles),
            expires_at,
            trace,
            call.kind.value,
            _command_to_wire(call.command),
        )
    )


def call_from_wire(body: bytes) -> Call:
    """The inverse of `call_to_wire`.

    Raises:
        BadFrame: It is none.
        InvalidInput: A parameter is out of range.
    """
    try:
        wire = _decode_call(body)
        kind = _KINDS[wire.kind]
    except (DecodeError, ValidationError, KeyError) as error:
        raise BadFrame("not a call") from error
    principal = Principal(wire.tenant, wire.subject, frozenset(wire.roles))
    context = Context(principal, wire.expires_at, wire.trace)
    return Call(wire.session_id, context, kind, _command_from_wire(wire, kind))


def answer_to_wire(answer: Answer) -> tuple[int, bytes]:
    """The kind and the bytes of an answer."""
    if isinstance(answer, bytes):
        return REPLY, answer
    return REFUSAL, _encode((type(answer).__name__, answer.args))


def answer_from_wire(frame: Frame) -> Answer:
    """The inverse of `answer_to_wire`; what cannot be read is a `Defect`."""
    if frame.kind == REPLY:
        return frame.body
    try:
        name, arguments = _decode_refusal(frame.body)
        return _REFUSALS[name](*arguments)
    except (DecodeError, ValidationError, KeyError, TypeError):
        return Defect()


def _command_to_wire(command: Command) -> _Command:
    match command:
        case Advance(command_id, expected_step, count, greeks, is_keyed):
            return _Advance(command_id, expected_step, count, greeks, is_keyed)
        case Peek(greeks):
            return _Peek(greeks)
        case Create(session):
            is_keyed = bool(session.recalled)
            parameters = parameters_to_wire(session.parameters)
            return _Create(parameters, session.created_at, session.version, is_keyed)
        case Inspect():
            return _Inspect()
        case Reinitialize(command_id, changes):
            return _Reinitialize(command_id, fields_to_wire(changes))
        case Delete():
            return _Delete()
    assert_never(command)


def _command_from_wire(call: _Call, kind: SessionKind) -> Command:
    match call.command:
        case _Advance() as advance:
            return Advance(
                advance.command_id, advance.expected_step, advance.count, advance.greeks, advance.is_keyed
            )
        case _Peek(greeks=greeks):
            return Peek(greeks)
        case _Create() as create:
            return Create(_new_session(call, kind, create))
        case _Inspect():
            return Inspect()
        case _Reinitialize(command_id=command_id, changes=changes):
            return Reinitialize(command_id, fields_from_wire(changes))
        case _Delete():
            return Delete()
    assert_never(call.command)


def _new_session(call: _Call, kind: SessionKind, create: _Create) -> Session:
    return Session(
        id=call.session_id,
        owner=call.tenant,
        kind=kind,
        parameters=parameters_from_wire(create.parameters),
        created_at=create.created_at,
        updated_at=create.created_at,
        version=create.version,
        recalled=(CREATION,) if create.is_keyed else (),
    )

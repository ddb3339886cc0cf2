"""Calls and answers come out of a direct line as they went in, and nothing else does."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from actors.line.frames import BadFrame, Frame
from actors.sessions.messages import Answer, Call
from actors.sessions.wire import REFUSAL, answer_from_wire, answer_to_wire, call_from_wire, call_to_wire
from optionchain import errors
from optionchain.context import Context, Principal
from optionchain.errors import Defect, InvalidInput, OptionChainError
from optionchain.expirations import DailyRule, MonthlyRule, Schedule
from optionchain.models import model_from_wire
from optionchain.parameters import SimulationParameters, SingleExpiration
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
from optionchain.time_frame import TimeFrame

NOW = datetime(2026, 1, 5, 15, 0, 0, 123456, tzinfo=UTC)
PARAMETERS = SimulationParameters(
    symbol="SPX ü",
    steps=6,
    initial_price=0.1 + 0.2,
    volatility=0.2,
    method=model_from_wire({"GeometricBrownian": {"dt": 0.004, "drift": 0.05, "volatility": 0.2}}),
    expirations=SingleExpiration(30.0),
    seed=2**64 - 1,
    path=2**63,
    start_at=NOW,
    step_interval=timedelta(microseconds=1),
    strike_interval=None,
)
ROLLING = replace(
    PARAMETERS,
    method=model_from_wire({"Historical": {"timeframe": "Day", "prices": [0.1 + 0.2] * 6}}),
    time_frame=TimeFrame.from_wire({"Custom": 365}, "time_frame"),
    step_interval=None,
    expirations=Schedule(
        timezone="America/New_York",
        expiration_time=time(16),
        rules=(
            DailyRule(rule_id="daily", target_count=2),
            MonthlyRule(rule_id="monthly", target_count=3, weekday="Fri"),
        ),
    ),
)
CONTEXT = Context(Principal("tenant", "somebody", frozenset({"admin"})), 1e9 + 0.1, "00-trace-01")
CHANGES: dict[str, Any] = {
    "volatility": 0.3,
    "seed": 2**64 - 1,
    "strike_interval": None,
    "symbol": "X",
    "method": PARAMETERS.method,
    "time_frame": ROLLING.time_frame,
    "start_at": NOW,
    "expirations": PARAMETERS.expirations,
    "step_interval": timedelta(seconds=5),
}


def session(parameters: SimulationParameters, **fields: Any) -> Session:
    return Session(
        id="s",
        owner=CONTEXT.principal.tenant,
        kind=SessionKind.SIMULATION,
        parameters=parameters,
        created_at=NOW,
        updated_at=NOW,
        version=1,
        **fields,
    )


@pytest.mark.parametrize(
    "command",
    [
        Inspect(),
        Delete(),
        Peek("all"),
        Create(session(PARAMETERS)),
        Create(session(ROLLING)),
        Create(session(replace(PARAMETERS, numerics="libraries"))),
        Reinitialize("c", CHANGES),
        Reinitialize("c", {}),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_command_arrives_as_it_was_sent(command: Command) -> None:
    call = Call("s", CONTEXT, SessionKind.SIMULATION, command)

    assert call_from_wire(call_to_wire(call)) == call


def test_a_keyed_creation_is_still_keyed() -> None:
    created = session(PARAMETERS, recalled=(CREATION,))

    arrived = call_from_wire(call_to_wire(Call("s", CONTEXT, created.kind, Create(created)))).command

    assert isinstance(arrived, Create)
    assert arrived.session.recalled == (CREATION,)


texts = st.text(max_size=20)
numbers = st.none() | st.integers(-1, 2**40)
contexts = st.builds(
    Context,
    st.builds(Principal, texts, texts, st.frozensets(texts, max_size=3)),
    st.floats(allow_nan=False),
    texts,
)
advances = st.builds(Advance, texts, numbers, numbers, st.sampled_from(["first", "all"]), st.booleans())


@given(st.builds(Call, texts, contexts, st.sampled_from(SessionKind), advances))
def test_every_step_arrives_as_it_was_sent(call: Call) -> None:
    assert call_from_wire(call_to_wire(call)) == call


ERRORS: list[OptionChainError] = [
    errors.InvalidInput("method.Heston.rho", "must be at most 1"),
    errors.NotFound("session", "s"),
    errors.Conflict("session", "s"),
    errors.Completed("s", 30),
    errors.PreconditionFailed(7),
    errors.Unavailable("the session store", 2.5),
    errors.Overloaded("the session actor"),
    errors.Defect(),
]


@pytest.mark.parametrize("answer", [b"", b'{"price":1}', *ERRORS], ids=lambda answer: type(answer).__name__)
def test_an_answer_arrives_as_it_was_given(answer: Answer) -> None:
    arrived = answer_from_wire(Frame(1, *answer_to_wire(answer)))

    assert type(arrived) is type(answer)
    assert arrived == answer if isinstance(answer, bytes) else str(arrived) == str(answer)
    assert vars(arrived) == vars(answer) if isinstance(arrived, OptionChainError) else True


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        pickle.dumps(Inspect()),
        msgpack.encode(["s", "t", "u", [], 1.0, "", "chain"]),
        msgpack.encode(["s", "t", "u", [], 1.0, "", "chain", ["explode"]]),
        msgpack.encode(["s", "t", "u", [], 1.0, "", "another kind", ["inspect"]]),
        msgpack.encode(["s", "t", "u", [], 1.0, "", "chain", ["peek", "none of ours"]]),
        msgpack.encode(["s", "t", "u", [], "soon", "", "chain", ["inspect"]]),
    ],
)
def test_what_is_no_call_is_refused(body: bytes) -> None:
    with pytest.raises(BadFrame):
        call_from_wire(body)


def test_parameters_that_no_replica_would_send_are_refused_by_name() -> None:
    body = call_to_wire(Call("s", CONTEXT, SessionKind.CHAIN, Create(session(PARAMETERS))))
    wire = msgpack.decode(body)
    wire[7][1]["steps"] = 0

    with pytest.raises(InvalidInput, match="steps"):
        call_from_wire(msgpack.encode(wire))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        msgpack.encode(["SystemExit", [1]]),
        msgpack.encode(["NotFound", []]),
        msgpack.encode([1]),
    ],
)
def test_a_refusal_that_cannot_be_read_is_a_defect_and_makes_nothing_else(body: bytes) -> None:
    assert type(answer_from_wire(Frame(1, REFUSAL, body))) is Defect

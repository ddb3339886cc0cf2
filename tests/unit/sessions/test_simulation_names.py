"""Which sessions show one simulation: each counts once, for as long as it is remembered."""

from __future__ import annotations

from dataclasses import replace

from actors.sessions.simulation_names import SimulationNames
from tests.unit.sessions.small_sessions import PARAMETERS, session

OTHER = replace(PARAMETERS, seed=2)


def test_a_simulation_is_shared_while_two_sessions_show_it() -> None:
    names = SimulationNames()
    name = names.name(session("a"))

    # The same session again, and as it is when it was loaded again.
    assert names.name(session("a")) == names.name(session("a", replace(PARAMETERS))) == name
    assert not names.is_shared(name)
    assert names.name(session("b")) == name
    assert names.is_shared(name)
    assert names.forget("b") is None, "another shows it yet"
    assert not names.is_shared(name)
    assert (names.forget("a"), names.forget("a")) == (name, None)


def test_a_session_whose_parameters_change_shows_another_one_and_not_the_first_any_more() -> None:
    names = SimulationNames()
    first = names.name(session("a"))

    assert names.name(session("a", OTHER)) != first
    assert names.name(session("b")) == first
    assert not names.is_shared(first)


def test_of_too_many_the_first_is_forgotten() -> None:
    names = SimulationNames(max_sessions=2)
    name = names.name(session("a"))
    names.name(session("b"))
    assert names.is_shared(name)

    names.name(session("c", OTHER))

    assert not names.is_shared(name)
    assert names.forget("b") == name

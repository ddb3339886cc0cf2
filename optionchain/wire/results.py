"""What is kept of the steps that a session was served, and how it is shown."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from optionchain.history.results import SimulationResult
from optionchain.session import Session
from optionchain.simulation import Simulation
from optionchain.wire.instants import instant_to_wire
from optionchain.wire.sessions import shown_parameters


def kept_result(session: Session, simulation: Simulation) -> SimulationResult:
    """The path of all steps that a session was served since its parameters became what they are.

    Quotes follow from it and the parameters, so they are not kept.

    Args:
        session: Of which at least one step was served.
        simulation: Of its parameters.
    """
    steps = session.current_step
    return SimulationResult(
        id=f"{session.id}-{session.parameters_since:010}",  # in their order as texts, too
        asset=session.parameters.symbol,
        parameters=orjson.dumps(shown_parameters(session.parameters)).decode(),
        prices=tuple(simulation.prices[:steps].tolist()),
        volatilities=tuple(simulation.volatilities[:steps].tolist()),
        stored_by=session.owner,
        stored_at=session.updated_at,
    )


def results_json(results: Sequence[SimulationResult]) -> bytes:
    """The results of one session: the parameters of each as a request that gives the same, and its steps."""
    shown = [
        {
            "parameters": orjson.Fragment(result.parameters),
            "served_steps": len(result.prices),
            "prices": result.prices,
            "volatilities": result.volatilities,
            "stored_at": instant_to_wire(result.stored_at),
        }
        for result in results
    ]
    return orjson.dumps({"data": shown})

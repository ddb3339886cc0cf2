"""The sessions that a chaos run steps: known to the last parameter, so that every body can be replayed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from optionchain.models import model_from_wire
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.session import Session, SessionKind, ShowSnapshots
from optionchain.simulation import Simulation
from optionchain.wire.sessions import snapshots_json
from optionchain.wire.snapshots import snapshot_body

START = datetime(2026, 1, 5, tzinfo=UTC)
STEPS = 10_000
METHODS: tuple[dict[str, Any], ...] = (
    {"GeometricBrownian": {"dt": 0.004, "drift": 0.05, "volatility": 0.2}},
    {
        "Heston": {
            "dt": 0.004,
            "drift": 0.05,
            "volatility": 0.2,
            "kappa": 2.0,
            "theta": 0.04,
            "xi": 0.3,
            "rho": -0.7,
        }
    },
    {"Garch": {"dt": 0.004, "drift": 0.05, "volatility": 0.2, "alpha": 0.1, "beta": 0.85}},
)


@dataclass(frozen=True)
class ChaosSession:
    """The session of one client.

    Args:
        number: Which client; it decides the seed and the model.
    """

    number: int

    @property
    def request(self) -> dict[str, Any]:
        """The body that creates it."""
        return {
            "symbol": "CHAOS",
            "steps": STEPS,
            "initial_price": 100.0,
            "days_to_expiration": 36_500.0,
            "volatility": 0.2,
            "risk_free_rate": 0.04,
            "dividend_yield": 0.0,
            "method": METHODS[self.number % len(METHODS)],
            "time_frame": "Day",
            "chain_size": 5,
            "strike_interval": 1.0,
            "seed": 2**64 - 1 - self.number,
            "start_at": START.isoformat(),
        }

    def replayed(self, session_id: str, index: int) -> bytes:
        """The body that must be served at an index."""
        reply = ShowSnapshots(index, 1, "none", is_served=True)
        session = Session(
            id=session_id,
            owner="",
            kind=SessionKind.CHAIN,
            parameters=self.parameters,
            created_at=START,
            updated_at=START,
            current_step=index + 1,
        )
        return snapshots_json(session, reply, [snapshot_body(self._simulation, index)])

    @cached_property
    def parameters(self) -> SimulationParameters:
        """What the request asks for."""
        request = self.request
        return SimulationParameters(
            symbol=request["symbol"],
            steps=STEPS,
            initial_price=request["initial_price"],
            volatility=request["volatility"],
            method=model_from_wire(request["method"]),
            expirations=SingleExpiration(request["days_to_expiration"]),
            seed=request["seed"],
            start_at=START,
            risk_free_rate=request["risk_free_rate"],
            chain_size=request["chain_size"],
            strike_interval=request["strike_interval"],
        )

    @cached_property
    def _simulation(self) -> Simulation:
        return Simulation(self.parameters)

"""Snapshots of simulations as the JSON that HTTP clients get, without what names their session.

A simulation with one expiration is shown as v1 shows it, one with rolling expirations as v2 does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from optionchain.chains import GreekSet, OptionChain
from optionchain.parameters import SingleExpiration
from optionchain.simulation import Simulation, chains_of
from optionchain.wire.contracts import v1_contracts, v2_chains
from optionchain.wire.instants import instant_to_wire


@dataclass(frozen=True, slots=True)
class Moment:
    """One step of a simulation, and which greeks its snapshot shows."""

    simulation: Simulation
    step: int
    greeks: GreekSet = "none"


def snapshot_bodies(moments: Sequence[Moment]) -> list[bytes]:
    """The snapshots of several moments, of one simulation or of many, priced in one pass.

    Args:
        moments: Which ones.

    Returns:
        One JSON object a moment, the same bytes whatever comes with it.

    Raises:
        IndexError: A simulation has no such step.
        InvalidInput: The parameters of one lead its chain out of range.
    """
    chains = chains_of([(moment.simulation, moment.step) for moment in moments])
    return [_rendered(moment, chain) for moment, chain in zip(moments, chains, strict=True)]


def snapshot_body(simulation: Simulation, step: int, greeks: GreekSet = "none") -> bytes:
    """The snapshot of one moment; arguments and errors as for `snapshot_bodies`."""
    return _rendered(Moment(simulation, step, greeks), simulation.chain(step))


def _rendered(moment: Moment, chain: OptionChain) -> bytes:
    parameters = moment.simulation.parameters
    simulated_at = instant_to_wire(parameters.simulated_at(moment.step))
    symbol, price = parameters.symbol, chain.underlying_price
    if isinstance(parameters.expirations, SingleExpiration):
        head = {"underlying": symbol, "timestamp": simulated_at, "price": price}
        return orjson.dumps(head)[:-1] + b',"contracts":' + v1_contracts(chain, moment.greeks) + b"}"
    underlying = {"symbol": symbol, "price": price, "base_volatility": chain.base_volatility}
    head = {"simulated_at": simulated_at, "underlying": underlying}
    return orjson.dumps(head)[:-1] + b',"chains":' + v2_chains(chain, moment.greeks) + b"}"

"""Snapshots of simulations as the JSON that HTTP clients get, without what names their session.

A simulation with one expiration is shown as v1 shows it, one with rolling expirations as v2 does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from optionchain.chains import GreekSet, OptionChain
from optionchain.contracts.carried import futures_of
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
    chains = iter(chains_of([(each, moment.step) for moment in moments for each in _shown(moment)]))
    return [_rendered(moment, [next(chains) for _ in _shown(moment)]) for moment in moments]


def snapshot_body(simulation: Simulation, step: int, greeks: GreekSet = "none") -> bytes:
    """The snapshot of one moment; arguments and errors as for `snapshot_bodies`."""
    return snapshot_bodies([Moment(simulation, step, greeks)])[0]


def _shown(moment: Moment) -> tuple[Simulation, ...]:
    """The simulations of a market, the first underlying's first."""
    return (moment.simulation, *moment.simulation.others)


def _rendered(moment: Moment, chains: Sequence[OptionChain]) -> bytes:
    parameters = moment.simulation.parameters
    simulated_at = instant_to_wire(parameters.simulated_at(moment.step))
    is_single = isinstance(parameters.expirations, SingleExpiration)
    first, *others = (_market(chain, moment.greeks, is_single, simulated_at) for chain in chains)
    if not is_single:
        first += _curve(moment, chains[0].underlying_price)
    head = b"{" if is_single else b'{"simulated_at":' + orjson.dumps(simulated_at) + b","
    rest = b',"others":[' + b",".join(b"{" + each + b"}" for each in others) + b"]" if others else b""
    return head + first + rest + b"}"


def _curve(moment: Moment, price: float) -> bytes:
    """The futures that options are on, where they are on a curve of them."""
    curve = futures_of(moment.simulation.parameters, moment.step, price)
    shown = [{"expires_at": instant_to_wire(at), "price": worth} for at, worth in curve]
    return b',"futures":' + orjson.dumps(shown) if shown else b""


def _market(chain: OptionChain, greeks: GreekSet, is_single: bool, simulated_at: str) -> bytes:
    """What one underlying shows, without the braces around it."""
    price = chain.underlying_price
    if is_single:
        own = {"underlying": chain.symbol, "timestamp": simulated_at, "price": price}
        return orjson.dumps(own)[1:-1] + b',"contracts":' + v1_contracts(chain, greeks)
    underlying = {"symbol": chain.symbol, "price": price, "base_volatility": chain.base_volatility}
    return orjson.dumps({"underlying": underlying})[1:-1] + b',"chains":' + v2_chains(chain, greeks)

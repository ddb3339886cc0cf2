"""How busy the contracts of a snapshot are, as the service answers."""

from __future__ import annotations

from typing import TypedDict


class SideActivity(TypedDict):
    """Contracts at the bid (0 where there is none) and at the ask, open, and traded on the day."""

    bid_size: int
    ask_size: int
    open_interest: int
    volume: int


class ContractActivity(TypedDict):
    strike: float
    call: SideActivity
    put: SideActivity


class ExpirationActivity(TypedDict):
    expires_at: str
    contracts: list[ContractActivity]


class ActivityView(TypedDict):
    """How busy the contracts of a snapshot are."""

    step: int
    simulated_at: str
    chains: list[ExpirationActivity]

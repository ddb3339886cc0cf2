"""Many chains at once are the chains one by one, to the bit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optionchain.errors import InvalidInput
from optionchain.expirations import ExpirationPlan
from optionchain.expirations.listing import ExpirationLister, Listing, microseconds
from optionchain.export.blocks import chain_blocks
from optionchain.parameters import SimulationParameters
from optionchain.simulation import simulate
from tests.unit.export.simulations import HOLIDAYS, SCHEDULE, VARIETY, parameters

ARRAYS = (
    "strikes", "implied_volatilities", "call_bid", "call_ask", "call_mid", "call_delta",
    "put_bid", "put_ask", "put_mid", "put_delta", "gamma", "vega",
)  # fmt: skip


@pytest.mark.parametrize("contracts", [1, 137, 1 << 16], ids=["a step", "some steps", "all steps"])
@pytest.mark.parametrize("terms", VARIETY.values(), ids=VARIETY.keys())
def test_a_block_of_chains_is_each_chain_to_the_bit(terms: SimulationParameters, contracts: int) -> None:
    simulation = simulate(terms)
    steps = range(3, terms.total_steps)
    seen = []

    for block, chains in chain_blocks(simulation, steps, contracts):
        ends = chains.offsets
        for step, (first, stop) in zip(block.steps, pairwise(chains.listing.offsets), strict=True):
            chain = simulation.chain(step)
            rows = slice(ends[first], ends[stop])
            assert listed(chains.listing, first, stop) == [
                (microseconds(each.expires_at), "|".join(each.labels)) for each in chain.expirations
            ]
            assert chains.days_to_expiration[first:stop].tobytes() == chain.days_to_expiration.tobytes()
            for name in ARRAYS:
                assert getattr(chains, name)[rows].tobytes() == getattr(chain, name).tobytes(), (step, name)
            seen.append(step)

    assert seen == list(steps)


@given(
    start=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
    leaps=st.lists(
        st.integers(0, 60 * 24 * 400).map(lambda minutes: timedelta(minutes=minutes)), max_size=12
    ),
    schedule=st.sampled_from([SCHEDULE, HOLIDAYS]),
)
@settings(max_examples=60)
def test_a_listing_is_the_plan_at_every_instant(
    start: datetime, leaps: list[timedelta], schedule: object
) -> None:
    plan = ExpirationPlan(schedule)  # type: ignore[arg-type]
    instants = [start.replace(tzinfo=UTC)]
    for leap in leaps:
        instants.append(instants[-1] + leap)

    lister = ExpirationLister(plan)
    listings = [lister.list(part) for part in (instants[:5], instants[5:]) if part]

    found = [
        listed(listing, first, stop) for listing in listings for first, stop in pairwise(listing.offsets)
    ]
    assert found == [
        [(microseconds(each.expires_at), "|".join(each.labels)) for each in plan.active(instant)]
        for instant in instants
    ]


def test_an_interval_too_fine_for_the_price_is_refused() -> None:
    simulation = simulate(parameters(strike_interval=0.123456))
    object.__setattr__(simulation.parameters, "strike_interval", 0.1234567890123456)

    with pytest.raises(InvalidInput, match="too fine"):
        list(chain_blocks(simulation, range(3), 100))


def listed(listing: Listing, first: int, stop: int) -> list[tuple[int, str]]:
    labels = [listing.names[label] for label in listing.labels[first:stop].tolist()]
    return list(zip(listing.expires_at[first:stop].tolist(), labels, strict=True))

"""Whether what is served is a market: the public suite's `market_coherence`."""

from __future__ import annotations

import csv
import io
import itertools
import math
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.conformance.reference_simulation import INTERVAL

STEPS = 4
DAILIES = {"schedules": [{"rule_id": "dailies", "kind": "daily", "target_count": 2}]}
FIRST = ("theta", "vega", "rho", "rho_d")
SECOND = ("alpha", "vanna", "vomma", "veta", "charm", "color")


@pytest.fixture
def walk(open_simulation: Any) -> list[dict[str, Any]]:
    snapshots: list[dict[str, Any]] = open_simulation(**DAILIES).walked(STEPS)
    return snapshots


def contracts_of(snapshots: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for snapshot in snapshots for chain in snapshot["chains"] for each in chain["contracts"]]


def test_every_quote_is_an_ordered_book(walk: list[dict[str, Any]]) -> None:
    for contract in contracts_of(walk):
        assert 0.0 < contract["implied_volatility"] < math.inf
        for side, (low, high) in {"call": (0.0, 1.0), "put": (-1.0, 0.0)}.items():
            quote = contract[side]
            assert 0.0 <= quote["bid"] <= quote["mid"] <= quote["ask"] < math.inf
            assert low - 1e-9 <= quote["delta"] <= high + 1e-9


def test_a_ladder_is_complete_evenly_spaced_and_around_the_price(walk: list[dict[str, Any]]) -> None:
    for snapshot in walk:
        centre = math.floor(snapshot["underlying"]["price"] / INTERVAL + 0.5) * INTERVAL
        for chain in snapshot["chains"]:
            strikes = [contract["strike"] for contract in chain["contracts"]]
            assert strikes == [centre + offset * INTERVAL for offset in (-2, -1, 0, 1, 2)]


def test_expirations_roll_and_the_clock_goes_on(walk: list[dict[str, Any]]) -> None:
    for before, after in itertools.pairwise(walk):
        now = datetime.fromisoformat(after["simulated_at"])
        assert now - datetime.fromisoformat(before["simulated_at"]) == timedelta(days=1)
        listed = {chain["expires_at"]: chain["days_to_expiration"] for chain in after["chains"]}
        assert all(days >= 0.0 for days in listed.values())
        for chain in before["chains"]:
            if datetime.fromisoformat(chain["expires_at"]) > now:
                assert listed[chain["expires_at"]] < chain["days_to_expiration"]
    assert len({snapshot["underlying"]["price"] for snapshot in walk}) > 1


def test_each_set_of_greeks_has_what_it_says_and_all_agree(open_simulation: Any) -> None:
    simulation = open_simulation(**DAILIES)
    [*_, served] = simulation.walked(STEPS - 1)
    contracts = {
        greeks: simulation.peek(greeks=greeks).json()["chains"][0]["contracts"][0]
        for greeks in ("none", "first", "all")
    }
    sides = {greeks: contract["call"] for greeks, contract in contracts.items()}

    assert "greeks" not in sides["none"]
    assert set(sides["first"]["greeks"]) == set(FIRST)
    assert set(sides["all"]["greeks"]) == {"delta", "gamma", *FIRST, *SECOND}
    assert all(
        math.isfinite(number) for side in ("first", "all") for number in sides[side]["greeks"].values()
    )
    assert sides["none"]["delta"] == sides["first"]["delta"] == sides["all"]["greeks"]["delta"]
    assert contracts["all"]["gamma"] == sides["all"]["greeks"]["gamma"]
    exported = simulation.export(dataset="option_chains", format="csv", greeks="all").text
    last = served["chains"][0]["contracts"][0]
    [delta] = [
        float(row["call_delta"])
        for row in csv.DictReader(io.StringIO(exported, newline=""))
        if (row["step"], row["expires_at"]) == (str(STEPS - 2), served["chains"][0]["expires_at"])
        and float(row["strike"]) == last["strike"]
    ]
    assert delta == last["call"]["delta"]


def test_a_pinned_ladder_keeps_its_strikes(open_simulation: Any) -> None:
    walk = open_simulation(**DAILIES, strike_ladder="pinned").walked(STEPS)

    ladders = {
        tuple(contract["strike"] for contract in chain["contracts"])
        for snapshot in walk
        for chain in snapshot["chains"]
    }
    assert len(ladders) == 1


def test_the_spread_widens_cheap_contracts_relatively_more(open_simulation: Any) -> None:
    walk = open_simulation(**DAILIES, spread=0.02, spread_proportional=0.01).walked(STEPS)
    quotes = sorted(
        (contract[side]["mid"], contract[side]["ask"] - contract[side]["bid"])
        for contract in contracts_of(walk)
        for side in ("call", "put")
        if contract[side]["mid"] > 0.0
    )

    (cheap, narrow), (dear, wide) = quotes[0], quotes[-1]
    assert cheap < dear
    assert narrow <= wide + 1e-9
    assert narrow / cheap > wide / dear

"""Several clients at a time, and downloads that are left or lose their simulation: the public suite's `concurrency`.

Where that expects one winner of steps that come at the same time and conflicts for the others, steps without
`expected_step` are served here one after the other; with it there is one winner.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx
import pytest

from tests.conformance.reference_simulation import ABSENT

STEPS = 6
CLIENTS = 3
ALL_GREEKS = {"dataset": "option_chains", "format": "csv", "greeks": "all"}


def at_once(call: Callable[[], httpx.Response]) -> list[httpx.Response]:
    barrier = Barrier(CLIENTS)

    def released() -> httpx.Response:
        barrier.wait(timeout=30)
        return call()

    with ThreadPoolExecutor(CLIENTS) as pool:
        return [each.result() for each in [pool.submit(released) for _ in range(CLIENTS)]]


def test_exports_at_the_same_time_are_the_same_and_move_nothing(open_simulation: Any) -> None:
    simulation = open_simulation(steps=STEPS)
    simulation.walked(STEPS)
    before = simulation.view()

    answers = at_once(lambda: simulation.export(dataset="option_chains", format="csv"))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert simulation.view() == before


def test_two_simulations_go_on_independently(open_simulation: Any) -> None:
    alone = [open_simulation(steps=STEPS, seed=seed).walked(STEPS) for seed in (11, 22)]
    left, right = (open_simulation(steps=STEPS, seed=seed) for seed in (11, 22))

    in_turn = [(left.served(), right.served()) for _ in range(STEPS)]

    assert in_turn == list(zip(*alone, strict=True))
    assert alone[0] != alone[1]
    assert left.cursor == right.cursor == STEPS


def test_steps_at_the_same_time_move_the_cursor_once_each(open_simulation: Any) -> None:
    simulation = open_simulation(steps=3 * STEPS)
    before = simulation.view()

    answers = at_once(simulation.step)

    winners = [answer for answer in answers if answer.status_code == 200]
    after = simulation.view()
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert after["cursor"]["current_step"] - before["cursor"]["current_step"] == len(winners)
    assert after["version"] - before["version"] == len(winners)
    assert len({answer.json()["cursor"]["current_step"] for answer in winners}) == len(winners)


def test_of_guarded_steps_at_the_same_time_one_is_served(open_simulation: Any) -> None:
    simulation = open_simulation(steps=3 * STEPS)

    answers = at_once(lambda: simulation.step(expected_step=0))

    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: CLIENTS - 1}
    assert simulation.cursor == 1


def test_a_peek_during_a_walk_is_whole(open_simulation: Any) -> None:
    simulation = open_simulation(steps=3 * STEPS)

    with ThreadPoolExecutor(1) as pool:
        walk = pool.submit(simulation.walked, 3 * STEPS)
        peeks = [simulation.peek() for _ in range(2 * STEPS)]
        assert len(walk.result()) == 3 * STEPS

    whole = [peek.json() for peek in peeks if peek.status_code == 200]
    assert {peek.status_code for peek in peeks} <= {200, 410}
    assert whole
    for chain in (chain for snapshot in whole for chain in snapshot["chains"]):
        assert len(chain["contracts"]) == 5
        assert all(
            {"strike", "implied_volatility", "call", "put"} <= set(each) for each in chain["contracts"]
        )


@pytest.mark.parametrize("is_deleted", [False, True], ids=["the reader leaves", "the simulation is deleted"])
def test_an_interrupted_export_leaves_the_service_serving(
    open_simulation: Any, api: httpx.Client, is_deleted: bool
) -> None:
    simulation = open_simulation(steps=STEPS, chain_size=12)
    simulation.walked(STEPS)

    with api.stream("GET", f"{simulation.path}/export", params=ALL_GREEKS) as answer:
        assert answer.status_code == 200
        pieces = answer.iter_bytes()
        received = next(pieces)
        if is_deleted:
            assert simulation.delete().status_code == 200
            received += b"".join(pieces)

    assert api.get("/api/v1/chain", params={"sessionid": ABSENT}).status_code == 404
    text = received.decode() if is_deleted else simulation.export(**ALL_GREEKS).text
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert {len(row) for row in rows} == {len(header)}
    assert Counter(row[0] for row in rows) == {str(step): 25 for step in range(STEPS)}

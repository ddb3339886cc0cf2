"""What runs beside an actor's calls ends when it is told to, also where a driver swallows a cancellation."""

from __future__ import annotations

import asyncio

import pytest

from actors.background import Background
from tests.waiting import turns

pytestmark = pytest.mark.anyio


async def test_it_begins_once_and_ends():
    seen = []

    async def run():
        seen.append("begun")
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("ended")

    background = Background(run)
    for _ in range(3):
        background.begin()
        await turns(1)
    await background.end()

    assert seen == ["begun", "ended"]


async def test_it_ends_though_its_first_cancellation_is_swallowed():
    cancellations = []

    async def run():
        while len(cancellations) < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError as cancellation:
                cancellations.append(cancellation)

    background = Background(run)
    background.begin()
    await turns(1)
    await background.end()

    assert len(cancellations) == 2


async def test_what_never_began_has_nothing_to_end():
    await Background(asyncio.Event().wait).end()


async def test_what_failed_begins_again():
    begun = []

    async def run():
        begun.append(1)

    background = Background(run)
    for _ in range(2):
        background.begin()
        await turns()
    await background.end()

    assert begun == [1, 1]

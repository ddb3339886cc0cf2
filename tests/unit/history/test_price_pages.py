"""Pages of bars: so many and no more, from behind an instant on, and where the next one begins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import orjson
import pytest

from actors.history.pages import PricePage, first_bars, page_bytes
from optionchain.history.bars import PriceSeries
from optionchain.ports import Cached
from tests.unit.history.samples import prices

pytestmark = pytest.mark.anyio

SECOND_DAY = datetime(2024, 1, 3, tzinfo=UTC)


class Stretches:
    """Bars of eight days as a store gives them; those of five days first."""

    def __init__(self) -> None:
        self.given = 0

    async def read(self) -> AsyncIterator[PriceSeries]:
        for part in (prices([1.0, 2.0, 3.0, 4.0, 5.0]), prices([6.0, 7.0, 8.0], start="2024-01-07")):
            self.given += 1
            yield part


async def closes(*, after: datetime | None = None, count: int) -> tuple[list[list[float]], int]:
    """The closes of each part, and how many stretches were read for them."""
    stretches = Stretches()
    parts = await first_bars(stretches.read(), after=after, count=count)
    return [part.close.tolist() for part in parts], stretches.given


async def test_a_page_has_so_many_bars_and_reads_no_further() -> None:
    assert await closes(count=2) == ([[1.0, 2.0]], 1)
    assert await closes(count=5) == ([[1.0, 2.0, 3.0, 4.0, 5.0]], 1)
    assert await closes(count=7) == ([[1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0]], 2)
    assert await closes(count=100) == ([[1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0]], 2)


async def test_a_page_begins_behind_the_last_bar_of_the_one_before() -> None:
    assert await closes(after=SECOND_DAY, count=3) == ([[3.0, 4.0, 5.0]], 1)
    assert await closes(after=datetime(2024, 1, 6, tzinfo=UTC), count=3) == ([[6.0, 7.0, 8.0]], 2)


@pytest.mark.parametrize("is_last", [True, False])
def test_what_the_cache_holds_is_the_page_again(is_last: bool) -> None:
    parts = [prices([1.0]), prices([2.0], start="2024-01-03")]

    page = PricePage.of(Cached(page_bytes(parts, is_last=is_last), is_stale=is_last))

    assert [row["close"] for row in orjson.loads(b"[" + page.rows + b"]")] == [1.0, 2.0]
    assert (page.next, page.is_stale) == ((None, True) if is_last else (SECOND_DAY, False))


def test_no_bars_are_a_last_page() -> None:
    assert PricePage.of(Cached(page_bytes([], is_last=True))) == PricePage(b"", None)

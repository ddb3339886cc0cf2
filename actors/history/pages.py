"""Bars as they travel: a page of JSON, and where the next one begins."""

from __future__ import annotations

from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from optionchain.history.bars import PriceSeries
from optionchain.history.wire import price_rows_json
from optionchain.ports import Cached


@dataclass(frozen=True, slots=True)
class PricePage:
    """Some bars as JSON objects separated by commas, and where the next page begins; None after the last."""

    rows: bytes
    next: datetime | None
    is_stale: bool = False

    @classmethod
    def of(cls, cached: Cached) -> PricePage:
        """The page that `page_bytes` made."""
        last, _, rows = cached.value.partition(b"\n")
        return cls(rows, datetime.fromisoformat(last.decode()) if last else None, cached.is_stale)


async def first_bars(
    bars: AsyncIterable[PriceSeries], *, after: datetime | None, count: int
) -> list[PriceSeries]:
    """Parts of so many bars, or of all there are; only bars after an instant."""
    instant = np.datetime64(after.replace(tzinfo=None), "s") if after else None
    parts, room = [], count
    async for part in bars:
        new = part if instant is None else part.take(part.times > instant)
        parts.append(new.take(slice(0, room)))
        room -= len(parts[-1])
        if room == 0:
            break
    return [part for part in parts if len(part)]


def page_bytes(parts: Sequence[PriceSeries], *, is_last: bool) -> bytes:
    """The bars of a page as the cache holds them: the instant of its last one where more come, then all."""
    last = "" if is_last else f"{parts[-1].times[-1]}+00:00"
    return b"\n".join([last.encode(), b",".join(price_rows_json(part) for part in parts)])

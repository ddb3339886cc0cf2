"""HTTP: the chains and prices of the past."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from actors.history.pages import PricePage
from optionchain.history.chains import DateRange, asset_name
from optionchain.history.wire import chain_from_wire, day_from_wire
from optionchain.ports import Cached
from optionchain.time_frame import TimeFrame
from serve_app.bodies.history import (
    AssetList,
    AssetView,
    Bars,
    HistoricalChainBody,
    HistoricalChainView,
    RealisedVolatility,
    ResultList,
    SavedChain,
    VolatilityTable,
)
from serve_app.edge.caller import Caller, context_of
from serve_app.edge.route_table import handler
from serve_app.handling.encoded import json_response
from serve_app.openapi.documentation import errors, shown
from serve_app.shared_services import HistoryService

FIRST, LAST = "1900-01-01", "2261-12-31"


async def current_history(request: Request) -> HistoryService:
    """The history service of this replica, for the request's caller."""
    service: HistoryService = request.app.state.services.history
    return service.on_behalf_of(context_of(request))


History = Annotated[HistoryService, Depends(current_history)]

SessionId = Annotated[UUID, Path(alias="id", description="Of the session or simulation")]
Day = Annotated[str, Path(description="A day", examples=["2024-01-02"])]
From = Annotated[str, Query(alias="from", description="First day", examples=["2024-01-02"])]
To = Annotated[str, Query(alias="to", description="Last day", examples=["2024-12-31"])]


@handler("The steps that a session was served", responses=shown(ResultList) | errors(400, 404))
async def kept_steps(session_id: SessionId, history: History, caller: Caller) -> Response:
    """Where the operator has them kept (`OCS_SESSION_KEEP_STEPS`): also of a session or simulation that is gone. Each
    change of a session's parameters began an entry; the oldest comes first."""
    return json_response(await history.results(str(session_id), caller.tenant))


@handler("List what is stored", responses=shown(AssetList) | errors())
async def assets(history: History) -> Response:
    return cached_response(await history.assets())


@handler("What is stored of an asset", responses=shown(AssetView) | errors(400, 404))
async def asset_range(asset: str, history: History) -> Response:
    return cached_response(await history.asset_range(asset_name(asset)))


@handler("The bars of a period", responses=shown(Bars) | errors(400, 404))
async def prices(
    asset: str, history: History, first: From = FIRST, last: To = LAST, timeframe: str = "Day"
) -> Response:
    """A time frame that is not stored is made of a finer one."""
    period = _period(first, last)
    frame = TimeFrame.from_wire(timeframe, "timeframe")
    page = await history.price_page(asset_name(asset), period, frame)
    pages = _pages(history, asset, period, frame, page)
    return StreamingResponse(pages, headers=_age(page.is_stale), media_type="application/json")


@handler("The smile of each day and expiration", responses=shown(VolatilityTable) | errors(400))
async def volatility(asset: str, history: History, first: From, last: To) -> Response:
    """`from` and `to` are at most ten years apart. The rows of one date are its term structure."""
    return cached_response(await history.volatility(asset_name(asset), _period(first, last)))


@handler(
    "The volatility of the daily closes of a period", responses=shown(RealisedVolatility) | errors(400, 404)
)
async def realised_volatility(asset: str, history: History, first: From, last: To) -> Response:
    """The annualised deviation of the logarithmic returns of the closes (UTC); `from` and `to` are at most ten years
    apart."""
    return cached_response(await history.realised_volatility(asset_name(asset), _period(first, last)))


@handler("The chain of a day", responses=shown(HistoricalChainView) | errors(400, 404))
async def chain(asset: str, date: Day, history: History) -> Response:
    return cached_response(await history.chain(asset_name(asset), day_from_wire("date", date)))


@handler("Store the chain of a day", responses=shown(SavedChain) | errors(400, 403))
async def save_chain(
    asset: str,
    date: Day,
    history: History,
    body: HistoricalChainBody,
) -> dict[str, Any]:
    """The body is what GET answers. What was stored of that day is replaced."""
    stored = chain_from_wire(
        asset_name(asset), day_from_wire("date", date), body.model_dump(exclude_unset=True)
    )
    await history.save_chain(stored)
    return {"asset": asset, "date": date, "contracts": int(stored.strikes.size)}


def cached_response(cached: Cached) -> Response:
    """An answer that says when it is old, because its source is down."""
    return json_response(cached.value, headers=_age(cached.is_stale))


def _age(is_stale: bool) -> dict[str, str]:
    return {"Warning": '110 - "Response is Stale"', "X-Cache": "stale"} if is_stale else {}


def _period(first: str, last: str) -> DateRange:
    return DateRange(day_from_wire("from", first), day_from_wire("to", last))


async def _pages(
    history: HistoryService, asset: str, period: DateRange, timeframe: TimeFrame, page: PricePage
) -> AsyncIterator[bytes]:
    yield b'{"asset":"%s","timeframe":"%s","data":[' % (asset.encode(), timeframe.name.encode())
    yield page.rows
    while page.next is not None:
        page = await history.price_page(asset, period, timeframe, page.next)
        if page.rows:
            yield b"," + page.rows
    yield b"]}"

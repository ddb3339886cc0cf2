"""How else a session or a simulation might go: the quantiles of other paths, by step; the cursor stays."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from optionchain.errors import InvalidInput
from optionchain.fan import LEVELS, MOST_LEVELS, MOST_PATHS, MOST_PRICES, fan_of
from optionchain.session import Session, SessionKind
from serve_app.edge.route_table import handler
from serve_app.handling.encoded import json_response
from serve_app.handling.session_calls import stored_session
from serve_app.openapi.documentation import errors, shown
from serve_app.services import services_of

_LEVELS = ",".join(f"{level:g}" for level in LEVELS)


class FanQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    paths: int = Field(
        200,
        ge=1,
        le=MOST_PATHS,
        description=f"How many others; with the steps, {MOST_PRICES:,} prices at most",
    )
    levels: str = Field(
        _LEVELS, max_length=200, description=f"Of the quantiles, separated by commas; at most {MOST_LEVELS}"
    )

    def level_numbers(self) -> list[float]:
        """The levels as numbers.

        Raises:
            InvalidInput: One is none.
        """
        try:
            return [float(text) for text in self.levels.split(",")]
        except ValueError as error:
            raise InvalidInput(
                "levels", f"must be numbers with commas between them, as in {_LEVELS}"
            ) from error


class SessionFanQuery(FanQuery):
    sessionid: UUID = Field(description="The session's id")


class FanView(BaseModel):
    """The quantiles of the price at each step, over paths that share all parameters but their randomness."""

    paths: int
    levels: list[float] = Field(description="Ascending")
    prices: list[list[float]] = Field(description="A list of all steps for each level")


@handler("The fan of other paths", responses=shown(FanView) | errors(400, 404))
async def fan_session(request: Request, query: Annotated[SessionFanQuery, Query()]) -> Response:
    """They are the paths of the seed behind the session's own: the same request gives the same fan."""
    return await _fan(request, SessionKind.CHAIN, query.sessionid, query)


@handler("The fan of other paths", responses=shown(FanView) | errors(400, 404))
async def fan_simulation(
    request: Request,
    query: Annotated[FanQuery, Query()],
    simulation_id: Annotated[UUID, Path(alias="id", description="The simulation's id")],
) -> Response:
    """They are the paths of the seed behind the simulation's own: the same request gives the same fan."""
    return await _fan(request, SessionKind.SIMULATION, simulation_id, query)


async def _fan(request: Request, kind: SessionKind, session_id: UUID, query: FanQuery) -> Response:
    """Computed where exports are: off the loop, and in turn with the other owners."""
    levels = query.level_numbers()
    session = await stored_session(request, kind, session_id)
    compute = partial(_computed, session, query.paths, levels)
    return json_response(await services_of(request).producers.whole(session.owner, compute))


def _computed(session: Session, paths: int, levels: list[float]) -> bytes:
    fan = fan_of(session.parameters, paths=paths, levels=levels)
    shown_fan = {"paths": fan.paths, "levels": fan.levels, "prices": fan.prices}
    return orjson.dumps(shown_fan, option=orjson.OPT_SERIALIZE_NUMPY)

"""The shapes of our answers, for the OpenAPI document: the bytes themselves come from the actors."""

from __future__ import annotations

import re
from typing import Any

from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, create_model

from optionchain.access.roles import Permission, roles_with
from optionchain.chains.columns import GREEK_SETS, Column, Side
from optionchain.chains.contracts import COLUMNS, greek_labels, of_side
from optionchain.numerics import IDENTITY
from serve_app.bodies.chains import Method
from serve_app.bodies.declared import shown_body
from serve_app.edge.route_table import Responses, RouteTable


def links(version: str, **parameters: str) -> dict[str, Any]:
    """What can be done with what was created: OpenAPI links that pass its id on.

    Args:
        version: Of the routes.
        parameters: By the endpoint's name, the parameter that takes the id.
    """
    return {
        name: {"operationId": f"{name}_{version}", "parameters": {parameter: "$response.body#/id"}}
        for name, parameter in parameters.items()
    }


def operation_id(route: APIRoute) -> str:
    """The name of an operation for generated clients: `step_v2`, `health`."""
    version = re.match(r"/api/(v\d+)/", route.path_format)
    return f"{route.name}_{version[1]}" if version else route.name


def _numbers(side: Side | None) -> dict[str, Any]:
    """The numbers that every contract shows in the object of a side, or beside both, as a model's fields."""
    shown = [column for column in COLUMNS if column.is_always_shown and column.side == side]
    return {column.label: (float, Field(description=_about(column))) for column in shown}


def _greek(column: Column) -> tuple[Any, Any]:
    level = "with `greeks=first` and `all`" if column.greeks == "first" else "with `greeks=all`"
    return float | None, Field(None, description=f"{_about(column)}; {level}")


def _about(column: Column) -> str:
    return f"{column.unit[:1].upper()}{column.unit[1:]}"


_GREEKS: dict[str, Any] = {
    label: _greek(column) for label in greek_labels(*GREEK_SETS) if (column := of_side(label, "call"))
}
Greeks = create_model(
    "Greeks", __doc__="The greeks of a side, per contract held long; null is not defined.", **_GREEKS
)
Quote = create_model(
    "Quote",
    __doc__="One side of a strike.",
    **_numbers("call"),
    greeks=(Greeks | None, Field(None, description="With `greeks=first` or `all`")),
)
SimulationContract = create_model(
    "SimulationContract",
    __doc__="A strike with its call and its put.",
    call=(Quote, ...),
    put=(Quote, ...),
    **_numbers(None),
)


class Contract(SimulationContract):
    """A strike with its call and its put."""

    expiration: str = Field(description="RFC 3339 in UTC, fixed at creation")


class WarningView(BaseModel):
    """Something that a request said in vain, or that contradicts itself; told in a `Warning` header as well."""

    field: str
    warning: str


WARNINGS: Any = Field([], description="Only where there is something to tell")


class SessionInfo(BaseModel):
    """Where the session's cursor is after this answer."""

    id: str
    current_step: int
    total_steps: int


class Chain(BaseModel):
    """One snapshot; contracts ascend by strike."""

    underlying: str
    timestamp: str = Field(description="Simulated instant, RFC 3339 in UTC")
    price: float
    contracts: list[Contract]
    session_info: SessionInfo
    warnings: list[WarningView] = WARNINGS


class Chains(BaseModel):
    """Several snapshots, with `count`."""

    snapshots: list[Chain]
    warnings: list[WarningView] = WARNINGS


class ShownParameters(shown_body()):  # type: ignore[misc]  # its fields are declared in the domain
    """The parameters of a session, defaults filled in."""

    model_config = ConfigDict(extra="allow")

    method: Method
    time_frame: str
    days_to_expiration: float
    start_at: str


class SessionView(BaseModel):
    """A session."""

    id: str
    created_at: str
    updated_at: str
    parameters: ShownParameters
    current_step: int = Field(description="Index of the next snapshot, 0-based")
    total_steps: int = Field(
        description="Snapshots in all: `steps`, or fewer where the expiration comes first"
    )
    state: str = Field(
        description="Initialized, In Progress, Modified, Reinitialized, Completed or Error",
        examples=["In Progress"],
    )
    warnings: list[WarningView] = WARNINGS


class Deletion(BaseModel):
    message: str
    session_id: str


class Pagination(BaseModel):
    total: int
    page: int
    limit: int
    pages: int


class SessionPage(BaseModel):
    data: list[SessionView]
    pagination: Pagination


class Problem(BaseModel):
    """Every error has this body."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"error": "Validation Error: volatility: must be greater than zero", "field": "volatility"}
            ]
        }
    )

    error: str
    field: str | None = Field(None, description="The input at fault, where it is one")
    current_step: int | None = Field(None, description="With 412: where the cursor is")
    quota: str | None = Field(None, description="The quota that has no room, where one has none")


CREATED: Responses = {
    201: {
        "model": SessionView,
        "description": "The new session",
        "links": links("v1", peek="query.sessionid", step="query.sessionid", delete="query.sessionid"),
    }
}
SESSION: Responses = {200: {"model": SessionView, "description": "The session"}}
CHAIN: Responses = {
    200: {"model": Chain | Chains, "description": "The snapshot; with `count`, the snapshots"}
}
DELETION: Responses = {200: {"model": Deletion, "description": "The session is gone"}}
SESSION_PAGE: Responses = {200: {"model": SessionPage, "description": "One page"}}

_MEANING = {
    400: "An input is malformed or out of range; `field` names it",
    401: "No API key, or an unknown one",
    403: "None of the caller's roles allows this, or a quota of its tenant has no room",
    404: "Unknown, expired, or another caller's",
    408: "The request did not come in time",
    409: "Another writer was first: try again",
    410: "Every snapshot was served",
    412: "`expected_step` is not the cursor; nothing was consumed",
    413: "The body is too large",
    422: "The Idempotency-Key was used for another request",
    429: "Too many requests, or a quota is used up: try again after Retry-After",
    500: "A bug of ours",
    503: "A dependency is down or a queue is full: try again after Retry-After",
}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer", "minimum": 1}}}
_HEADERS: dict[int, dict[str, Any]] = {
    429: _RETRY_AFTER
    | {
        f"X-RateLimit-{name}": {"description": meaning, "schema": {"type": "integer", "minimum": 0}}
        for name, meaning in (
            ("Limit", "Requests that may come at once when nothing was used; with a limit, on every answer"),
            ("Remaining", "Requests that may still come at once"),
            ("Reset", "Seconds until nothing counts as used"),
        )
    },
    503: _RETRY_AFTER,
}
ALWAYS = (401, 403, 408, 413, 429, 500, 503)

SECURITY_SCHEMES: dict[str, Any] = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "Basic": {"type": "http", "scheme": "basic", "description": "The key as password; any user name"},
    "Bearer": {"type": "http", "scheme": "bearer", "description": "The key, or a token of the issuer"},
}
DESCRIPTION = """Simulated option-chain market data, one step at a time.

Create a session, step through it, read an option chain at each step. With the same parameters and seed, every
snapshot is the same. A step is answered after it was stored; `expected_step` and `Idempotency-Key` make a retry
safe. Every error is `{"error": ...}`, with the `field` at fault where it is one input's.
"""


def shown(model: type[BaseModel]) -> Responses:
    """The documentation of an answer that comes as bytes."""
    return {200: {"model": model, "description": (model.__doc__ or "What is stored").partition("\n")[0]}}


def errors(*statuses: int) -> Responses:
    """The documentation of a route's errors, with those that any route may give."""
    return {
        status: {"model": Problem, "description": _MEANING[status], "headers": _HEADERS.get(status, {})}
        for status in sorted({*statuses, *ALWAYS})
    }


def completed(document: dict[str, Any], table: RouteTable) -> dict[str, Any]:
    """Add what no route says: the arithmetic, the sections, and the ways to present a key to what needs one."""
    document["info"]["x-numerics"] = IDENTITY
    document["tags"] = [
        {"name": each.name, "description": each.about} for each in table.sections if each.name
    ]
    components = document["components"]
    components["securitySchemes"] = SECURITY_SCHEMES
    for route in table:
        operation = document["paths"].get(route.path, {}).get(route.method.lower())
        if operation is None:
            continue
        if route.permission is not Permission.PUBLIC:
            operation["security"] = [{name: []} for name in SECURITY_SCHEMES]
            operation["x-roles"] = roles_with(route.permission)
        if "HTTPValidationError" in str(operation["responses"].get("422")):
            # FastAPI's own; invalid input is a 400 here.
            del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    return document

"""Every route of the service: where it answers, what answers there, and who may call it. Nothing else lists them.

The permission, the limits, the OpenAPI document and the names in metrics follow from a row. A new route is a row
here and a handler in the module of its section.
"""

from __future__ import annotations

from fastapi.routing import APIRoute

from serve_app.edge.route_table import Permission, Route, RouteTable, Section
from serve_app.openapi import swagger_ui
from serve_app.routes import (
    chains,
    configurations,
    exports,
    history,
    operations,
    simulations,
    streams,
    sweeps,
)
from serve_app.routes.kinds import JsonRoute, ModelRoute

PUBLIC, ADMIN = Permission.PUBLIC, Permission.ADMIN
_CHAIN, _SIMULATIONS, _SIMULATION = "/api/v1/chain", "/api/v2/simulations", "/api/v2/simulations/{id}"
_HISTORY, _CONFIG = "/api/v1/historical", "/api/v1/config"
_SWEEPS, _SWEEP = sweeps.SWEEPS, f"{sweeps.SWEEPS}/{{id}}"

ROUTES = RouteTable(
    (
        Section(
            "sessions (v1)",
            "One expiration, a number of days after the start; parameters can be changed.",
            ModelRoute,
            (
                Route("POST", _CHAIN, chains.create, is_frequent=True),
                Route("GET", _CHAIN, chains.peek, is_frequent=True),
                Route("POST", f"{_CHAIN}/step", chains.step, is_frequent=True),
                Route("PUT", _CHAIN, chains.replace),
                Route("PATCH", _CHAIN, chains.change),
                Route("DELETE", _CHAIN, chains.delete),
                Route("GET", f"{_CHAIN}/sessions", chains.sessions),
            ),
        ),
        Section(
            "simulations (v2)",
            "Rolling expirations; parameters never change.",
            ModelRoute,
            (
                Route("POST", _SIMULATIONS, simulations.create, is_frequent=True),
                Route("GET", _SIMULATIONS, simulations.simulations),
                Route("GET", _SIMULATION, simulations.inspect),
                Route("GET", f"{_SIMULATION}/snapshot", simulations.peek, is_frequent=True),
                Route("POST", f"{_SIMULATION}/step", simulations.step, is_frequent=True),
                Route("DELETE", _SIMULATION, simulations.delete),
            ),
        ),
        Section(
            "exports and streams",
            "Whole simulations, read-only: as a file, or snapshot by snapshot as they come.",
            ModelRoute,
            (
                Route("GET", f"{_CHAIN}/export", exports.export_session),
                Route("GET", f"{_SIMULATION}/export", exports.export_simulation),
                Route("GET", f"{_SIMULATION}/stream", streams.stream),
            ),
        ),
        Section(
            "history",
            "The chains and prices of the past.",
            JsonRoute,
            (
                Route("GET", f"{_HISTORY}/assets", history.assets),
                Route("GET", f"{_HISTORY}/{{asset}}/range", history.asset_range),
                Route("GET", f"{_HISTORY}/{{asset}}/prices", history.prices),
                Route("GET", f"{_HISTORY}/{{asset}}/volatility", history.volatility),
                Route("GET", f"{_HISTORY}/{{asset}}/realised-volatility", history.realised_volatility),
                Route("GET", f"{_HISTORY}/{{asset}}/{{date}}", history.chain),
                Route("PUT", f"{_HISTORY}/{{asset}}/{{date}}", history.save_chain, ADMIN),
                Route("GET", "/api/v1/results/{id}", history.kept_steps),
            ),
        ),
        Section(
            "configuration",
            "Named values with versions that are never overwritten.",
            JsonRoute,
            (
                Route("GET", _CONFIG, configurations.names),
                Route("GET", f"{_CONFIG}/{{name}}", configurations.get),
                Route("PUT", f"{_CONFIG}/{{name}}", configurations.save, ADMIN),
                Route("GET", f"{_CONFIG}/{{name}}/history", configurations.history),
                Route("GET", f"{_CONFIG}/{{name}}/parameters/{{key}}", configurations.parameter),
            ),
        ),
        Section(
            "sweeps",
            "Many scenarios with many paths each, computed by the cluster and reduced to a table.",
            JsonRoute,
            (
                Route("POST", _SWEEPS, sweeps.submit),
                Route("GET", _SWEEPS, sweeps.sweeps),
                Route("GET", _SWEEP, sweeps.status),
                Route("DELETE", _SWEEP, sweeps.cancel),
                Route("GET", f"{_SWEEP}/results", sweeps.results),
                Route("GET", f"{_SWEEP}/events", sweeps.events),
            ),
        ),
        Section(
            "operations",
            "Is it up, and is what it needs up?",
            ModelRoute,
            (
                Route("GET", "/health", operations.health, PUBLIC, is_frequent=True, is_probe=True),
                Route("GET", "/ready", operations.ready, PUBLIC, is_probe=True),
                Route("GET", "/metrics", operations.metrics),
                Route("GET", "/api/v1/system", operations.system, ADMIN),
            ),
        ),
        Section("", "The pages of the documentation.", APIRoute, swagger_ui.ROUTES),
    )
)

"""Every route of the service: where it answers, what answers there, and who may call it. Nothing else lists them.

The permission, the limits, the OpenAPI document and the names in metrics follow from a row. A new route is a row
here and a handler in the module of its section. Which role has which permission: `optionchain.access.roles`.
"""

from __future__ import annotations

from fastapi.routing import APIRoute

from optionchain.access.roles import Permission
from serve_app.edge.route_table import Route, RouteTable, Section
from serve_app.handling.kinds import JsonRoute, ModelRoute
from serve_app.handling.yaml_bodies import YamlOrJsonRoute
from serve_app.openapi import swagger_ui
from serve_app.routes import (
    activity,
    audit,
    chains,
    configurations,
    denials,
    exports,
    fans,
    history,
    history_files,
    imports,
    keys,
    operations,
    page,
    quotas,
    sign_in,
    simulations,
    streams,
    sweeps,
    tasks,
)

IDENTIFY, PUBLIC, READ, TRADE, RESEARCH = (
    Permission.IDENTIFY,
    Permission.PUBLIC,
    Permission.READ,
    Permission.TRADE,
    Permission.RESEARCH,
)
METRICS, OPERATE, ADMINISTER = Permission.METRICS, Permission.OPERATE, Permission.ADMINISTER
_CHAIN, _SIMULATIONS, _SIMULATION = "/api/v1/chain", "/api/v2/simulations", "/api/v2/simulations/{id}"
_HISTORY, _CONFIG = "/api/v1/historical", "/api/v1/config"
_DENIALS = "/api/v1/denied-tokens"
_KEYS, _KEY = "/api/v1/keys", "/api/v1/keys/{id}"
_QUOTAS, _QUOTA = "/api/v1/quotas", "/api/v1/quotas/{tenant}"
_SIGN_IN = "/api/v1/sign-in"
_TASKS, _TASK = tasks.TASKS, f"{tasks.TASKS}/{{id}}"
_SWEEPS, _SWEEP = sweeps.SWEEPS, f"{sweeps.SWEEPS}/{{id}}"

ROUTES = RouteTable(
    (
        Section(
            "sessions (v1)",
            "One expiration, a number of days after the start; parameters can be changed.",
            ModelRoute,
            (
                Route("POST", _CHAIN, chains.create, TRADE, is_frequent=True),
                Route("GET", _CHAIN, chains.peek, READ, is_frequent=True),
                Route("POST", f"{_CHAIN}/step", chains.step, TRADE, is_frequent=True),
                Route("PUT", _CHAIN, chains.replace, TRADE),
                Route("PATCH", _CHAIN, chains.change, TRADE),
                Route("DELETE", _CHAIN, chains.delete, TRADE),
                Route("GET", f"{_CHAIN}/sessions", chains.sessions, READ),
            ),
        ),
        Section(
            "simulations (v2)",
            "Rolling expirations; parameters never change.",
            ModelRoute,
            (
                Route("POST", _SIMULATIONS, simulations.create, TRADE, is_frequent=True),
                Route("GET", _SIMULATIONS, simulations.simulations, READ),
                Route("GET", _SIMULATION, simulations.inspect, READ),
                Route("GET", f"{_SIMULATION}/snapshot", simulations.peek, READ, is_frequent=True),
                Route("POST", f"{_SIMULATION}/step", simulations.step, TRADE, is_frequent=True),
                Route("DELETE", _SIMULATION, simulations.delete, TRADE),
            ),
        ),
        Section(
            "exports and streams",
            "Whole simulations, read-only: as a file, or snapshot by snapshot as they come.",
            ModelRoute,
            (
                Route("GET", f"{_CHAIN}/export", exports.export_session, READ),
                Route("GET", f"{_SIMULATION}/export", exports.export_simulation, READ),
                Route("GET", f"{_SIMULATION}/stream", streams.stream, READ),
                Route("GET", f"{_CHAIN}/fan", fans.fan_session, READ),
                Route("GET", f"{_SIMULATION}/fan", fans.fan_simulation, READ),
                Route("GET", f"{_CHAIN}/activity", activity.session_activity, READ),
                Route("GET", f"{_SIMULATION}/activity", activity.simulation_activity, READ),
            ),
        ),
        Section(
            "history",
            "The chains and prices of the past.",
            JsonRoute,
            (
                Route("GET", f"{_HISTORY}/assets", history.assets, READ),
                Route("GET", f"{_HISTORY}/{{asset}}/range", history.asset_range, READ),
                Route("GET", f"{_HISTORY}/{{asset}}/prices", history.prices, READ),
                Route("GET", f"{_HISTORY}/{{asset}}/volatility", history.volatility, READ),
                Route("GET", f"{_HISTORY}/{{asset}}/realised-volatility", history.realised_volatility, READ),
                Route("GET", f"{_HISTORY}/{{asset}}/chains", history_files.chains_file, READ),
                Route("GET", f"{_HISTORY}/{{asset}}/{{date}}", history.chain, READ),
                Route("PUT", f"{_HISTORY}/{{asset}}/{{date}}", history.save_chain, ADMINISTER),
                Route(
                    "POST", f"{_HISTORY}/{{asset}}/imports", imports.import_file, ADMINISTER, takes_files=True
                ),
                Route("GET", "/api/v1/results/{id}", history.kept_steps, READ),
            ),
        ),
        Section(
            "configuration",
            "Named values with versions that are never overwritten.",
            JsonRoute,
            (
                Route("GET", _CONFIG, configurations.names, READ),
                Route("GET", f"{_CONFIG}/{{name}}", configurations.get, READ),
                Route("PUT", f"{_CONFIG}/{{name}}", configurations.save, ADMINISTER),
                Route("GET", f"{_CONFIG}/{{name}}/history", configurations.history, READ),
                Route("GET", f"{_CONFIG}/{{name}}/parameters/{{key}}", configurations.parameter, READ),
            ),
        ),
        Section(
            "sweeps",
            "Many scenarios with many paths each, computed by the cluster and reduced to a table.",
            YamlOrJsonRoute,
            (
                Route("POST", _SWEEPS, sweeps.submit, RESEARCH),
                Route("GET", _SWEEPS, sweeps.sweeps, READ),
                Route("GET", _SWEEP, sweeps.status, READ),
                Route("DELETE", _SWEEP, sweeps.cancel, RESEARCH),
                Route("GET", f"{_SWEEP}/definition", sweeps.definition, READ),
                Route("GET", f"{_SWEEP}/results", sweeps.results, READ),
                Route("GET", f"{_SWEEP}/events", sweeps.events, READ),
            ),
        ),
        Section(
            "tasks",
            "Work that happens later, and again: at an instant, by cron, by the sessions of an exchange.",
            JsonRoute,
            (
                Route("POST", _TASKS, tasks.schedule_task, RESEARCH),
                Route("GET", _TASKS, tasks.list_tasks, READ),
                Route("GET", _TASK, tasks.get_task, READ),
                Route("DELETE", _TASK, tasks.cancel_task, RESEARCH),
                Route("POST", f"{_TASK}/pause", tasks.pause_task, RESEARCH),
                Route("POST", f"{_TASK}/resume", tasks.resume_task, RESEARCH),
                Route("POST", f"{_TASK}/run", tasks.run_task, RESEARCH),
                Route("GET", f"{_TASK}/runs", tasks.list_runs, READ),
                Route("POST", f"{_TASK}/runs/{{run}}/requeue", tasks.requeue_run, RESEARCH),
            ),
        ),
        Section(
            "access",
            "Who calls, API keys that are made and revoked while the service runs, and the record of who did what.",
            JsonRoute,
            (
                Route("GET", _SIGN_IN, sign_in.ways, PUBLIC),
                Route("POST", _SIGN_IN, sign_in.redeem, PUBLIC),
                Route("POST", f"{_SIGN_IN}/codes", sign_in.make_code, IDENTIFY),
                Route("GET", "/api/v1/caller", sign_in.caller, IDENTIFY),
                Route("POST", _KEYS, keys.make_key, ADMINISTER),
                Route("GET", _KEYS, keys.list_keys, ADMINISTER),
                Route("GET", _KEY, keys.get_key, ADMINISTER),
                Route("DELETE", _KEY, keys.revoke_key, ADMINISTER),
                Route("POST", f"{_KEY}/rotate", keys.rotate_key, ADMINISTER),
                Route("POST", _DENIALS, denials.deny_tokens, ADMINISTER),
                Route("GET", _DENIALS, denials.list_denials, ADMINISTER),
                Route("DELETE", f"{_DENIALS}/{{id}}", denials.allow_tokens, ADMINISTER),
                Route("GET", _QUOTAS, quotas.list_quotas, ADMINISTER),
                Route("GET", _QUOTA, quotas.get_quotas, ADMINISTER),
                Route("PUT", _QUOTA, quotas.set_quotas, ADMINISTER),
                Route("DELETE", _QUOTA, quotas.remove_quotas, ADMINISTER),
                Route("GET", "/api/v1/audit", audit.audit_entries, ADMINISTER),
            ),
        ),
        Section(
            "operations",
            "Is it up, and is what it needs up?",
            ModelRoute,
            (
                Route("GET", "/health", operations.health, PUBLIC, is_frequent=True, is_probe=True),
                Route("GET", "/ready", operations.ready, PUBLIC, is_probe=True),
                Route("GET", "/metrics", operations.metrics, METRICS),
                Route("GET", "/api/v1/system", operations.system, OPERATE),
            ),
        ),
        Section("", "The pages of the documentation.", APIRoute, swagger_ui.ROUTES),
        Section("", "The page to look at.", APIRoute, page.ROUTES),
    )
)
